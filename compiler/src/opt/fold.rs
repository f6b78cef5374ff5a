//! What an instruction is when its operands are known: a constant, or one of its operands.
//!
//! Exact only: IEEE arithmetic as the machine would do it, nothing that is or may become NaN, no host function.

use crate::ir::{BinaryOp, Body, CompareOp, Op, Scalar, Type, UnaryOp, Value, eval};

/// What an instruction turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Folded {
    /// A constant by its bits.
    Const(u64),
    /// Another value.
    Same(Value),
    /// A simpler instruction.
    Op(Op),
}

/// Folds an instruction of type `ty`, if that can be done.
pub(super) fn fold(body: &Body, op: &Op, ty: Type) -> Option<Folded> {
    if ty.lanes > 1 {
        return None;
    }
    match *op {
        Op::Unary(op, a) => unary(body, op, a, ty.scalar),
        Op::Binary(op, a, b) => binary(body, op, a, b, ty.scalar),
        Op::Compare(op, a, b) => {
            let scalar = body.ty(a).scalar;
            let result = eval::compare(op, scalar, body.constant(a)?, body.constant(b)?);
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
                false => {
                    let bits = eval::convert(from, ty.scalar, body.constant(a)?);
                    unless_nan(ty.scalar, bits).map(Folded::Const)
                }
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

/// Bits that are not a NaN's: what folds to NaN is left to the machine.
fn unless_nan(scalar: Scalar, bits: u64) -> Option<u64> {
    let nan = match scalar {
        Scalar::F32 => f32::from_bits(bits as u32).is_nan(),
        Scalar::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    };
    (!nan).then_some(bits)
}

fn unary(body: &Body, op: UnaryOp, a: Value, scalar: Scalar) -> Option<Folded> {
    if let Some(operand) = body.constant(a) {
        let bits = eval::unary(op, scalar, operand);
        return unless_nan(scalar, bits).map(Folded::Const);
    }
    match (op, &body.values[a].op) {
        (UnaryOp::Neg, Op::Unary(UnaryOp::Neg, inner)) => Some(Folded::Same(*inner)),
        (UnaryOp::Abs, Op::Unary(UnaryOp::Neg, inner)) if scalar.is_float() => {
            Some(Folded::Op(Op::Unary(UnaryOp::Abs, *inner)))
        }
        _ => None,
    }
}

fn binary(body: &Body, op: BinaryOp, a: Value, b: Value, scalar: Scalar) -> Option<Folded> {
    let (left, right) = (body.constant(a), body.constant(b));
    if let (Some(left), Some(right)) = (left, right) {
        let bits = eval::binary(op, scalar, left, right)?;
        return unless_nan(scalar, bits).map(Folded::Const);
    }
    match scalar.is_float() {
        true => float_identity(op, left, right, scalar, a, b)
            .or_else(|| signs(body, op, a, b))
            .or_else(|| combined(body, op, a, b)),
        false => int_identity(op, left, right, scalar, a, b),
    }
}

/// `x * 1`, `x / 1`, `x - (+0)` and `x + (-0)` are `x`, and `-0 - x` is `-x`, signs of zero included.
fn float_identity(
    op: BinaryOp,
    left: Option<u64>,
    right: Option<u64>,
    scalar: Scalar,
    a: Value,
    b: Value,
) -> Option<Folded> {
    let one = Some(one(scalar));
    let minus_zero = Some(sign_bit(scalar));
    match op {
        BinaryOp::Mul if left == one => Some(Folded::Same(b)),
        BinaryOp::Mul | BinaryOp::Div if right == one => Some(Folded::Same(a)),
        BinaryOp::Add if left == minus_zero => Some(Folded::Same(b)),
        BinaryOp::Add if right == minus_zero => Some(Folded::Same(a)),
        BinaryOp::Sub if right == Some(0) => Some(Folded::Same(a)),
        BinaryOp::Sub if left == minus_zero => Some(Folded::Op(Op::Unary(UnaryOp::Neg, b))),
        _ => None,
    }
}

/// The smaller of `b` and what is already the smaller of it and something else; the larger likewise.
fn combined(body: &Body, op: BinaryOp, a: Value, b: Value) -> Option<Folded> {
    let Op::Select(cond, better, old) = body.values[a].op else {
        return None;
    };
    let is_better = match (op, &body.values[cond].op) {
        (BinaryOp::Min, Op::Compare(CompareOp::Lt, x, y)) => (*x, *y) == (better, b),
        (BinaryOp::Min, Op::Compare(CompareOp::Gt, x, y)) => (*x, *y) == (b, better),
        (BinaryOp::Max, Op::Compare(CompareOp::Gt, x, y)) => (*x, *y) == (better, b),
        (BinaryOp::Max, Op::Compare(CompareOp::Lt, x, y)) => (*x, *y) == (b, better),
        _ => false,
    };
    (is_better && old == b).then_some(Folded::Same(a))
}

/// Adding what was negated is subtracting it, and the other way round; both are exact.
fn signs(body: &Body, op: BinaryOp, a: Value, b: Value) -> Option<Folded> {
    let negated = |value: Value| match body.values[value].op {
        Op::Unary(UnaryOp::Neg, inner) => Some(inner),
        _ => None,
    };
    let simpler = |op, a, b| Some(Folded::Op(Op::Binary(op, a, b)));
    match (op, negated(a), negated(b)) {
        (BinaryOp::Add, _, Some(b)) => simpler(BinaryOp::Sub, a, b),
        (BinaryOp::Add, Some(a), None) => simpler(BinaryOp::Sub, b, a),
        (BinaryOp::Sub, _, Some(b)) => simpler(BinaryOp::Add, a, b),
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

/// The bits of 1.
fn one(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F32 => u64::from(1f32.to_bits()),
        _ => 1f64.to_bits(),
    }
}

/// The bit that holds a float's sign.
pub(super) fn sign_bit(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::F32 => 1 << 31,
        _ => 1 << 63,
    }
}
