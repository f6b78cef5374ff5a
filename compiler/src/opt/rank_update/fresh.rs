//! Updates of entries that are zero: microkernels need not load those, and what they fill needs not be cleared before.

use super::distribute::Entries;
use super::{Means, RankUpdate};
use crate::ir::{Array, Body, For, Op, Place, Stmt, Value, for_each_stmt};
use crate::target::Target;

/// What becomes of an array that was cleared.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// Counters of the nests that are the first to touch the entries which they add to.
    pub(crate) nests: Vec<Value>,
    /// Whether they add to all entries, before anything else touches one.
    pub(crate) is_whole: bool,
}

/// Finds the updates that come first in the statements after an array is cleared.
pub(crate) fn filled(body: &Body, rest: &[Stmt], array: Array, target: &Target) -> Filled {
    let mut filled = Filled::default();
    let mut blocks: Vec<Entries> = Vec::new();
    let (mut entries, all) = (0, body.arrays[array].len);
    for stmt in rest {
        if let Some((nest, update)) = update_of(body, stmt, array, target) {
            let block = Entries::of(body, nest, &update);
            if blocks.iter().any(|known| !block.is_apart_from(known)) {
                break;
            }
            filled.nests.push(nest.counter);
            blocks.push(block);
            entries += update.rows * update.columns;
            if entries == all {
                filled.is_whole = true;
                break;
            }
        } else if touches(body, stmt, array) {
            break;
        }
    }
    filled
}

/// The update of an array's entries that a microkernel runs, if a statement is one.
fn update_of<'a>(
    body: &Body,
    stmt: &'a Stmt,
    array: Array,
    target: &Target,
) -> Option<(&'a For, RankUpdate)> {
    let Stmt::For(nest) = stmt else {
        return None;
    };
    let update = RankUpdate::of(body, nest, target)?;
    let is_ours = update.entries.place == Place::Array(array) && update.entries.first.is_some();
    let means = update.means(target, 1).filter(|_| is_ours);
    matches!(means, Some(Means::Microkernel(_))).then_some((nest, update))
}

/// Whether a statement may touch an array, or leave the ones after it out.
fn touches(body: &Body, stmt: &Stmt, array: Array) -> bool {
    let ours = Place::Array(array);
    let mut found = false;
    let mut check = |stmt: &Stmt| match stmt {
        Stmt::Let(value) => {
            found |= matches!(body.values[*value].op, Op::Load { place, .. } if place == ours);
        }
        Stmt::Store { place, .. } => found |= *place == ours,
        Stmt::Clear(other) => found |= *other == array,
        Stmt::Exit(_) | Stmt::Continue(_) => found = true,
        _ => {}
    };
    check(stmt);
    for inner in stmt.blocks() {
        for_each_stmt(inner, &mut check);
    }
    found
}
