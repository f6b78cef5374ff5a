//! A nest that adds to several blocks of entries, as integrals of vector-valued elements do for each pair of components, becomes one
//! nest for each block, if all of those are updates.

use super::distribute::Entries;
use super::{RankUpdate, has_means};
use crate::ir::{Block, Body, For, Op, Place, Scalar, Stmt, Value, for_each_stmt};
use crate::opt::interchange;
use crate::opt::linear::Linear;
use crate::opt::simplify::memory;
use crate::opt::unroll::Copy;
use crate::target::Target;
use rustc_hash::FxHashSet;

/// The most blocks that one nest may become.
const NESTS_MAX: usize = 64;

/// Whether a nest adds to several blocks, on a target that has updates.
pub(in crate::opt) fn has_blocks(body: &Body, target: &Target) -> bool {
    let mut found = false;
    if has_means(Scalar::F64, target.level) {
        for_each_stmt(&body.root, &mut |stmt| {
            found = found || matches!(stmt, Stmt::For(it) if stored(body, it).is_some());
        });
    }
    found
}

/// Splits the nests of a body's root.
pub(in crate::opt) fn fission(body: &mut Body, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    block(body, &mut root, target, 1);
    body.root = root;
}

fn block(body: &mut Body, statements: &mut Block, target: &Target, trips: u64) {
    let mut kept = Block::with_capacity(statements.len());
    for mut stmt in std::mem::take(statements) {
        let (own, split) = match &stmt {
            Stmt::For(it) => (body.trips(it).unwrap_or(1), split(body, it, target, trips)),
            _ => (1, None),
        };
        match split {
            Some(nests) => kept.extend(nests),
            None => {
                for inner in stmt.blocks_mut() {
                    block(body, inner, target, own);
                }
                kept.push(stmt);
            }
        }
    }
    *statements = kept;
}

/// The nests that a loop becomes, each with what stood between the loops in front.
fn split(body: &mut Body, it: &For, target: &Target, trips: u64) -> Option<Block> {
    let stored = stored(body, it)?;
    let mut all = Block::new();
    let mut entries: Vec<Entries> = Vec::with_capacity(stored.len());
    for entry in &stored {
        let needed = needed(body, it, entry, &stored)?;
        let one = pruned(body, it, entry, &needed);
        let mut nest = Copy::new(body).block(&vec![Stmt::For(Box::new(one))]);
        interchange::block(body, &mut nest);
        let Some(Stmt::For(made)) = nest.last() else {
            return None;
        };
        let update = RankUpdate::inside(body, made, target, trips)?;
        let own = Entries::of(body, made, &update);
        if !entries.iter().all(|other| other.is_apart_from(&own)) {
            return None;
        }
        entries.push(own);
        all.extend(nest);
    }
    Some(all)
}

/// An entry that a nest stores to.
#[derive(PartialEq)]
struct Entry {
    place: Place,
    index: Linear,
}

/// The entries that the innermost of some loops stores to, if there are several and it does nothing else.
fn stored(body: &Body, it: &For) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let (_, columns) = levels(it);
    for stmt in &columns.body {
        match stmt {
            Stmt::Let(value) if !body.values[*value].op.can_fail() => {}
            Stmt::Store { place, index, .. } => {
                let index = Linear::of(body, *index);
                let entry = Entry {
                    place: *place,
                    index,
                };
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
            _ => return None,
        }
    }
    (2..=NESTS_MAX).contains(&entries.len()).then_some(entries)
}

/// What stands between two loops, and the inner one; or one alone.
fn levels(it: &For) -> (&[Stmt], &For) {
    match it.body.split_last() {
        Some((Stmt::For(inner), between)) => (between, inner),
        _ => (&[], it),
    }
}

fn is_of(body: &Body, stmt: &Stmt, entry: &Entry) -> bool {
    matches!(stmt, Stmt::Store { place, index, .. }
        if *place == entry.place && Linear::of(body, *index) == entry.index)
}

/// What the stores to an entry are computed from in a nest; `None` if that may be what the nest stores to another one.
fn needed(body: &Body, it: &For, entry: &Entry, stored: &[Entry]) -> Option<FxHashSet<Value>> {
    let (between, columns) = levels(it);
    let may_be_stored = |place: &Place| {
        let mut stored = stored.iter();
        stored.any(|other| memory(&other.place) == memory(place))
    };
    let mut needed = FxHashSet::from_iter([columns.lo, columns.hi]);
    for stmt in between.iter().chain(&columns.body).rev() {
        match stmt {
            Stmt::Let(value) if needed.contains(value) => {
                let op = &body.values[*value].op;
                if let Op::Load { place, index, .. } = op
                    && may_be_stored(place)
                    && (*place != entry.place || Linear::of(body, *index) != entry.index)
                {
                    return None;
                }
                needed.extend(operands(|f| op.for_each_operand(f)));
            }
            stmt if is_of(body, stmt, entry) => {
                needed.extend(operands(|f| stmt.for_each_operand(f)));
            }
            _ => {}
        }
    }
    Some(needed)
}

/// What a walk over operands comes by.
fn operands(walk: impl FnOnce(&mut dyn FnMut(Value))) -> Vec<Value> {
    let mut found = Vec::new();
    walk(&mut |value| found.push(value));
    found
}

/// A nest with what one entry needs alone.
fn pruned(body: &Body, it: &For, entry: &Entry, needed: &FxHashSet<Value>) -> For {
    let keeps = |stmt: &Stmt| match stmt {
        Stmt::Let(value) => needed.contains(value),
        Stmt::For(_) => true,
        stmt => is_of(body, stmt, entry),
    };
    let mut nest = it.clone();
    nest.body.retain(|stmt| keeps(stmt));
    if let Some(Stmt::For(inner)) = nest.body.last_mut() {
        inner.body.retain(|stmt| keeps(stmt));
    }
    nest
}
