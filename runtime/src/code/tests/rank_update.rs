//! Rank-k updates of all shapes, bit for bit what the definition gives, with nothing touched beside the entries.

use super::super::rank_update::functions;
use parloop_compiler::abi::rank_update::{FUNCTIONS, Factor, Function, Term};

/// A floating-point number of one of the two widths.
trait Number: Copy + PartialEq + std::fmt::Debug {
    fn of(number: f64) -> Self;
    fn plus_product(self, x: Self, y: Self, is_fused: bool) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! number {
    ($value:ty) => {
        impl Number for $value {
            fn of(number: f64) -> $value {
                number as $value
            }
            fn plus_product(self, x: $value, y: $value, is_fused: bool) -> $value {
                match is_fused {
                    true => x.mul_add(y, self),
                    false => self + x * y,
                }
            }
            fn times(self, other: $value) -> $value {
                self * other
            }
        }
    };
}

number!(f32);
number!(f64);

/// Numbers whose products are rounded.
struct Numbers(u64);

impl Numbers {
    fn next<T: Number>(&mut self) -> T {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        T::of((self.0 >> 20) as f64 / 3e12 - 2.0)
    }

    fn some<T: Number>(&mut self, count: usize) -> Vec<T> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Room before, between and after the rows.
const GAP: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    columns: usize,
    /// How far apart the entries of a row are.
    step: usize,
    terms: usize,
    trips: usize,
}

/// What one term is made of: factors of rows and columns for each trip, maybe scales.
struct Factors<T> {
    rows: Vec<T>,
    columns: Vec<T>,
    scales: Option<Vec<T>>,
}

fn check<T: Number>(function: &Function, at: *const u8, shape: Shape) {
    let Shape {
        rows,
        columns,
        step,
        terms,
        trips,
    } = shape;
    let mut numbers = Numbers(rows as u64 * 1000 + columns as u64);
    let width = columns * step + GAP;
    let mut entries: Vec<T> = numbers.some(GAP + rows * width);
    let factors: Vec<Factors<T>> = (0..terms)
        .map(|term| Factors {
            rows: numbers.some(trips * rows),
            columns: numbers.some(trips * columns),
            scales: (term % 2 == 0).then(|| numbers.some(trips)),
        })
        .collect();
    let mut wanted = entries.clone();
    for row in 0..rows {
        for column in 0..columns {
            let entry = &mut wanted[GAP + row * width + column * step];
            for trip in 0..trips {
                for term in &factors {
                    let factor = term.columns[trip * columns + column];
                    let factor = term
                        .scales
                        .as_ref()
                        .map_or(factor, |s| s[trip].times(factor));
                    *entry =
                        entry.plus_product(term.rows[trip * rows + row], factor, function.is_fused);
                }
            }
        }
    }
    let size = size_of::<T>() as i64;
    let factor = |of: &[T], count: usize| Factor {
        first: of.as_ptr().cast(),
        trip_bytes: count as i64 * size,
    };
    let none = Factor {
        first: std::ptr::null(),
        trip_bytes: 0,
    };
    let handed: Vec<Term> = factors
        .iter()
        .map(|term| Term {
            columns: factor(&term.columns, columns),
            scale: term
                .scales
                .as_ref()
                .map_or(none, |scales| factor(scales, 1)),
            row: factor(&term.rows, rows),
            row_bytes: size,
        })
        .collect();
    // SAFETY: the address is of a function of this signature.
    let call = unsafe {
        std::mem::transmute::<
            *const u8,
            unsafe extern "C" fn(*mut T, i64, i64, u64, *const Term, u64),
        >(at)
    };
    let pack = |low: usize, high: usize| low as u64 | (high as u64) << 32;
    // SAFETY: the machine has the level, as the caller has seen, and all entries and factors are there.
    unsafe {
        call(
            entries[GAP..].as_mut_ptr(),
            width as i64 * size,
            step as i64 * size,
            pack(rows, columns),
            handed.as_ptr(),
            pack(terms, trips),
        );
    }
    assert_eq!(entries, wanted, "{} {shape:?}", function.name);
}

fn host_has(level: u8) -> bool {
    let v3 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let v4 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    v3 && (level < 4 || v4 && is_x86_feature_detected!("avx512dq"))
}

#[test]
fn updates_of_all_shapes_are_what_the_definition_gives() {
    for (function, (name, at)) in FUNCTIONS.iter().zip(functions()) {
        assert_eq!(function.name, name);
        if !host_has(function.level) {
            continue;
        }
        for rows in (1..=13).chain([15, 17, 27]) {
            for columns in (1..=35).chain([64, 130]) {
                for (step, terms, trips) in [(1, 1, 1), (3, 2, 1), (1, 3, 4), (2, 1, 2)] {
                    let shape = Shape {
                        rows,
                        columns,
                        step,
                        terms,
                        trips,
                    };
                    match function.bits {
                        32 => check::<f32>(function, at, shape),
                        _ => check::<f64>(function, at, shape),
                    }
                }
            }
        }
    }
}
