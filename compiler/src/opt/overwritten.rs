//! Drops stores and clears of what is stored over before anything can load it.
//!
//! Within a run of statements without control flow, from its end. What a failing check leaves in memory is unspecified, so
//! checks do not keep stores alive.

use super::alias::{Touch, access, touch};
use super::simplify::{Memory, memory};
use crate::ir::{Array, Block, Body, Place, Stmt};
use std::collections::{BTreeMap, BTreeSet};

/// How many stores of one memory are remembered at a time.
const REMEMBERED_MAX: usize = 32;

/// Drops overwritten stores from a body's root and the blocks inside.
pub(super) fn remove_overwritten(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    block(body, &mut root);
    body.root = root;
}

fn block(body: &Body, statements: &mut Block) {
    let mut pass = Overwritten::default();
    let mut kept = Block::with_capacity(statements.len());
    for mut stmt in std::mem::take(statements).into_iter().rev() {
        let mut control = matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_));
        for inner in stmt.blocks_mut() {
            control = true;
            block(body, inner);
        }
        if control {
            pass.pass_control(body, &stmt);
        }
        if pass.is_needed(body, &stmt) {
            kept.push(stmt);
        }
    }
    kept.reverse();
    *statements = kept;
}

/// Stores that nothing loads before they happen, the latest in the text first.
#[derive(Default)]
struct Overwritten {
    later: BTreeMap<Memory, Vec<Touch>>,
    /// Arrays that are wholly written.
    filled: BTreeSet<Array>,
}

impl Overwritten {
    /// What a statement with blocks, or one that leaves them, changes of what is known.
    fn pass_control(&mut self, body: &Body, stmt: &Stmt) {
        self.later.clear();
        self.filled.clear();
        if let Stmt::For(it) = stmt {
            self.filled = body.filled_by(it);
        }
    }

    fn is_clear_needed(&mut self, body: &Body, array: Array) -> bool {
        let later = self.later.remove(&memory(&Place::Array(array)));
        let len = body.arrays[array].len;
        let is_needed = !self.filled.contains(&array) && !covers(&later.unwrap_or_default(), len);
        self.filled.insert(array);
        is_needed
    }

    /// What a load needs is not overwritten before it.
    fn pass_load(&mut self, body: &Body, place: &Place, stmt: &Stmt) {
        if let Place::Array(array) = place {
            self.filled.remove(array);
        }
        let Some(later) = self.later.get_mut(&memory(place)) else {
            return;
        };
        if let Some(own) = touch(body, stmt) {
            later.retain(|store| !store.overlaps(&own));
        }
    }

    fn is_needed(&mut self, body: &Body, stmt: &Stmt) -> bool {
        if let Stmt::Clear(array) = stmt {
            return self.is_clear_needed(body, *array);
        }
        let Some((place, .., is_store)) = access(body, stmt) else {
            return true;
        };
        if !is_store {
            self.pass_load(body, &place, stmt);
            return true;
        }
        if matches!(place, Place::Array(array) if self.filled.contains(&array)) {
            return false;
        }
        let Some(own) = touch(body, stmt) else {
            return true;
        };
        let later = self.later.entry(own.memory()).or_default();
        let same = |store: &Touch| {
            store.place == own.place && store.index == own.index && store.ty == own.ty
        };
        if later.iter().any(same) {
            return false;
        }
        if later.len() == REMEMBERED_MAX {
            later.remove(0);
        }
        later.push(own);
        true
    }
}

/// Whether stores to one array write all its entries.
fn covers(stores: &[Touch], len: u64) -> bool {
    let entries = stores.iter().filter(|store| store.index.terms.is_empty());
    let written: BTreeSet<i64> = entries
        .flat_map(|store| (0..i64::from(store.ty.lanes)).map(|lane| store.index.constant + lane))
        .filter(|at| u64::try_from(*at).is_ok_and(|at| at < len))
        .collect();
    written.len() as u64 == len
}
