//! Runs: statements without control flow, one behind the other, which passes move about among themselves.

use crate::ir::{Block, Stmt};

/// Puts what `rewrite` makes of each run of a block in its place; what ends a run stays where it is.
pub(super) fn each_run(
    block: &mut Block,
    ends_run: impl Fn(&Stmt) -> bool,
    mut rewrite: impl FnMut(Block) -> Block,
) {
    let mut first = std::mem::take(block);
    let ends = first.iter().enumerate().filter(|(_, stmt)| ends_run(stmt));
    let ends: Vec<usize> = ends.map(|(at, _)| at).collect();
    // From the end on, so that each statement is moved once.
    let mut others: Vec<(Stmt, Block)> = Vec::with_capacity(ends.len());
    for at in ends.into_iter().rev() {
        let run = first.split_off(at + 1);
        others.extend(first.pop().map(|end| (end, run)));
    }
    *block = rewrite(first);
    for (end, run) in others.into_iter().rev() {
        block.push(end);
        block.append(&mut rewrite(run));
    }
}

/// Whether control flow has a part in a statement.
pub(super) fn is_control(stmt: &Stmt) -> bool {
    stmt.has_blocks() || matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_))
}
