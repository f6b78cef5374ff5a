//! What stays in memory because a loop would need more registers for it than there are.
//!
//! A kernel fills small arrays and then reads every entry in each trip of a loop, or adds to every one. Held in registers they would
//! be spilled one by one and brought together into vectors again; left in memory, two neighbours are one operand of an instruction.

use super::alias::access;
use super::effects::effects;
use super::simplify::memory;
use crate::ir::{Array, Block, Body, Place};
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
                let crowding = entries(body, inner).into_iter();
                for entries in crowding.filter(|entries| entries.len() > HELD_MAX) {
                    let arrays = entries.into_iter().map(|(array, _)| array);
                    arrays.for_each(|array| found[array] = true);
                }
            }
        }
    }
}

/// The entries of arrays that each trip of a loop reads and none changes, and those that it stores to, its inner loops apart.
fn entries(body: &Body, block: &Block) -> [BTreeSet<(Array, i64)>; 2] {
    let changed = effects(block);
    let [mut read, mut stored] = [BTreeSet::new(), BTreeSet::new()];
    let mut open = vec![block];
    while let Some(block) = open.pop() {
        for stmt in block {
            if let Some((place @ Place::Array(array), index, _, is_store)) = access(body, stmt)
                && let Some(at) = body.int_constant(index)
            {
                match is_store {
                    true => drop(stored.insert((array, at))),
                    false if changed.memory.contains(&memory(&place)) => {}
                    false => drop(read.insert((array, at))),
                }
            }
            if !stmt.is_loop() {
                open.extend(stmt.blocks());
            }
        }
    }
    [read, stored]
}
