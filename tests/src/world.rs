//! A mesh and values for a case: made from a seed, the same for every way of running it.

use crate::case::{ArgSpec, Case, MapKind, Path};
use parloop_compiler::{Access, DType};

/// What values are like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taste {
    /// Numbers that computations are done with.
    Plain,
    /// Infinities, NaN, zeroes of both signs, subnormals and extremes among them.
    Special,
}

/// The elements of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Over {
    /// All.
    All,
    /// From the first to before the last.
    Range(u32, u32),
    /// These, in order.
    List(Vec<u32>),
}

/// The values of a dat or global.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Values {
    /// Its name in the case.
    pub name: String,
    /// How the case reaches it first: what set it is on.
    pub path: Path,
    /// Type of a value.
    pub dtype: DType,
    /// Values an element.
    pub dim: u32,
    /// The values, little-endian.
    pub bytes: Vec<u8>,
}

/// A mesh, and the values of a case's dats and globals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct World {
    /// Size of the set that is looped over.
    pub size: u32,
    /// Size of the set that maps lead to.
    pub targets: u32,
    /// Entries of the case's maps, by slot.
    pub maps: Vec<(MapKind, Vec<i64>)>,
    /// The case's dats and globals, by slot.
    pub data: Vec<Values>,
}

/// Numbers from a seed (Knuth's constants for a 64-bit congruential generator).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

fn plain(dtype: DType, dice: &mut Dice) -> u64 {
    let small = dice.below(4001) as i64 - 2000;
    match dtype {
        DType::F64 => {
            let value = small as f64 / 512.0;
            // Most values have a full mantissa, some are round.
            let value = if dice.below(4) == 0 {
                value.round()
            } else {
                value + dice.below(1 << 30) as f64 * 1e-12
            };
            value.to_bits()
        }
        DType::F32 => {
            u64::from((small as f32 / 512.0 + dice.below(1 << 20) as f32 * 1e-9).to_bits())
        }
        DType::U8 | DType::U16 | DType::U32 | DType::U64 => dice.below(60),
        _ => (dice.below(61) as i64 - 30) as u64,
    }
}

fn special(dtype: DType, dice: &mut Dice) -> u64 {
    let which = dice.below(10) as usize;
    match dtype {
        DType::F64 => [
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE / 8.0,
            -1.0,
            4_294_967_296.5,
            0.1,
        ][which]
            .to_bits(),
        DType::F32 => u64::from(
            [
                0.0,
                -0.0,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NAN,
                f32::MAX,
                f32::MIN_POSITIVE / 8.0,
                -1.0,
                16_777_216.0,
                0.1,
            ][which]
                .to_bits(),
        ),
        _ => {
            let high = u64::MAX >> (64 - 8 * dtype.bytes());
            [
                0,
                1,
                2,
                high,
                high - 1,
                high >> 1,
                (high >> 1) + 1,
                7,
                31,
                100,
            ][which]
        }
    }
}

/// `count` values of a type, little-endian.
pub fn values(dtype: DType, count: usize, taste: Taste, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    let part = dtype.real();
    for _ in 0..count * dtype.parts() as usize {
        let bits = match taste {
            Taste::Special if dice.below(2) == 0 => special(part, dice),
            _ => plain(part, dice),
        };
        bytes.extend(&bits.to_le_bytes()[..part.bytes()]);
    }
    bytes
}

impl World {
    /// A world for a case, with `size` elements.
    pub fn new(case: &Case, size: u32, taste: Taste, seed: u64) -> World {
        let mut dice = Dice(seed ^ 0x9e37_79b9_7f4a_7c15);
        let targets = size + 3;
        // What is read and written in place through a map names a target once for each element: C gets copies of the rows, and
        // writes them all back.
        let in_place =
            |arg: &ArgSpec| arg.access == Access::Rw && matches!(arg.path, Path::Through(_));
        let distinct = case.args.iter().any(in_place);
        let entries = |map: MapKind, dice: &mut Dice| -> Vec<i64> {
            let arity = usize::from(map.arity());
            let mut entries: Vec<i64> = Vec::new();
            for at in 0..size as usize * arity {
                let row = &entries[at / arity * arity..];
                let mut entry = dice.below(u64::from(targets)) as i64;
                while distinct && row.contains(&entry) {
                    entry = (entry + 1) % i64::from(targets);
                }
                let missing = map.partial() && dice.below(5) == 0;
                entries.push(if missing { -1 } else { entry });
            }
            entries
        };
        let maps = case.maps();
        let maps = maps
            .into_iter()
            .map(|m| (m, entries(m, &mut dice)))
            .collect();
        let data = case.data().into_iter().map(|arg| {
            let rows = match arg.path {
                Path::Direct | Path::Element => size,
                Path::At(..) | Path::Through(_) => targets,
                Path::Global => 1,
            };
            let bytes = values(arg.dtype, (rows * arg.dim) as usize, taste, &mut dice);
            Values {
                name: arg.data.clone(),
                path: arg.path,
                dtype: arg.dtype,
                dim: arg.dim,
                bytes,
            }
        });
        let data = data.collect();
        World {
            size,
            targets,
            maps,
            data,
        }
    }

    /// Values made by `value`, of the row and the component, for the data of a name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Fn(usize) -> u64) -> World {
        let data = self.data.iter_mut().find(|d| d.name == name);
        let data = data.unwrap_or_else(|| panic!("no data `{name}`"));
        let size = data.dtype.bytes();
        for (i, chunk) in data.bytes.chunks_exact_mut(size).enumerate() {
            chunk.copy_from_slice(&value(i).to_le_bytes()[..size]);
        }
        self
    }
}

/// The bits of a value in little-endian bytes.
pub fn bits(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// The number that bits are, if they are those of a float.
pub fn number(dtype: DType, bits: u64) -> Option<f64> {
    match dtype {
        DType::F64 => Some(f64::from_bits(bits)),
        DType::F32 => Some(f64::from(f32::from_bits(bits as u32))),
        _ => None,
    }
}

/// The first place where two lists of values differ, NaN payloads aside: a line that tells.
pub fn difference(data: &[Values], one: &[Vec<u8>], other: &[Vec<u8>]) -> Option<String> {
    differs(data, one, other, |dtype, a, b| {
        let nan = |bits| number(dtype, bits).is_some_and(f64::is_nan);
        a == b || nan(a) && nan(b)
    })
}

/// The first place where they differ by more than `tolerance`, relative to the larger of the two and 1.
pub fn distance(
    data: &[Values],
    one: &[Vec<u8>],
    other: &[Vec<u8>],
    tolerance: impl Fn(DType) -> f64,
) -> Option<String> {
    differs(data, one, other, |dtype, a, b| {
        let (Some(x), Some(y)) = (number(dtype, a), number(dtype, b)) else {
            return a == b;
        };
        let scale = x.abs().max(y.abs()).max(1.0);
        x == y || x.is_nan() && y.is_nan() || (x - y).abs() <= tolerance(dtype) * scale
    })
}

fn differs(
    data: &[Values],
    one: &[Vec<u8>],
    other: &[Vec<u8>],
    same: impl Fn(DType, u64, u64) -> bool,
) -> Option<String> {
    for ((values, a), b) in data.iter().zip(one).zip(other) {
        let part = values.dtype.real();
        let size = part.bytes();
        let pairs = a.chunks_exact(size).zip(b.chunks_exact(size)).enumerate();
        for (i, (a, b)) in pairs {
            let (a, b) = (bits(a), bits(b));
            if !same(part, a, b) {
                let show = |bits| match number(part, bits) {
                    Some(number) => format!("{number:?} ({bits:#x})"),
                    None => format!("{bits:#x}"),
                };
                let dim = (values.dim * values.dtype.parts()) as usize;
                let name = &values.name;
                let (row, column) = (i / dim, i % dim);
                return Some(format!(
                    "{name}[{row}][{column}]: {} and {}",
                    show(a),
                    show(b)
                ));
            }
        }
    }
    None
}
