//! Updates of entries that are zero: microkernels need not load those, and what they fill needs not be cleared before.

use super::distribute::Entries;
use super::{Means, RankUpdate};
use crate::ir::{Array, Block, Body, For, Op, Place, Stmt, Value, for_each_stmt};
use crate::target::Target;
use std::collections::BTreeMap;

/// What becomes of an array that was cleared.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// Counters of the nests that are the first to touch the entries which they add to.
    pub(crate) nests: Vec<Value>,
    /// Whether they add to all entries, before anything else touches one.
    pub(crate) is_whole: bool,
}

/// Which statements of a block touch which arrays; found once for all arrays, so that time is linear in the block.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// By array: numbers of statements, ascending.
    by_array: BTreeMap<Array, Vec<usize>>,
    /// Numbers of statements that may leave the ones after them out.
    leaving: Vec<usize>,
}

impl Touched {
    /// Goes through a block, if it has arrays to clear and nests to fill them.
    pub(crate) fn of(body: &Body, block: &Block) -> Touched {
        let mut touched = Touched::default();
        let has = |wanted: fn(&Stmt) -> bool| block.iter().any(wanted);
        if has(|stmt| matches!(stmt, Stmt::Clear(_))) && has(Stmt::is_loop) {
            for (at, stmt) in block.iter().enumerate() {
                touched.note(body, at, stmt);
                for inner in stmt.blocks() {
                    for_each_stmt(inner, &mut |stmt| touched.note(body, at, stmt));
                }
            }
        }
        touched
    }

    fn note(&mut self, body: &Body, at: usize, stmt: &Stmt) {
        let place = match stmt {
            Stmt::Let(value) => match body.values[*value].op {
                Op::Load { place, .. } => Some(place),
                _ => None,
            },
            Stmt::Store { place, .. } => Some(*place),
            Stmt::Clear(array) => Some(Place::Array(*array)),
            Stmt::Exit(_) | Stmt::Continue(_) => {
                self.leaving.push(at);
                None
            }
            _ => None,
        };
        if let Some(Place::Array(array)) = place {
            let numbers = self.by_array.entry(array).or_default();
            if numbers.last() != Some(&at) {
                numbers.push(at);
            }
        }
    }

    /// The statements behind `at` that touch an array, up to one that may leave.
    fn behind(&self, at: usize, array: Array) -> impl Iterator<Item = usize> {
        let first = |numbers: &[usize]| numbers.partition_point(|number| *number <= at);
        let end = self.leaving.get(first(&self.leaving)).copied();
        let numbers = self.by_array.get(&array).map_or(&[][..], Vec::as_slice);
        let numbers = numbers[first(numbers)..].iter().copied();
        numbers.take_while(move |number| end.is_none_or(|end| *number < end))
    }
}

/// Finds the updates that are the first to touch an array behind statement `at` of a block, which clears it.
pub(crate) fn filled(
    body: &Body,
    (block, touched): (&Block, &Touched),
    at: usize,
    array: Array,
    target: &Target,
) -> Filled {
    let mut filled = Filled::default();
    let mut blocks: Vec<Entries> = Vec::new();
    let (mut entries, all) = (0, body.arrays[array].len);
    for number in touched.behind(at, array) {
        let Some((nest, update)) = update_of(body, &block[number], array, target) else {
            break;
        };
        let own = Entries::of(body, nest, &update);
        if blocks.iter().any(|known| !own.is_apart_from(known)) {
            break;
        }
        filled.nests.push(nest.counter);
        blocks.push(own);
        entries += update.rows * update.columns;
        if entries == all {
            filled.is_whole = true;
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
