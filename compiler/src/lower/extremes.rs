//! The least or greatest so far, which elements carry: by a branch, or by an instruction.
//!
//! A branch is taken rightly nearly always, as later elements hardly change it, and no element waits for the one before. The
//! instruction is shorter, but each waits: it is for elements that do more than run while one waits for the other.

use crate::ir::{Body, CompareOp, Loop, Op, Stmt, Value, for_each_stmt};

/// So many instructions of an element run while one minimum or maximum does.
const INSTRUCTIONS_PER_EXTREME: usize = 16;

/// Whether a choice is the lesser or greater of two floats of which one is what a variable held.
pub(super) fn is_carried(
    body: &Body,
    [x, y]: [Value; 2],
    op: CompareOp,
    [a, b]: [Value; 2],
) -> bool {
    let is_extreme =
        [[x, y], [y, x]].contains(&[a, b]) && matches!(op, CompareOp::Lt | CompareOp::Gt);
    is_extreme
        && [a, b]
            .iter()
            .any(|v| matches!(body.values[*v].op, Op::Get(_)))
}

/// Whether the elements of a loop do so little that a branch is better.
pub(super) fn are_awaited(it: &Loop) -> bool {
    let (mut instructions, mut extremes) = (0, 0usize);
    for block in it.element_blocks() {
        for_each_stmt(block, &mut |stmt| {
            let Stmt::Let(value) = stmt else {
                return;
            };
            let body = &it.body;
            match body.values[*value].op {
                Op::Const(_) | Op::Get(_) => {}
                Op::Select(cond, a, b) => {
                    instructions += 1;
                    if let Op::Compare(op, x, y) = body.values[cond].op {
                        extremes += usize::from(is_carried(body, [x, y], op, [a, b]));
                    }
                }
                _ => instructions += 1,
            }
        });
    }
    instructions < extremes.saturating_mul(INSTRUCTIONS_PER_EXTREME)
}
