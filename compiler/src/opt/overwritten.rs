//! Drops stores whose value is stored over before anything can load it.
//!
//! Within a run of statements without control flow, from its end. What a failing check leaves in memory is unspecified, so
//! checks do not keep stores alive.

use super::alias::{Touch, touch};
use super::simplify::Memory;
use crate::ir::{Block, Body, Op, Place, Stmt};
use std::collections::BTreeMap;

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
            pass.later.clear();
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
}

impl Overwritten {
    fn is_needed(&mut self, body: &Body, stmt: &Stmt) -> bool {
        if let Stmt::Clear(array) = stmt {
            self.later
                .remove(&super::simplify::memory(&Place::Array(*array)));
        }
        if !is_access(body, stmt) {
            return true;
        }
        let Some(own) = touch(body, stmt) else {
            return true;
        };
        let later = self.later.entry(own.memory()).or_default();
        if !own.is_store {
            later.retain(|store| !store.overlaps(&own));
            return true;
        }
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

/// Whether a statement loads from memory that is stored to, or stores.
fn is_access(body: &Body, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Store { .. } => true,
        Stmt::Let(value) => match body.values[*value].op {
            Op::Load { place, .. } => super::simplify::memory(&place) != Memory::Fixed,
            _ => false,
        },
        _ => false,
    }
}
