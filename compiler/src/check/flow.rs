//! Where control goes: whether a statement ends, and whether it returns on every path. Asked of trees, nothing is emitted.

use super::unit::Unit;
use crate::syntax::ast::{Expr, Full, Stmt, StmtId};

/// Whether nothing runs after the statement because it returns (or never ends).
pub(super) fn returns(unit: &Unit<'_>, id: StmtId) -> bool {
    match unit.ast.stmt(id) {
        Stmt::Return(_) => true,
        Stmt::Block(list) => unit.ast.stmt_lists[list.range()]
            .iter()
            .any(|stmt| returns(unit, *stmt)),
        Stmt::If(..) => {
            let (sides, has_else) = sides(unit, id);
            has_else && sides.iter().all(|side| returns(unit, *side))
        }
        Stmt::While(cond, body) => is_always(unit, cond) && !breaks(unit, body),
        Stmt::DoWhile(body, cond) => {
            returns(unit, body) || (is_always(unit, cond) && !breaks(unit, body))
        }
        Stmt::For { cond, body, .. } => {
            cond.is_none_or(|cond| is_always(unit, cond)) && !breaks(unit, body)
        }
        Stmt::Switch(_, body) => switch_returns(unit, body),
        _ => false,
    }
}

/// The sides of a chain of `else if`, and whether it ends with an `else`.
fn sides(unit: &Unit<'_>, id: StmtId) -> (Vec<StmtId>, bool) {
    let mut sides = Vec::new();
    let mut next = id;
    while let Stmt::If(_, then, other) = unit.ast.stmt(next) {
        sides.push(then);
        match other {
            Some(other) => next = other,
            None => return (sides, false),
        }
    }
    sides.push(next);
    (sides, true)
}

fn is_always(unit: &Unit<'_>, cond: Full) -> bool {
    match unit.ast.expr(cond.root) {
        Expr::Literal(at) => unit.tokens.literals[at as usize].bits != 0,
        Expr::Bool(value) => value,
        _ => false,
    }
}

/// A switch returns if it has a default, its last section returns and nothing breaks out.
fn switch_returns(unit: &Unit<'_>, body: StmtId) -> bool {
    let Stmt::Block(list) = unit.ast.stmt(body) else {
        return false;
    };
    let stmts = &unit.ast.stmt_lists[list.range()];
    let has_default = stmts.iter().any(|s| unit.ast.stmt(*s) == Stmt::Default);
    let ends = stmts.last().is_some_and(|last| returns(unit, *last));
    has_default && ends && !breaks(unit, body)
}

/// Whether a `break` leaves the loop or switch whose body this is.
pub(super) fn breaks(unit: &Unit<'_>, id: StmtId) -> bool {
    match unit.ast.stmt(id) {
        Stmt::Break => true,
        Stmt::Block(list) => unit.ast.stmt_lists[list.range()]
            .iter()
            .any(|stmt| breaks(unit, *stmt)),
        Stmt::If(..) => sides(unit, id).0.iter().any(|side| breaks(unit, *side)),
        _ => false,
    }
}
