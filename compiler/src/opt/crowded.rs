//! What stays in memory because a loop would need more registers for it than there are.
//!
//! A kernel fills small arrays and then reads every entry in each trip of a loop, or adds to every one. Held in registers they would
//! be spilled one by one and brought together into vectors again; left in memory, two neighbours are one operand of an instruction.

use super::effects::effects;
use super::simplify::memory;
use crate::ir::{Array, Block, Body, Op, Place, Stmt};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// How many entries a loop may hold in registers.
const HELD_MAX: usize = 24;

/// The arrays that stay in memory.
pub(super) type Crowded = SecondaryMap<Array, bool>;

/// Finds the arrays whose entries crowd a loop by constant index: those it reads and does not store to, or those it stores to.
pub(super) fn crowded(body: &Body) -> Crowded {
    let mut found = Crowded::new();
    if !body.arrays.is_empty() {
        loops_of(body, &body.root, &mut found);
    }
    found
}

fn loops_of(body: &Body, block: &Block, found: &mut Crowded) {
    for stmt in block {
        for inner in stmt.blocks() {
            loops_of(body, inner, found);
            if stmt.is_loop() {
                for entries in [entries_read(body, inner), entries_stored(body, inner)] {
                    if entries.len() > HELD_MAX {
                        entries
                            .into_iter()
                            .for_each(|(array, _)| found[array] = true);
                    }
                }
            }
        }
    }
}

/// The entries of arrays that each trip of a loop reads, its inner loops apart, and none changes.
fn entries_read(body: &Body, block: &Block) -> BTreeSet<(Array, i64)> {
    let changed = effects(block);
    let mut read = BTreeSet::new();
    let mut open = vec![block];
    while let Some(block) = open.pop() {
        for stmt in block {
            if let Stmt::Let(value) = stmt
                && let Op::Load { place, index, .. } = body.values[*value].op
                && let Place::Array(array) = place
                && !changed.memory.contains(&memory(&place))
                && let Some(at) = body.int_constant(index)
            {
                read.insert((array, at));
            }
            if !stmt.is_loop() {
                open.extend(stmt.blocks());
            }
        }
    }
    read
}

/// The entries of arrays that each trip of a loop stores to, its inner loops apart.
fn entries_stored(body: &Body, block: &Block) -> BTreeSet<(Array, i64)> {
    let mut stored = BTreeSet::new();
    let mut open = vec![block];
    while let Some(block) = open.pop() {
        for stmt in block {
            if let Stmt::Store {
                place: Place::Array(array),
                index,
                ..
            } = stmt
                && let Some(at) = body.int_constant(*index)
            {
                stored.insert((*array, at));
            }
            if !stmt.is_loop() {
                open.extend(stmt.blocks());
            }
        }
    }
    stored
}
