//! Random arguments for a kernel: well scaled, with cells that are cells and indices that are small.
//!
//! Floats are spread over a range of order one (or a hundredth of it, for kernels that only take small disturbances, or close to
//! one, for functions that are defined nowhere else); what is named as coordinates gets the corners of a reference cell, moved a
//! little, so that no cell is degenerate. Integers are below a limit that the caller lowers until the kernel takes them; `choices`
//! has others. Arrays that are added to may start from zero instead, so that what is added is not lost beside what was there.

use parloop_compiler::ir::Passing;
use parloop_compiler::{ArgSignature, DType, ParamInfo, Source};
use std::ops::Range;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taste {
    pub(super) seed: u64,
    /// Integers are below this.
    pub(super) integers: u64,
    /// Between these are floats that are no coordinates.
    pub(super) floats: [f64; 2],
}

/// Ranges of floats, and limits of integers, in the order in which they are tried.
const FLOATS: [[f64; 2]; 3] = [[0.1, 1.1], [0.001, 0.011], [0.9, 1.1]];
const INTEGERS: [u64; 3] = [4, 2, 1];
/// How many seeds are tried for one.
const REDRAWS: u64 = 8;

impl Taste {
    /// What to try, in order, until the kernel takes it and gives numbers. Seeds below 2^32 share none of it.
    pub(super) fn ladder(seed: u64) -> impl Iterator<Item = Taste> {
        let seeds = (0..REDRAWS).map(move |redraw| redraw << 32 | seed);
        seeds.flat_map(|seed| {
            FLOATS.into_iter().flat_map(move |floats| {
                INTEGERS.map(|integers| Taste {
                    seed,
                    integers,
                    floats,
                })
            })
        })
    }
}

/// An argument's values, aligned to 16 bytes; those of rows one row after another.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) dtype: DType,
    /// How many there are in a row, or in all where there are no rows.
    dim: usize,
    /// How many row pointers the kernel gets; one pointer to the values if none.
    rows: Option<usize>,
    words: Vec<u128>,
}

impl Values {
    fn zeroed(arg: &ArgSignature) -> Values {
        let (dtype, dim) = (arg.dtype, arg.dim as usize);
        let len = arg.extent() as usize;
        Values {
            dtype,
            dim,
            rows: match arg.source {
                Source::Rows(rows) => Some(rows as usize),
                _ => None,
            },
            words: vec![0; (len * dtype.bytes()).div_ceil(16).max(1)],
        }
    }

    /// Whether they are real or complex.
    pub(super) fn is_float(&self) -> bool {
        self.dtype.scalar().is_float()
    }

    /// How many there are in all.
    pub(super) fn len(&self) -> usize {
        self.rows.unwrap_or(1) * self.dim
    }

    /// Where the values of each row are.
    pub(super) fn rows(&self) -> impl Iterator<Item = Range<usize>> {
        let dim = self.dim;
        (0..self.rows.unwrap_or(1)).map(move |row| row * dim..(row + 1) * dim)
    }

    /// The address of the first.
    pub(super) fn address(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }

    /// The address of each row, if the kernel gets them.
    pub(super) fn row_addresses(&mut self) -> Option<Vec<*mut u8>> {
        self.rows?;
        let (base, width) = (self.address(), self.dtype.bytes());
        let address = |row: Range<usize>| base.wrapping_add(row.start * width);
        Some(self.rows().map(address).collect())
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

    /// Sets an integer; of a `bool`, whether it is odd.
    pub(super) fn set_integer(&mut self, index: usize, integer: u64) {
        self.set(index, &encoded(self.dtype, 0.0, integer));
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

/// The same with zeros in each array of floats that is read and written, if there is one. Integers have to be equal wherever they
/// start.
pub(super) fn from_zero(params: &[ParamInfo], drawn: &[Values]) -> Option<Vec<Values>> {
    let mut values = drawn.to_vec();
    let mut found = false;
    for (param, values) in params.iter().zip(&mut values) {
        if param.read && param.written && values.is_float() {
            values.words.fill(0);
            found = true;
        }
    }
    found.then_some(values)
}

fn values(
    param: &ParamInfo,
    arg: &ArgSignature,
    taste: Taste,
    random: &mut fastrand::Rng,
) -> Values {
    let mut values = Values::zeroed(arg);
    if param.passing == Passing::Unused {
        return values;
    }
    let cell = Cell::of(param, &values);
    let [least, largest] = taste.floats;
    for index in 0..values.len() {
        let float = match &cell {
            Some(cell) => cell.coordinate(index) + 0.1 * (random.f64() - 0.5),
            None => least + (largest - least) * random.f64(),
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
    /// How many points there are.
    points: usize,
    /// Whether all points' first coordinates come before their second ones.
    by_component: bool,
    /// By point, the corner of a cube that it lies at: bits for x, y and z.
    corners: &'static [u8],
}

impl Cell {
    /// By name and length: generated `coordinate_dofs` have three coordinates a point in every dimension. A row is a point; rows of
    /// one value are coordinates by component.
    fn of(param: &ParamInfo, values: &Values) -> Option<Cell> {
        if !param.name.contains("coord") {
            return None;
        }
        let len = values.len();
        let padded = param.name.contains("dofs");
        let by_component = values.rows.is_some() && values.dim == 1;
        let width = match values.rows {
            Some(_) if values.dim > 1 => values.dim,
            _ if !padded && matches!(len, 6 | 8) => 2,
            _ => 3,
        };
        let points = len.div_ceil(width);
        let corners: &[u8] = match points {
            _ if width > 3 => return None,
            // An interval, a triangle, a quadrilateral or a tetrahedron.
            1..=4 => &[0, 1, 2, 3],
            // A prism, or the two triangles at a facet.
            5..=6 => &[0, 1, 2, 4, 5, 6],
            // A hexahedron, or the two quadrilaterals or tetrahedra at a facet.
            7..=8 => &[0, 1, 2, 3, 4, 5, 6, 7],
            _ => return None,
        };
        Some(Cell {
            width,
            points,
            by_component,
            corners,
        })
    }

    /// The cube is sheared, so that the four corners of its base are those of a tetrahedron too, and its volume stays 1.
    fn coordinate(&self, index: usize) -> f64 {
        let (point, component) = match self.by_component {
            true => (index % self.points, index / self.points),
            false => (index / self.width, index % self.width),
        };
        let corner = self.corners[point];
        let [x, y, z] = [0, 1, 2].map(|bit| f64::from(corner >> bit & 1));
        [x, y, z + 0.4 * x * y][component]
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
