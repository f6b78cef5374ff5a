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
    let cell = Cell::of(param, len);
    for index in 0..len {
        let float = match &cell {
            Some(cell) => cell.coordinate(index) + 0.1 * (random.f64() - 0.5),
            None => taste.scale * (0.1 + random.f64()),
        };
        let integer = random.u64(..taste.integers);
        values.set(index, &encoded(arg.dtype, float, integer));
    }
    values
}

/// The cell that coordinates belong to.
struct Cell {
    /// Coordinates of a point.
    width: usize,
    /// By point, the corner of a cube that it lies at: bits for x, y and z.
    corners: &'static [u8],
}

impl Cell {
    /// By name and length: generated `coordinate_dofs` have three coordinates a point in every dimension.
    fn of(param: &ParamInfo, len: usize) -> Option<Cell> {
        if !param.name.contains("coord") {
            return None;
        }
        let padded = param.name.contains("dofs");
        let width = if !padded && matches!(len, 6 | 8) {
            2
        } else {
            3
        };
        let corners: &[u8] = match len.div_ceil(width) {
            // An interval, a triangle, a quadrilateral or a tetrahedron.
            1..=4 => &[0, 1, 2, 3],
            // A prism, or the two triangles at a facet.
            5..=6 => &[0, 1, 2, 4, 5, 6],
            // A hexahedron, or the two quadrilaterals or tetrahedra at a facet.
            7..=8 => &[0, 1, 2, 3, 4, 5, 6, 7],
            _ => return None,
        };
        Some(Cell { width, corners })
    }

    /// The cube is sheared, so that the four corners of its base are those of a tetrahedron too, and its volume stays 1.
    fn coordinate(&self, index: usize) -> f64 {
        let corner = self.corners[index / self.width];
        let [x, y, z] = [0, 1, 2].map(|bit| f64::from(corner >> bit & 1));
        [x, y, z + 0.4 * x * y][index % self.width]
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
