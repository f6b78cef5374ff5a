//! C's arithmetic on types and on constants: promotions, common types, conversions, exact folding.
//!
//! Folding is what the code would compute: integers wrap, shifts are masked, conversions saturate. Division by zero and
//! results that are NaN are left to run time.

use crate::ir::{BinaryOp, CompareOp, Scalar, Value};

/// A number of a known C type.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Num {
    /// Its C type.
    pub(super) ty: Scalar,
    pub(super) repr: Repr,
}

/// How a number is held.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Repr {
    /// Known bits, not yet in the body.
    Const(u64),
    /// A value of that type.
    Value(Value),
    /// A `Bool` that C calls an `int`.
    Truth(Value),
}

impl Num {
    pub(super) fn int(value: i32) -> Num {
        Num::constant(Scalar::I32, u64::from(value as u32))
    }

    pub(super) fn index(value: i64) -> Num {
        Num::constant(Scalar::I64, value as u64)
    }

    pub(super) fn constant(ty: Scalar, bits: u64) -> Num {
        Num {
            ty,
            repr: Repr::Const(bits),
        }
    }

    pub(super) fn value(ty: Scalar, value: Value) -> Num {
        Num {
            ty,
            repr: Repr::Value(value),
        }
    }

    pub(super) fn truth(value: Value) -> Num {
        Num {
            ty: Scalar::I32,
            repr: Repr::Truth(value),
        }
    }

    pub(super) fn bits(self) -> Option<u64> {
        match self.repr {
            Repr::Const(bits) => Some(bits),
            _ => None,
        }
    }

    /// The value of an integer constant.
    pub(super) fn integer(self) -> Option<i128> {
        self.bits().and_then(|bits| integer(self.ty, bits))
    }
}

/// The value of integer or `Bool` bits.
pub(super) fn integer(ty: Scalar, bits: u64) -> Option<i128> {
    Some(match ty {
        Scalar::I8 => i128::from(bits as u8 as i8),
        Scalar::I16 => i128::from(bits as u16 as i16),
        Scalar::I32 => i128::from(bits as u32 as i32),
        Scalar::I64 => i128::from(bits as i64),
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 => i128::from(bits),
        Scalar::F32 | Scalar::F64 | Scalar::Addr => return None,
    })
}

/// The least and the greatest value of an integer type.
pub(super) fn range(ty: Scalar) -> (i128, i128) {
    let bits = ty.bytes() * 8;
    match ty {
        Scalar::Bool => (0, 1),
        _ if ty.is_signed() => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => (0, (1 << bits) - 1),
    }
}

/// The integer promotion.
pub(super) fn promote(ty: Scalar) -> Scalar {
    if ty.bytes() < 4 { Scalar::I32 } else { ty }
}

/// The usual arithmetic conversions.
pub(super) fn common(a: Scalar, b: Scalar) -> Scalar {
    if a == Scalar::F64 || b == Scalar::F64 {
        return Scalar::F64;
    }
    if a == Scalar::F32 || b == Scalar::F32 {
        return Scalar::F32;
    }
    let (a, b) = (promote(a), promote(b));
    if a == b {
        return a;
    }
    // Of two types the wider; of two equally wide ones the unsigned.
    if a.bytes() == b.bytes() {
        if a.is_signed() { b } else { a }
    } else if a.bytes() > b.bytes() {
        a
    } else {
        b
    }
}

fn mask(ty: Scalar, bits: u64) -> u64 {
    match ty.bytes() {
        8 => bits,
        bytes => bits & ((1 << (bytes * 8)) - 1),
    }
}

fn float(ty: Scalar, bits: u64) -> f64 {
    match ty {
        Scalar::F32 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

/// Bits of one type converted to another.
pub(super) fn convert(bits: u64, from: Scalar, to: Scalar) -> u64 {
    if from == to {
        return bits;
    }
    match integer(from, bits) {
        Some(value) => from_integer(value, to),
        None => from_float(float(from, bits), to),
    }
}

/// The bits of an integer converted to a type, wrapping.
pub(super) fn from_integer(value: i128, to: Scalar) -> u64 {
    match to {
        Scalar::F64 => (value as f64).to_bits(),
        Scalar::F32 => u64::from((value as f32).to_bits()),
        Scalar::Bool => u64::from(value != 0),
        _ => mask(to, value as u64),
    }
}

fn from_float(value: f64, to: Scalar) -> u64 {
    match to {
        Scalar::F64 => value.to_bits(),
        Scalar::F32 => u64::from((value as f32).to_bits()),
        Scalar::Bool => u64::from(value != 0.0),
        _ => {
            let (least, greatest) = range(to);
            mask(to, (value as i128).clamp(least, greatest) as u64)
        }
    }
}

/// An arithmetic operation on two constants of one type; a shift's count is already of type `I64`.
pub(super) fn binary(op: BinaryOp, ty: Scalar, a: u64, b: u64) -> Option<u64> {
    match ty {
        Scalar::F64 => float_binary(op, f64::from_bits(a), f64::from_bits(b)).map(f64::to_bits),
        Scalar::F32 => {
            // One operation on two binary32 in binary64, rounded, is the binary32 operation.
            let (a, b) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
            let result = float_binary(op, f64::from(a), f64::from(b))? as f32;
            Some(u64::from(result.to_bits()))
        }
        _ => integer_binary(op, ty, a, b).map(|bits| mask(ty, bits)),
    }
}

fn float_binary(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        _ => return None,
    };
    (!result.is_nan()).then_some(result)
}

fn integer_binary(op: BinaryOp, ty: Scalar, a: u64, b: u64) -> Option<u64> {
    let (x, y) = (integer(ty, a)?, integer(ty, b)?);
    let count = (b % u64::from(ty.bytes() * 8)) as u32;
    Some(match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div if y != 0 => (x / y) as u64,
        BinaryOp::Rem if y != 0 => (x % y) as u64,
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Shl => a << count,
        BinaryOp::Shr => (x >> count) as u64,
        _ => return None,
    })
}

/// A comparison of two constants of one type.
pub(super) fn compare(op: CompareOp, ty: Scalar, a: u64, b: u64) -> bool {
    let order = match (integer(ty, a), integer(ty, b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => float(ty, a).partial_cmp(&float(ty, b)),
    };
    let Some(order) = order else {
        return op == CompareOp::Ne;
    };
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

/// The bits of the negated constant.
pub(super) fn negate(ty: Scalar, bits: u64) -> u64 {
    match ty {
        Scalar::F64 => bits ^ (1 << 63),
        Scalar::F32 => bits ^ (1 << 31),
        _ => mask(ty, bits.wrapping_neg()),
    }
}

/// The bits of the complemented integer constant.
pub(super) fn complement(ty: Scalar, bits: u64) -> u64 {
    mask(ty, !bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Scalar::{Bool, F32, F64, I8, I16, I32, I64, U8, U32, U64};

    #[test]
    fn common_types_are_those_of_lp64() {
        for (a, b, both) in [
            (I8, U8, I32),
            (I32, U32, U32),
            (U32, I64, I64),
            (I64, U64, U64),
            (I32, U64, U64),
            (Bool, Bool, I32),
            (F32, I64, F32),
            (F32, F64, F64),
            (I16, F32, F32),
        ] {
            assert_eq!(common(a, b), both);
            assert_eq!(common(b, a), both);
        }
    }

    #[test]
    fn constants_convert_as_code_does() {
        assert_eq!(convert(300, I32, U8), 44);
        assert_eq!(convert(1e30_f64.to_bits(), F64, I32), 0x7fff_ffff);
        assert_eq!(convert((-1.5_f64).to_bits(), F64, U32), 0);
        assert_eq!(convert(f64::NAN.to_bits(), F64, I64), 0);
        assert_eq!(convert(0xffff_ffff, I32, I64), u64::MAX);
        assert_eq!(
            convert(0.1_f64.to_bits(), F64, F32),
            u64::from(0.1_f32.to_bits())
        );
        assert_eq!(convert(2, I32, Bool), 1);
    }

    #[test]
    fn integer_folding_wraps_and_leaves_division_by_zero() {
        assert_eq!(
            binary(BinaryOp::Add, I32, 0x7fff_ffff, 1),
            Some(0x8000_0000)
        );
        assert_eq!(binary(BinaryOp::Div, I32, 1, 0), None);
        assert_eq!(
            binary(BinaryOp::Div, I32, 0x8000_0000, 0xffff_ffff),
            Some(0x8000_0000)
        );
        assert_eq!(
            binary(BinaryOp::Shr, I32, 0xffff_fffe, 1),
            Some(0xffff_ffff)
        );
    }
}
