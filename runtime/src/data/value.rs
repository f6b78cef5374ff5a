//! The Rust types of values, one for each data type.
//!
//! Invariant: every bit pattern of such a type is a value, and its size is its data type's; so storage can be viewed as
//! a slice of it.

use num_complex::Complex;
use parloop_compiler::DType;

/// A type that dats and globals may hold: numbers, and the complex numbers of `num_complex`.
pub trait Value:
    Copy + PartialEq + Send + Sync + std::fmt::Debug + sealed::Sealed + 'static
{
    /// The data type it is.
    const DTYPE: DType;
}

/// A type that kernel constants may hold as well: the real ones.
pub trait Real: Value {
    /// Its bits, zero-extended to 64.
    fn bits(self) -> u64;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! values {
    ($($ty:ty => $dtype:ident, $bits:expr;)*) => {$(
        impl sealed::Sealed for $ty {}

        impl Value for $ty {
            const DTYPE: DType = DType::$dtype;
        }

        impl Real for $ty {
            fn bits(self) -> u64 {
                let bits: fn($ty) -> u64 = $bits;
                bits(self)
            }
        }
    )*};
}

values! {
    f64 => F64, f64::to_bits;
    f32 => F32, |v| u64::from(v.to_bits());
    i8 => I8, |v| u64::from(v as u8);
    u8 => U8, u64::from;
    i16 => I16, |v| u64::from(v as u16);
    u16 => U16, u64::from;
    i32 => I32, |v| u64::from(v as u32);
    u32 => U32, u64::from;
    i64 => I64, |v| v as u64;
    u64 => U64, |v| v;
}

impl sealed::Sealed for Complex<f64> {}

impl Value for Complex<f64> {
    const DTYPE: DType = DType::C128;
}

impl sealed::Sealed for Complex<f32> {}

impl Value for Complex<f32> {
    const DTYPE: DType = DType::C64;
}
