//! Which types exist, and which operations they have.

use crate::ir::body::{BinaryOp, UnaryOp};
use crate::ir::limits::{LANES_MAX, VECTOR_BYTES_MAX};
use crate::ir::types::{Scalar, Type};

/// Whether values of a type may exist.
pub(super) fn is_valid(ty: Type) -> bool {
    match ty.lanes {
        1 => true,
        2 | 4 => {
            let fits = ty.bytes() <= VECTOR_BYTES_MAX && usize::from(ty.lanes) <= LANES_MAX;
            fits && ty.scalar != Scalar::Addr
        }
        _ => false,
    }
}

/// Whether bits are those of a constant of a scalar type.
pub(super) fn fits(bits: u64, scalar: Scalar) -> bool {
    match scalar {
        Scalar::Bool => bits <= 1,
        Scalar::Addr => false,
        _ => scalar.bytes() == 8 || bits >> (8 * scalar.bytes()) == 0,
    }
}

/// Whether a scalar has an operation of one operand.
pub(super) fn has_unary(op: UnaryOp, scalar: Scalar) -> bool {
    match op {
        UnaryOp::Neg => scalar.is_int() || scalar.is_float(),
        UnaryOp::Not => scalar.is_int() || scalar == Scalar::Bool,
        UnaryOp::Sqrt
        | UnaryOp::Abs
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Trunc
        | UnaryOp::Rint => scalar.is_float(),
    }
}

/// Whether a scalar has an operation of two operands.
pub(super) fn has_binary(op: BinaryOp, scalar: Scalar) -> bool {
    match op {
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Min
        | BinaryOp::Max => scalar.is_int() || scalar.is_float(),
        BinaryOp::Rem | BinaryOp::Shl | BinaryOp::Shr => scalar.is_int(),
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => scalar.is_int() || scalar == Scalar::Bool,
        BinaryOp::Copysign => scalar.is_float(),
    }
}
