//! Random arguments for a kernel: well scaled, with cells that are cells and indices that are small.
//!
//! Floats are spread over a range of order one (or a hundredth of it, for kernels that only take small disturbances); what is
//! named as coordinates gets the corners of a reference cell, moved a little, so that no cell is degenerate. Integers are below
//! a limit that the caller lowers until the kernel takes them.

use parloop_compiler::ir::Passing;
use parloop_compiler::{ArgSignature, DType, ParamInfo};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taste {
    pub(super) seed: u64,
    /// Integers are below this.
    pub(super) integers: u64,
    /// Size of floats that are no coordinates.
    pub(super) scale: f64,
}

impl Taste {
    /// What to try, in order, until the kernel takes it and gives numbers.
    pub(super) fn ladder(seed: u64) -> impl Iterator<Item = Taste> {
        let scales = [1.0, 0.01];
        scales.into_iter().flat_map(move |scale| {
            [4, 2, 1].map(|integers| Taste {
                seed,
                integers,
                scale,
            })
        })
    }
}

/// An argument's values, aligned to 16 bytes.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) dtype: DType,
    pub(super) len: usize,
    words: Vec<u128>,
}

impl Values {
    fn zeroed(dtype: DType, len: usize) -> Values {
        let words = vec![0; (len * dtype.bytes()).div_ceil(16).max(1)];
        Values { dtype, len, words }
    }

    /// The address of the first.
    pub(super) fn address(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }

    /// The bytes of a value.
    pub(super) fn bytes(&self, index: usize) -> [u8; 16] {
        let width = self.dtype.bytes();
        let mut bytes = [0; 16];
        for (k, byte) in bytes[..width].iter_mut().enumerate() {
            let at = index * width + k;
            *byte = self.words[at / 16].to_ne_bytes()[at % 16];
        }
        bytes
    }

    fn set(&mut self, index: usize, value: &[u8]) {
        for (k, byte) in value.iter().enumerate() {
            let at = index * value.len() + k;
            let mut word = self.words[at / 16].to_ne_bytes();
            word[at % 16] = *byte;
            self.words[at / 16] = u128::from_ne_bytes(word);
        }
    }

    /// Copies another's content, of the same length.
    pub(super) fn restore(&mut self, from: &Values) {
        self.words.copy_from_slice(&from.words);
    }
}

/// Values for all parameters of a kernel.
pub(super) fn draw(params: &[ParamInfo], args: &[ArgSignature], taste: Taste) -> Vec<Values> {
    let mut random = fastrand::Rng::with_seed(taste.seed);
    let pairs = params.iter().zip(args);
    pairs
        .map(|(param, arg)| values(param, arg, taste, &mut random))
        .collect()
}

fn values(
    param: &ParamInfo,
    arg: &ArgSignature,
    taste: Taste,
    random: &mut fastrand::Rng,
) -> Values {
    let len = arg.dim as usize;
    let mut values = Values::zeroed(arg.dtype, len);
    if param.passing == Passing::Unused {
        return values;
    }
    let corners = corners(param, len);
    for index in 0..len {
        let float = match corners {
            Some(corners) => corners[index / 3][index % 3] + 0.1 * (random.f64() - 0.5),
            None => taste.scale * (0.1 + random.f64()),
        };
        let integer = random.u64(..taste.integers);
        values.set(index, &encoded(arg.dtype, float, integer));
    }
    values
}

type Corners = &'static [[f64; 3]];

/// Corners of the cell that coordinates belong to: as many as there are triples of numbers.
fn corners(param: &ParamInfo, len: usize) -> Option<Corners> {
    // The fourth makes a tetrahedron of them in space and a square in the plane.
    const SIMPLEX: Corners = &[
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 1.0, 1.0],
    ];
    const PAIR: Corners = &[
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 1.0, 0.0],
    ];
    const CUBE: Corners = &[
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 1.0],
        [0.0, 1.0, 1.0],
        [1.0, 1.0, 1.0],
    ];
    const TWO_SIMPLICES: Corners = &[
        [0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [1.0, 1.0, 1.0],
    ];
    if !param.name.contains("coord") || len == 0 {
        return None;
    }
    match len.div_ceil(3) {
        1..=4 => Some(SIMPLEX),
        5..=6 => Some(PAIR),
        7..=8 if param.name.contains("dofs") => Some(CUBE),
        7..=8 => Some(TWO_SIMPLICES),
        _ => None,
    }
}

fn encoded(dtype: DType, float: f64, integer: u64) -> Vec<u8> {
    match dtype {
        DType::F64 => float.to_ne_bytes().to_vec(),
        DType::F32 => (float as f32).to_ne_bytes().to_vec(),
        DType::C128 => [float, 1.0 - float].map(f64::to_ne_bytes).concat(),
        DType::C64 => [float as f32, 1.0 - float as f32]
            .map(f32::to_ne_bytes)
            .concat(),
        DType::Bool => vec![(integer & 1) as u8],
        other => integer.to_le_bytes()[..other.bytes()].to_vec(),
    }
}
