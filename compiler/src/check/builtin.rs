//! Constants that standard headers define.

use super::num::Num;
use crate::ir::Scalar;

const F64: Scalar = Scalar::F64;

/// Name, type, bits.
const CONSTANTS: &[(&str, Scalar, u64)] = &[
    ("M_E", F64, std::f64::consts::E.to_bits()),
    ("M_LOG2E", F64, std::f64::consts::LOG2_E.to_bits()),
    ("M_LOG10E", F64, std::f64::consts::LOG10_E.to_bits()),
    ("M_LN2", F64, std::f64::consts::LN_2.to_bits()),
    ("M_LN10", F64, std::f64::consts::LN_10.to_bits()),
    ("M_PI", F64, std::f64::consts::PI.to_bits()),
    ("M_PI_2", F64, std::f64::consts::FRAC_PI_2.to_bits()),
    ("M_PI_4", F64, std::f64::consts::FRAC_PI_4.to_bits()),
    ("M_1_PI", F64, std::f64::consts::FRAC_1_PI.to_bits()),
    ("M_2_PI", F64, std::f64::consts::FRAC_2_PI.to_bits()),
    (
        "M_2_SQRTPI",
        F64,
        std::f64::consts::FRAC_2_SQRT_PI.to_bits(),
    ),
    ("M_SQRT2", F64, std::f64::consts::SQRT_2.to_bits()),
    ("M_SQRT1_2", F64, std::f64::consts::FRAC_1_SQRT_2.to_bits()),
    ("HUGE_VAL", F64, f64::INFINITY.to_bits()),
    ("INFINITY", Scalar::F32, f32::INFINITY.to_bits() as u64),
    ("NAN", Scalar::F32, 0x7fc0_0000),
    ("DBL_MAX", F64, f64::MAX.to_bits()),
    ("DBL_MIN", F64, f64::MIN_POSITIVE.to_bits()),
    ("DBL_EPSILON", F64, f64::EPSILON.to_bits()),
    ("FLT_MAX", Scalar::F32, f32::MAX.to_bits() as u64),
    ("FLT_MIN", Scalar::F32, f32::MIN_POSITIVE.to_bits() as u64),
    ("FLT_EPSILON", Scalar::F32, f32::EPSILON.to_bits() as u64),
    ("DBL_DIG", Scalar::I32, 15),
    ("FLT_DIG", Scalar::I32, 6),
    ("CHAR_BIT", Scalar::I32, 8),
    ("SCHAR_MIN", Scalar::I32, i8::MIN as i32 as u32 as u64),
    ("SCHAR_MAX", Scalar::I32, i8::MAX as u64),
    ("UCHAR_MAX", Scalar::I32, u8::MAX as u64),
    ("CHAR_MIN", Scalar::I32, i8::MIN as i32 as u32 as u64),
    ("CHAR_MAX", Scalar::I32, i8::MAX as u64),
    ("SHRT_MIN", Scalar::I32, i16::MIN as i32 as u32 as u64),
    ("SHRT_MAX", Scalar::I32, i16::MAX as u64),
    ("USHRT_MAX", Scalar::I32, u16::MAX as u64),
    ("INT_MIN", Scalar::I32, i32::MIN as u32 as u64),
    ("INT_MAX", Scalar::I32, i32::MAX as u64),
    ("UINT_MAX", Scalar::U32, u32::MAX as u64),
    ("LONG_MIN", Scalar::I64, i64::MIN as u64),
    ("LONG_MAX", Scalar::I64, i64::MAX as u64),
    ("ULONG_MAX", Scalar::U64, u64::MAX),
    ("LLONG_MIN", Scalar::I64, i64::MIN as u64),
    ("LLONG_MAX", Scalar::I64, i64::MAX as u64),
    ("ULLONG_MAX", Scalar::U64, u64::MAX),
    ("INT8_MIN", Scalar::I32, i8::MIN as i32 as u32 as u64),
    ("INT8_MAX", Scalar::I32, i8::MAX as u64),
    ("UINT8_MAX", Scalar::I32, u8::MAX as u64),
    ("INT16_MIN", Scalar::I32, i16::MIN as i32 as u32 as u64),
    ("INT16_MAX", Scalar::I32, i16::MAX as u64),
    ("UINT16_MAX", Scalar::I32, u16::MAX as u64),
    ("INT32_MIN", Scalar::I32, i32::MIN as u32 as u64),
    ("INT32_MAX", Scalar::I32, i32::MAX as u64),
    ("UINT32_MAX", Scalar::U32, u32::MAX as u64),
    ("INT64_MIN", Scalar::I64, i64::MIN as u64),
    ("INT64_MAX", Scalar::I64, i64::MAX as u64),
    ("UINT64_MAX", Scalar::U64, u64::MAX),
    ("SIZE_MAX", Scalar::U64, u64::MAX),
    ("INT_LEAST8_MIN", Scalar::I32, i8::MIN as i32 as u32 as u64),
    ("INT_LEAST8_MAX", Scalar::I32, i8::MAX as u64),
    ("UINT_LEAST8_MAX", Scalar::I32, u8::MAX as u64),
    (
        "INT_LEAST16_MIN",
        Scalar::I32,
        i16::MIN as i32 as u32 as u64,
    ),
    ("INT_LEAST16_MAX", Scalar::I32, i16::MAX as u64),
    ("UINT_LEAST16_MAX", Scalar::I32, u16::MAX as u64),
    ("INT_LEAST32_MIN", Scalar::I32, i32::MIN as u32 as u64),
    ("INT_LEAST32_MAX", Scalar::I32, i32::MAX as u64),
    ("UINT_LEAST32_MAX", Scalar::U32, u32::MAX as u64),
    ("INT_LEAST64_MIN", Scalar::I64, i64::MIN as u64),
    ("INT_LEAST64_MAX", Scalar::I64, i64::MAX as u64),
    ("UINT_LEAST64_MAX", Scalar::U64, u64::MAX),
    ("INT_FAST8_MIN", Scalar::I32, i8::MIN as i32 as u32 as u64),
    ("INT_FAST8_MAX", Scalar::I32, i8::MAX as u64),
    ("UINT_FAST8_MAX", Scalar::I32, u8::MAX as u64),
    ("INT_FAST16_MIN", Scalar::I64, i64::MIN as u64),
    ("INT_FAST16_MAX", Scalar::I64, i64::MAX as u64),
    ("UINT_FAST16_MAX", Scalar::U64, u64::MAX),
    ("INT_FAST32_MIN", Scalar::I64, i64::MIN as u64),
    ("INT_FAST32_MAX", Scalar::I64, i64::MAX as u64),
    ("UINT_FAST32_MAX", Scalar::U64, u64::MAX),
    ("INT_FAST64_MIN", Scalar::I64, i64::MIN as u64),
    ("INT_FAST64_MAX", Scalar::I64, i64::MAX as u64),
    ("UINT_FAST64_MAX", Scalar::U64, u64::MAX),
    ("INTPTR_MIN", Scalar::I64, i64::MIN as u64),
    ("INTPTR_MAX", Scalar::I64, i64::MAX as u64),
    ("INTMAX_MIN", Scalar::I64, i64::MIN as u64),
    ("INTMAX_MAX", Scalar::I64, i64::MAX as u64),
    ("PTRDIFF_MIN", Scalar::I64, i64::MIN as u64),
    ("PTRDIFF_MAX", Scalar::I64, i64::MAX as u64),
    ("UINTPTR_MAX", Scalar::U64, u64::MAX),
    ("UINTMAX_MAX", Scalar::U64, u64::MAX),
];

/// The imaginary unit, which is no real number.
const UNIT: u32 = u32::MAX;

/// The place of a constant in the list.
pub(super) fn find(name: &str) -> Option<u32> {
    if super::complex::UNITS.contains(&name) {
        return Some(UNIT);
    }
    let at = CONSTANTS.iter().position(|c| c.0 == name)?;
    Some(at as u32)
}

/// Its type and value; `None` for the imaginary unit.
pub(super) fn value(at: u32) -> Option<Num> {
    let (_, ty, bits) = *CONSTANTS.get(at as usize)?;
    Some(Num::constant(ty, bits))
}
