//! How far two results are from each other.

use super::inputs::Values;
use parloop_compiler::DType;
use std::ops::Range;

/// The worst over some arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Difference {
    /// Largest |a - b| over the largest |b| of the same array or row.
    pub(super) max_rel: f64,
    /// Largest number of floating-point numbers between a and b, of their type; of integers their distance.
    pub(super) max_ulp: u64,
    /// Whether one is a number where the other is none, or infinite; or another integer.
    pub(super) unlike: bool,
}

impl Difference {
    /// The worse of both.
    pub(super) fn worst(self, other: Difference) -> Difference {
        Difference {
            max_rel: self.max_rel.max(other.max_rel),
            max_ulp: self.max_ulp.max(other.max_ulp),
            unlike: self.unlike || other.unlike,
        }
    }

    /// Between what we computed and what the C compiler's code did, in one array and several runs: the worst of all rows. How large
    /// the numbers of a row are is told by all the runs: in one of them everything may cancel.
    pub(super) fn of(runs: &[(&Values, &Values)]) -> Difference {
        let mut largest: Vec<f64> = Vec::new();
        let mut found = Difference::default();
        let rows = |theirs: &Values| theirs.rows().collect::<Vec<_>>();
        for (ours, theirs) in runs {
            for (at, row) in rows(theirs).into_iter().enumerate() {
                let row = Row::of(ours, theirs, row);
                largest.resize(largest.len().max(at + 1), 0.0);
                largest[at] = largest[at].max(row.largest);
            }
        }
        for (ours, theirs) in runs {
            for (row, largest) in rows(theirs).into_iter().zip(&largest) {
                found = found.worst(Row::of(ours, theirs, row).against(*largest));
            }
        }
        found
    }
}

/// How far the numbers of a row are from each other.
struct Row {
    /// Largest |a - b|.
    apart: f64,
    /// Largest |b|.
    largest: f64,
    max_ulp: u64,
    unlike: bool,
}

impl Row {
    fn of(ours: &Values, theirs: &Values, row: Range<usize>) -> Row {
        let mut found = Row {
            apart: 0.0,
            largest: 0.0,
            max_ulp: 0,
            unlike: false,
        };
        for index in row {
            let (a, b) = (ours.bytes(index), theirs.bytes(index));
            for (a, b) in parts(ours.dtype, &a)
                .into_iter()
                .zip(parts(theirs.dtype, &b))
            {
                let ulp = ulp(a, b);
                found.max_ulp = found.max_ulp.max(ulp);
                found.unlike |= matches!(a, Number::Integer(_)) && ulp > 0;
                let (a, b) = (a.value(), b.value());
                if a.is_finite() && b.is_finite() {
                    found.apart = found.apart.max((a - b).abs());
                    found.largest = found.largest.max(b.abs());
                } else {
                    found.unlike |= a.is_nan() != b.is_nan() || (!a.is_nan() && a != b);
                }
            }
        }
        found
    }

    fn against(&self, largest: f64) -> Difference {
        let max_rel = match self.apart == 0.0 {
            true => 0.0,
            // Where all of b is zero, no number says how far; JSON has no infinity.
            false => (self.apart / largest).min(f64::MAX),
        };
        Difference {
            max_rel,
            max_ulp: self.max_ulp,
            unlike: self.unlike,
        }
    }
}

/// Whether an array holds a value that is not finite.
pub(super) fn is_finite(values: &Values) -> bool {
    (0..values.len()).all(|index| {
        let bytes = values.bytes(index);
        parts(values.dtype, &bytes)
            .iter()
            .all(|part| part.value().is_finite())
    })
}

/// A number as it lies in memory.
#[derive(Clone, Copy)]
enum Number {
    Double(f64),
    Float(f32),
    Integer(i128),
}

impl Number {
    fn value(self) -> f64 {
        match self {
            Number::Double(x) => x,
            Number::Float(x) => f64::from(x),
            Number::Integer(x) => x as f64,
        }
    }
}

/// The numbers of a value: two of a complex one.
fn parts(dtype: DType, bytes: &[u8; 16]) -> Vec<Number> {
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|k| bytes[at + k]));
    let half = |at: usize| u32::from_ne_bytes(std::array::from_fn(|k| bytes[at + k]));
    let double = |at| Number::Double(f64::from_bits(word(at)));
    let float = |at| Number::Float(f32::from_bits(half(at)));
    match dtype {
        DType::F64 => vec![double(0)],
        DType::F32 => vec![float(0)],
        DType::C128 => vec![double(0), double(8)],
        DType::C64 => vec![float(0), float(4)],
        DType::I64 => vec![Number::Integer(i128::from(word(0) as i64))],
        DType::I32 => vec![Number::Integer(i128::from(half(0) as i32))],
        DType::I16 => vec![Number::Integer(i128::from(half(0) as i16))],
        DType::I8 => vec![Number::Integer(i128::from(half(0) as i8))],
        DType::U64 | DType::U32 | DType::U16 | DType::U8 | DType::Bool => {
            // What lies above the width is zero.
            vec![Number::Integer(i128::from(word(0)))]
        }
    }
}

fn ulp(a: Number, b: Number) -> u64 {
    match (a, b) {
        (Number::Double(a), Number::Double(b)) if a.is_nan() && b.is_nan() => 0,
        (Number::Float(a), Number::Float(b)) if a.is_nan() && b.is_nan() => 0,
        (Number::Double(a), Number::Double(b)) => {
            place(a.to_bits(), 63).abs_diff(place(b.to_bits(), 63))
        }
        (Number::Float(a), Number::Float(b)) => {
            let (a, b) = (u64::from(a.to_bits()), u64::from(b.to_bits()));
            place(a, 31).abs_diff(place(b, 31))
        }
        (Number::Integer(a), Number::Integer(b)) => {
            u64::try_from(a.abs_diff(b)).unwrap_or(u64::MAX)
        }
        _ => u64::MAX,
    }
}

/// A float's place among all of its type, both zeros at 0.
fn place(bits: u64, sign: u32) -> i64 {
    let size = (bits & !(1 << sign)) as i64;
    if bits >> sign & 1 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_ulp_apart_across_zero_too() {
        let next = |x: f64| Number::Double(f64::from_bits(x.to_bits() + 1));
        assert_eq!(ulp(Number::Double(1.0), next(1.0)), 1);
        assert_eq!(ulp(Number::Double(-0.0), Number::Double(0.0)), 0);
        assert_eq!(ulp(Number::Double(-f64::from_bits(1)), next(0.0)), 2);
        assert_eq!(
            ulp(Number::Float(1.0), Number::Float(1.0 + f32::EPSILON)),
            1
        );
        assert_eq!(ulp(Number::Double(f64::NAN), Number::Double(-f64::NAN)), 0);
        assert_eq!(ulp(Number::Integer(-2), Number::Integer(3)), 5);
    }
}
