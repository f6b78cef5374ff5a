//! Stores to one row stand together, so that the machine writes a cache line once and not in turns with others.
//!
//! Within a run of statements without control flow, a store sinks to the last store of its row, if nothing between touches what
//! it stores to. It sinks past a bounded number of statements, so that long runs take linear time.

use super::alias::{Touch, touch};
use super::runs::{each_run, is_control};
use crate::ir::{Block, Body, Place, Stmt, Value};
use std::collections::BTreeMap;

/// How many statements a store may sink past.
const DISTANCE_MAX: usize = 256;

/// Groups the stores of a body's root and the blocks inside.
pub(super) fn group_stores(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    group_in(body, &mut root);
    body.root = root;
}

/// Groups the stores of a block and the blocks inside.
pub(super) fn group_in(body: &Body, statements: &mut Block) {
    for inner in statements.iter_mut().flat_map(Stmt::blocks_mut) {
        group_in(body, inner);
    }
    each_run(statements, is_control, |run| sink(body, run));
}

/// The row that a store is to.
fn row(touch: &Touch) -> Option<Value> {
    match touch.place {
        Place::Row { addr, .. } if touch.is_store => Some(addr),
        _ => None,
    }
}

/// The run with its stores grouped.
fn sink(body: &Body, run: Block) -> Block {
    let is_row = |stmt: &&Stmt| {
        matches!(
            stmt,
            Stmt::Store {
                place: Place::Row { .. },
                ..
            }
        )
    };
    if run.iter().filter(is_row).nth(1).is_none() {
        return run;
    }
    let arriving = arriving(body, &run);
    if arriving.is_empty() {
        return run;
    }
    let mut statements: Vec<Option<Stmt>> = run.into_iter().map(Some).collect();
    let mut taken: BTreeMap<usize, Stmt> = BTreeMap::new();
    for at in arriving.values().flatten() {
        taken.extend(statements[*at].take().map(|stmt| (*at, stmt)));
    }
    let mut grouped = Block::with_capacity(statements.len());
    for (at, stmt) in statements.into_iter().enumerate() {
        let here = arriving.get(&at).into_iter().flatten().rev();
        grouped.extend(here.filter_map(|from| taken.remove(from)));
        grouped.extend(stmt);
    }
    grouped
}

/// The stores that go in front of a statement, by that, the last first.
fn arriving(body: &Body, run: &Block) -> BTreeMap<usize, Vec<usize>> {
    let accesses: Vec<(usize, Touch)> = (0..)
        .zip(run)
        .filter_map(|(at, stmt)| Some((at, touch(body, stmt)?)))
        .collect();
    // The last store of a row, by its place among the accesses.
    let mut last: BTreeMap<Value, usize> = BTreeMap::new();
    let mut arriving: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, (at, store)) in accesses.iter().enumerate().rev() {
        let Some(row) = row(store) else {
            continue;
        };
        let end = *last.entry(row).or_insert(place);
        let to = accesses[end].0;
        let mut between = accesses[place + 1..end.max(place + 1)].iter();
        let near = to > *at && to - at <= DISTANCE_MAX;
        if near && between.all(|(_, other)| !other.overlaps(store)) {
            arriving.entry(to).or_default().push(*at);
        } else {
            // What stays is where earlier ones may go.
            last.insert(row, place);
        }
    }
    // Some are there already.
    arriving.retain(|to, stores| !stores.iter().map(|at| to - at).eq(1..=stores.len()));
    arriving
}
