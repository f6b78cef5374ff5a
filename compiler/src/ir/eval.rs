//! What each operation means, on the bits of one lane: the one definition for interpreter, folding and native code.
//!
//! Bits are zero-extended to 64. Floats follow IEEE 754 in the default environment, each operation rounded once; payloads of
//! NaNs are not part of the meaning. Integers wrap, shift counts are taken modulo the width, conversions to integers
//! saturate at the bounds of the result's type and take NaN to 0. Nothing here panics.

use super::body::{BinaryOp, CompareOp, UnaryOp};
use super::types::Scalar;

/// Keeps the bits that a scalar has.
pub const fn mask(scalar: Scalar, bits: u64) -> u64 {
    match scalar {
        Scalar::Bool => bits & 1,
        _ => match scalar.bytes() {
            8 => bits,
            bytes => bits & ((1 << (8 * bytes)) - 1),
        },
    }
}

/// The value of an integer or a `Bool`.
pub const fn integer(scalar: Scalar, bits: u64) -> i128 {
    match scalar {
        Scalar::I8 => bits as i8 as i128,
        Scalar::I16 => bits as i16 as i128,
        Scalar::I32 => bits as i32 as i128,
        Scalar::I64 => bits as i64 as i128,
        _ => mask(scalar, bits) as i128,
    }
}

/// One operand.
pub fn unary(op: UnaryOp, scalar: Scalar, a: u64) -> u64 {
    match scalar {
        Scalar::F64 => unary_f64(op, a),
        Scalar::F32 => unary_f32(op, a),
        _ => match op {
            UnaryOp::Neg => mask(scalar, a.wrapping_neg()),
            UnaryOp::Not => mask(scalar, !a),
            _ => a,
        },
    }
}

fn unary_f64(op: UnaryOp, bits: u64) -> u64 {
    let a = f64::from_bits(bits);
    let result = match op {
        // On the bits, so that a NaN's sign follows too.
        UnaryOp::Neg => return bits ^ (1 << 63),
        UnaryOp::Abs => return bits & !(1 << 63),
        UnaryOp::Sqrt => a.sqrt(),
        UnaryOp::Floor => a.floor(),
        UnaryOp::Ceil => a.ceil(),
        UnaryOp::Trunc => a.trunc(),
        UnaryOp::Rint => a.round_ties_even(),
        UnaryOp::Not => a,
    };
    result.to_bits()
}

fn unary_f32(op: UnaryOp, bits: u64) -> u64 {
    let a = f32::from_bits(bits as u32);
    let result = match op {
        UnaryOp::Neg => return bits ^ (1 << 31),
        UnaryOp::Abs => return bits & !(1 << 31),
        UnaryOp::Sqrt => a.sqrt(),
        UnaryOp::Floor => a.floor(),
        UnaryOp::Ceil => a.ceil(),
        UnaryOp::Trunc => a.trunc(),
        UnaryOp::Rint => a.round_ties_even(),
        UnaryOp::Not => a,
    };
    u64::from(result.to_bits())
}

/// Two operands; `None` for an integer divided by zero. The count of a shift may have more bits than `scalar`.
pub fn binary(op: BinaryOp, scalar: Scalar, a: u64, b: u64) -> Option<u64> {
    match scalar {
        Scalar::F64 => Some(binary_f64(op, a, b)),
        Scalar::F32 => Some(binary_f32(op, a, b)),
        _ => binary_integer(op, scalar, a, b),
    }
}

fn binary_integer(op: BinaryOp, scalar: Scalar, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (integer(scalar, a), integer(scalar, b));
    let count = b as u32 & (8 * scalar.bytes() - 1);
    let result = match op {
        BinaryOp::Add => x.wrapping_add(y),
        BinaryOp::Sub => x.wrapping_sub(y),
        BinaryOp::Mul => x.wrapping_mul(y),
        BinaryOp::Div => x.checked_div(y)?,
        BinaryOp::Rem => x.checked_rem(y)?,
        BinaryOp::And => x & y,
        BinaryOp::Or => x | y,
        BinaryOp::Xor => x ^ y,
        BinaryOp::Shl => x << count,
        BinaryOp::Shr => x >> count,
        BinaryOp::Min => x.min(y),
        BinaryOp::Max => x.max(y),
        BinaryOp::Copysign => x,
    };
    Some(mask(scalar, result as u64))
}

fn binary_f64(op: BinaryOp, a: u64, b: u64) -> u64 {
    let (x, y) = (f64::from_bits(a), f64::from_bits(b));
    let result = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => x / y,
        BinaryOp::Min => pick(x, y, x < y),
        BinaryOp::Max => pick(x, y, x > y),
        BinaryOp::Copysign => return (a & !(1 << 63)) | (b & (1 << 63)),
        BinaryOp::Rem
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr => x,
    };
    result.to_bits()
}

fn binary_f32(op: BinaryOp, a: u64, b: u64) -> u64 {
    let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
    let result = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => x / y,
        BinaryOp::Min => pick(x, y, x < y),
        BinaryOp::Max => pick(x, y, x > y),
        BinaryOp::Copysign => return (a & !(1 << 31)) | (b & (1 << 31)),
        BinaryOp::Rem
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr => x,
    };
    u64::from(result.to_bits())
}

/// The first if it is better or the second is NaN, and is no NaN itself.
#[expect(clippy::eq_op, reason = "what differs from itself is NaN")]
fn pick<T: PartialEq + Copy>(a: T, b: T, better: bool) -> T {
    if better || (b != b && a == a) { a } else { b }
}

/// A comparison; any with a NaN is false but `Ne`.
pub fn compare(op: CompareOp, scalar: Scalar, a: u64, b: u64) -> bool {
    match scalar {
        Scalar::F64 => holds(op, &f64::from_bits(a), &f64::from_bits(b)),
        Scalar::F32 => holds(op, &f32::from_bits(a as u32), &f32::from_bits(b as u32)),
        _ => holds(op, &integer(scalar, a), &integer(scalar, b)),
    }
}

fn holds<T: PartialOrd>(op: CompareOp, a: &T, b: &T) -> bool {
    match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Gt => a > b,
        CompareOp::Ge => a >= b,
    }
}

/// First times second plus third, rounded once.
pub fn fma(scalar: Scalar, a: u64, b: u64, c: u64) -> u64 {
    if scalar == Scalar::F32 {
        let [x, y, z] = [a, b, c].map(|bits| f32::from_bits(bits as u32));
        return u64::from(x.mul_add(y, z).to_bits());
    }
    let [x, y, z] = [a, b, c].map(f64::from_bits);
    x.mul_add(y, z).to_bits()
}

/// A conversion.
pub fn convert(from: Scalar, to: Scalar, a: u64) -> u64 {
    match (from, to) {
        (Scalar::F64, Scalar::F64) | (Scalar::F32, Scalar::F32) => a,
        (Scalar::F64, _) => from_float(to, f64::from_bits(a)),
        // Every f32 is an f64, so going through it changes nothing.
        (Scalar::F32, _) => from_float(to, f64::from(f32::from_bits(a as u32))),
        (_, Scalar::F64) => (integer(from, a) as f64).to_bits(),
        (_, Scalar::F32) => u64::from((integer(from, a) as f32).to_bits()),
        (_, Scalar::Bool) => u64::from(integer(from, a) != 0),
        _ => mask(to, integer(from, a) as u64),
    }
}

fn from_float(to: Scalar, x: f64) -> u64 {
    match to {
        Scalar::F64 => x.to_bits(),
        Scalar::F32 => u64::from((x as f32).to_bits()),
        Scalar::Bool => u64::from(x != 0.0),
        Scalar::I8 => u64::from(x as i8 as u8),
        Scalar::U8 => u64::from(x as u8),
        Scalar::I16 => u64::from(x as i16 as u16),
        Scalar::U16 => u64::from(x as u16),
        Scalar::I32 => u64::from(x as i32 as u32),
        Scalar::U32 => u64::from(x as u32),
        Scalar::I64 => x as i64 as u64,
        Scalar::U64 | Scalar::Addr => x as u64,
    }
}

/// How often a counted loop runs: the counter takes the values `lo + k * step` that lie before `hi`; it never wraps.
pub const fn trip_count(lo: i64, hi: i64, step: i64) -> u64 {
    let (first, last) = if step > 0 { (lo, hi) } else { (hi, lo) };
    if first >= last || step == 0 {
        return 0;
    }
    let distance = (last as u64).wrapping_sub(first as u64);
    (distance - 1) / step.unsigned_abs() + 1
}
