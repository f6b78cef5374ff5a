//! What an instruction is when its operands are known: a constant, or one of its operands.
//!
//! Exact only: IEEE arithmetic as the machine would do it, nothing that is or may become NaN, no host function.

use crate::ir::{BinaryOp, Body, CompareOp, Op, Scalar, Type, UnaryOp, Value};

/// What an instruction turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Folded {
    /// A constant by its bits.
    Const(u64),
    /// Another value.
    Same(Value),
}

/// Folds an instruction of type `ty`, if that can be done.
pub(super) fn fold(body: &Body, op: &Op, ty: Type) -> Option<Folded> {
    if ty.lanes > 1 {
        return None;
    }
    match *op {
        Op::Unary(op, a) => unary(op, body.constant(a)?, ty.scalar).map(Folded::Const),
        Op::Binary(op, a, b) => binary(body, op, a, b, ty.scalar),
        Op::Compare(op, a, b) => {
            let scalar = body.ty(a).scalar;
            let result = compare(op, body.constant(a)?, body.constant(b)?, scalar);
            Some(Folded::Const(u64::from(result)))
        }
        Op::Select(c, a, b) => match body.constant(c) {
            Some(0) => Some(Folded::Same(b)),
            Some(_) => Some(Folded::Same(a)),
            None if a == b => Some(Folded::Same(a)),
            None => None,
        },
        Op::Convert(a) => {
            let from = body.ty(a).scalar;
            match from == ty.scalar {
                true => Some(Folded::Same(a)),
                false => convert(body.constant(a)?, from, ty.scalar).map(Folded::Const),
            }
        }
        Op::CheckIndex { index, len, .. } => {
            let at = u64::try_from(body.int_constant(index)?).ok()?;
            (at < len).then_some(Folded::Same(index))
        }
        Op::CheckDivisor { divisor, .. } => {
            (body.int_constant(divisor)? != 0).then_some(Folded::Same(divisor))
        }
        _ => None,
    }
}

fn unary(op: UnaryOp, bits: u64, scalar: Scalar) -> Option<u64> {
    if scalar.is_float() {
        let double = |f: fn(f64) -> f64| from_f64(f(f64_of(bits, scalar)), scalar);
        return match op {
            UnaryOp::Neg => Some(bits ^ sign_bit(scalar)),
            UnaryOp::Abs => Some(bits & !sign_bit(scalar)),
            // A double's square root, rounded again, is the float's.
            UnaryOp::Sqrt => double(f64::sqrt),
            UnaryOp::Floor => double(f64::floor),
            UnaryOp::Ceil => double(f64::ceil),
            UnaryOp::Trunc => double(f64::trunc),
            UnaryOp::Rint => double(f64::round_ties_even),
            UnaryOp::Not => None,
        };
    }
    match op {
        UnaryOp::Neg => Some(wrap(signed(bits, scalar).wrapping_neg(), scalar)),
        UnaryOp::Not if scalar == Scalar::Bool => Some(bits ^ 1),
        UnaryOp::Not => Some(wrap(!signed(bits, scalar), scalar)),
        _ => None,
    }
}

fn binary(body: &Body, op: BinaryOp, a: Value, b: Value, scalar: Scalar) -> Option<Folded> {
    let (left, right) = (body.constant(a), body.constant(b));
    if let (Some(left), Some(right)) = (left, right) {
        let bits = match scalar.is_float() {
            true => float_binary(op, left, right, scalar),
            false => int_binary(op, left, right, scalar, body.ty(b).scalar),
        };
        return bits.map(Folded::Const);
    }
    match scalar.is_float() {
        true => float_identity(op, left, right, scalar, a, b),
        false => int_identity(op, left, right, scalar, a, b),
    }
}

/// `x * 1`, `x / 1`, `x - (+0)` and `x + (-0)` are `x`, signs of zero included.
fn float_identity(
    op: BinaryOp,
    left: Option<u64>,
    right: Option<u64>,
    scalar: Scalar,
    a: Value,
    b: Value,
) -> Option<Folded> {
    let one = from_f64(1.0, scalar);
    let minus_zero = Some(sign_bit(scalar));
    match op {
        BinaryOp::Mul if left == one => Some(Folded::Same(b)),
        BinaryOp::Mul | BinaryOp::Div if right == one => Some(Folded::Same(a)),
        BinaryOp::Add if left == minus_zero => Some(Folded::Same(b)),
        BinaryOp::Add if right == minus_zero => Some(Folded::Same(a)),
        BinaryOp::Sub if right == Some(0) => Some(Folded::Same(a)),
        _ => None,
    }
}

fn int_identity(
    op: BinaryOp,
    left: Option<u64>,
    right: Option<u64>,
    scalar: Scalar,
    a: Value,
    b: Value,
) -> Option<Folded> {
    match (op, left, right) {
        (BinaryOp::Add | BinaryOp::Or | BinaryOp::Xor, Some(0), _) => Some(Folded::Same(b)),
        (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Or | BinaryOp::Xor, _, Some(0)) => {
            Some(Folded::Same(a))
        }
        (BinaryOp::Shl | BinaryOp::Shr, _, Some(0)) => Some(Folded::Same(a)),
        (BinaryOp::Mul, Some(1), _) => Some(Folded::Same(b)),
        (BinaryOp::Mul | BinaryOp::Div, _, Some(1)) => Some(Folded::Same(a)),
        (BinaryOp::Mul | BinaryOp::And, Some(0), _) => Some(Folded::Const(0)),
        (BinaryOp::Mul | BinaryOp::And, _, Some(0)) => Some(Folded::Const(0)),
        (BinaryOp::And, Some(1), _) if scalar == Scalar::Bool => Some(Folded::Same(b)),
        (BinaryOp::And, _, Some(1)) if scalar == Scalar::Bool => Some(Folded::Same(a)),
        (BinaryOp::Or, Some(1), _) | (BinaryOp::Or, _, Some(1)) if scalar == Scalar::Bool => {
            Some(Folded::Const(1))
        }
        _ => None,
    }
}

fn float_binary(op: BinaryOp, left: u64, right: u64, scalar: Scalar) -> Option<u64> {
    let (a, b) = (f64_of(left, scalar), f64_of(right, scalar));
    if a.is_nan() || b.is_nan() {
        return None;
    }
    if scalar == Scalar::F32 {
        let (a, b) = (a as f32, b as f32);
        let result = match op {
            BinaryOp::Add => a + b,
            BinaryOp::Sub => a - b,
            BinaryOp::Mul => a * b,
            BinaryOp::Div => a / b,
            _ => return None,
        };
        return (!result.is_nan()).then(|| u64::from(result.to_bits()));
    }
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        _ => return None,
    };
    from_f64(result, scalar)
}

fn int_binary(op: BinaryOp, left: u64, right: u64, scalar: Scalar, count: Scalar) -> Option<u64> {
    let (a, b) = (signed(left, scalar), signed(right, scalar));
    let shift = (signed(right, count) as u64) % u64::from(scalar.bytes() * 8);
    let result = match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::Div | BinaryOp::Rem if b == 0 => return None,
        BinaryOp::Div if scalar.is_signed() => a.wrapping_div(b),
        BinaryOp::Rem if scalar.is_signed() => a.wrapping_rem(b),
        BinaryOp::Div => (left / right) as i64,
        BinaryOp::Rem => (left % right) as i64,
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Shl => a.wrapping_shl(shift as u32),
        BinaryOp::Shr if scalar.is_signed() => a >> shift,
        BinaryOp::Shr => (left >> shift) as i64,
        BinaryOp::Min | BinaryOp::Max | BinaryOp::Copysign => return None,
    };
    Some(wrap(result, scalar))
}

fn compare(op: CompareOp, left: u64, right: u64, scalar: Scalar) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match scalar {
        s if s.is_float() => f64_of(left, s).partial_cmp(&f64_of(right, s)),
        s if s.is_signed() => Some(signed(left, s).cmp(&signed(right, s))),
        _ => Some(left.cmp(&right)),
    };
    match op {
        CompareOp::Eq => order == Some(Equal),
        CompareOp::Ne => order != Some(Equal),
        CompareOp::Lt => order == Some(Less),
        CompareOp::Le => matches!(order, Some(Less | Equal)),
        CompareOp::Gt => order == Some(Greater),
        CompareOp::Ge => matches!(order, Some(Greater | Equal)),
    }
}

fn convert(bits: u64, from: Scalar, to: Scalar) -> Option<u64> {
    if from == Scalar::Addr || to == Scalar::Addr {
        return None;
    }
    if from.is_float() {
        let value = f64_of(bits, from);
        return match to {
            _ if value.is_nan() => None,
            Scalar::Bool => Some(u64::from(value != 0.0)),
            Scalar::F32 | Scalar::F64 => from_f64(value, to),
            _ => Some(saturate(value, to)),
        };
    }
    match to {
        Scalar::Bool => Some(u64::from(bits != 0)),
        Scalar::F64 if from.is_signed() => Some((signed(bits, from) as f64).to_bits()),
        Scalar::F64 => Some((bits as f64).to_bits()),
        Scalar::F32 if from.is_signed() => Some(u64::from((signed(bits, from) as f32).to_bits())),
        Scalar::F32 => Some(u64::from((bits as f32).to_bits())),
        _ => Some(wrap(signed(bits, from), to)),
    }
}

/// Truncated towards zero, clamped to the type's range.
fn saturate(value: f64, to: Scalar) -> u64 {
    match to {
        Scalar::I8 => wrap(i64::from(value as i8), to),
        Scalar::I16 => wrap(i64::from(value as i16), to),
        Scalar::I32 => wrap(i64::from(value as i32), to),
        Scalar::I64 => value as i64 as u64,
        Scalar::U8 => u64::from(value as u8),
        Scalar::U16 => u64::from(value as u16),
        Scalar::U32 => u64::from(value as u32),
        _ => value as u64,
    }
}

/// The number that the bits of an integer mean, as `i64` (for `u64`: the same bits).
fn signed(bits: u64, scalar: Scalar) -> i64 {
    match scalar {
        Scalar::I8 => i64::from(bits as i8),
        Scalar::I16 => i64::from(bits as i16),
        Scalar::I32 => i64::from(bits as i32),
        _ => bits as i64,
    }
}

/// The low bits of a number, zero-extended.
fn wrap(value: i64, scalar: Scalar) -> u64 {
    match scalar.bytes() {
        1 => u64::from(value as u8),
        2 => u64::from(value as u16),
        4 => u64::from(value as u32),
        _ => value as u64,
    }
}

fn f64_of(bits: u64, scalar: Scalar) -> f64 {
    match scalar {
        Scalar::F32 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

/// Rounded to the type; `None` for NaN.
fn from_f64(value: f64, scalar: Scalar) -> Option<u64> {
    let bits = match scalar {
        Scalar::F32 => u64::from((value as f32).to_bits()),
        _ => value.to_bits(),
    };
    (!value.is_nan()).then_some(bits)
}

fn sign_bit(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F32 => 1 << 31,
        _ => 1 << 63,
    }
}
