//! What statements cost, about: in quarters of a cycle of a machine with two units for floats and one for shuffles.

use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, UnaryOp};

/// What a branch costs besides its sides: some are mispredicted.
const BRANCH: u32 = 12;

/// The cost of a block without loops; of a branch, both sides count half.
pub(super) fn cost(body: &Body, block: &Block) -> u32 {
    block.iter().map(|stmt| of_statement(body, stmt)).sum()
}

fn of_statement(body: &Body, stmt: &Stmt) -> u32 {
    match stmt {
        Stmt::Let(value) => of_instruction(&body.values[*value]),
        Stmt::Store { .. } => 4,
        Stmt::If { then, other, .. } => BRANCH + (cost(body, then) + cost(body, other)) / 2,
        _ => 0,
    }
}

fn of_instruction(Inst { op, ty }: &Inst) -> u32 {
    let is_float = ty.scalar.is_float();
    match op {
        Op::Const(_) | Op::Get(_) | Op::Element | Op::ArgBase(_) => 0,
        Op::Unary(UnaryOp::Sqrt, _) => 18,
        Op::Binary(BinaryOp::Div | BinaryOp::Rem, ..) => 16,
        Op::Binary(BinaryOp::Min | BinaryOp::Max, ..) if is_float => 6,
        // A comparison in a register of its own, and a blend.
        Op::Select(..) if is_float && ty.lanes == 1 => 10,
        Op::Call(..) => 80,
        // A value in all lanes is mostly loaded so.
        Op::Splat(_) | Op::Load { .. } | Op::MapEntry { .. } => 2,
        Op::Lane(_, 0) => 0,
        Op::Lane(..) | Op::Shuffle(..) => 4,
        Op::RowAddr { .. } => 1,
        _ if is_float => 2,
        _ => 1,
    }
}
