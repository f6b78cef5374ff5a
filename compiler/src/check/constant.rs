//! Constant expressions: extents, case labels, tables. Evaluated on the tree, nothing is emitted.

use super::num::{self, Num};
use super::unit::{Entity, Unit};
use crate::ir::{BinaryOp, CompareOp, Scalar};
use crate::syntax::ast::{Base, Binary, Expr, ExprId, TypeId, Unary};
use smallvec::SmallVec;

/// The value of an expression outside functions.
pub(super) fn fold_unit(unit: &Unit<'_>, root: ExprId) -> Option<Num> {
    fold(unit, root, &|_| None)
}

/// The value of an expression; `local` knows those of locals and kernel constants.
pub(super) fn fold(
    unit: &Unit<'_>,
    id: ExprId,
    local: &dyn Fn(Entity) -> Option<Num>,
) -> Option<Num> {
    match unit.ast.expr(id) {
        Expr::Literal(at) => {
            let literal = unit.tokens.literals.get(at as usize)?;
            Some(Num::constant(literal.ty, literal.bits))
        }
        Expr::Bool(value) => Some(Num::int(i32::from(value))),
        Expr::Name(_) => match unit.entity(id) {
            Entity::Enumerator(value) => Some(Num::int(value)),
            Entity::Builtin(at) => super::builtin::value(at),
            Entity::Global(decl) => unit.global_value(decl),
            entity => local(entity),
        },
        Expr::Unary(op, operand) => unary(op, fold(unit, operand, local)?),
        Expr::Binary(..) => chain(unit, id, local),
        Expr::Conditional(cond, then, other) => {
            let cond = fold(unit, cond, local)?;
            let (then, other) = (fold(unit, then, local)?, fold(unit, other, local)?);
            let ty = num::common(then.ty, other.ty);
            let chosen = if is_true(cond) { then } else { other };
            Some(to(chosen, ty))
        }
        Expr::Cast(ty, operand) => Some(to(fold(unit, operand, local)?, scalar_type(unit, ty)?)),
        Expr::SizeofType(ty) => {
            let scalar = scalar_type(unit, ty)?;
            Some(Num::constant(Scalar::U64, u64::from(scalar.bytes())))
        }
        Expr::Assign(..) | Expr::Call(..) | Expr::Index(..) | Expr::SizeofValue(_) => None,
    }
}

/// The scalar of a type without steps.
pub(super) fn scalar_type(unit: &Unit<'_>, ty: TypeId) -> Option<Scalar> {
    let node = unit.ast.ty(ty);
    match node.base {
        Base::Scalar(scalar) if node.derived.len == 0 => Some(scalar),
        _ => None,
    }
}

/// A constant converted.
pub(super) fn to(value: Num, ty: Scalar) -> Num {
    match value.bits() {
        Some(bits) => Num::constant(ty, num::convert(bits, value.ty, ty)),
        None => value,
    }
}

fn is_true(value: Num) -> bool {
    value
        .bits()
        .is_some_and(|bits| num::convert(bits, value.ty, Scalar::Bool) != 0)
}

fn chain(unit: &Unit<'_>, id: ExprId, local: &dyn Fn(Entity) -> Option<Num>) -> Option<Num> {
    let mut operators: SmallVec<[(Binary, ExprId); 4]> = SmallVec::new();
    let mut first = id;
    while let Expr::Binary(op, left, right) = unit.ast.expr(first) {
        operators.push((op, right));
        first = left;
    }
    let mut left = fold(unit, first, local)?;
    for (op, right) in operators.into_iter().rev() {
        left = binary(op, left, fold(unit, right, local)?)?;
    }
    Some(left)
}

/// One operand.
pub(super) fn unary(op: Unary, value: Num) -> Option<Num> {
    let bits = value.bits()?;
    let ty = num::promote(value.ty);
    let promoted = num::convert(bits, value.ty, ty);
    Some(match op {
        Unary::Plus => Num::constant(ty, promoted),
        Unary::Neg => Num::constant(ty, num::negate(ty, promoted)),
        Unary::BitNot if ty.is_int() => Num::constant(ty, num::complement(ty, promoted)),
        Unary::Not => Num::int(i32::from(!is_true(value))),
        _ => return None,
    })
}

/// The IR operation of an arithmetic operator.
pub(super) fn arithmetic(op: Binary) -> Option<BinaryOp> {
    Some(match op {
        Binary::Mul => BinaryOp::Mul,
        Binary::Div => BinaryOp::Div,
        Binary::Rem => BinaryOp::Rem,
        Binary::Add => BinaryOp::Add,
        Binary::Sub => BinaryOp::Sub,
        Binary::Shl => BinaryOp::Shl,
        Binary::Shr => BinaryOp::Shr,
        Binary::BitAnd => BinaryOp::And,
        Binary::BitOr => BinaryOp::Or,
        Binary::BitXor => BinaryOp::Xor,
        _ => return None,
    })
}

/// The IR operation of a comparison.
pub(super) fn comparison(op: Binary) -> Option<CompareOp> {
    Some(match op {
        Binary::Lt => CompareOp::Lt,
        Binary::Le => CompareOp::Le,
        Binary::Gt => CompareOp::Gt,
        Binary::Ge => CompareOp::Ge,
        Binary::Eq => CompareOp::Eq,
        Binary::Ne => CompareOp::Ne,
        _ => return None,
    })
}

/// Two operands that are constants.
pub(super) fn binary(op: Binary, a: Num, b: Num) -> Option<Num> {
    let (a_bits, b_bits) = (a.bits()?, b.bits()?);
    match op {
        Binary::And => return Some(Num::int(i32::from(is_true(a) && is_true(b)))),
        Binary::Or => return Some(Num::int(i32::from(is_true(a) || is_true(b)))),
        Binary::Comma => return Some(b),
        _ => {}
    }
    let is_shift = matches!(op, Binary::Shl | Binary::Shr);
    let ty = if is_shift {
        num::promote(a.ty)
    } else {
        num::common(a.ty, b.ty)
    };
    let count = if is_shift { Scalar::I64 } else { ty };
    let x = num::convert(a_bits, a.ty, ty);
    let y = num::convert(b_bits, b.ty, count);
    if is_shift && !b.ty.is_int() && b.ty != Scalar::Bool {
        return None;
    }
    if let Some(compare) = comparison(op) {
        return Some(Num::int(i32::from(num::compare(compare, ty, x, y))));
    }
    let bits = num::binary(arithmetic(op)?, ty, x, y)?;
    Some(Num::constant(ty, bits))
}
