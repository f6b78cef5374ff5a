//! Constants that variables start with, moved into the branch that keeps them.
//!
//! Increments start from nothing, and most branches say what becomes of them: what every way but one replaces is set on that way
//! alone.

use crate::ir::{Block, Body, Op, Stmt, Value, Var, for_each_stmt};
use std::collections::{BTreeMap, BTreeSet};

/// Moves constants into branches, in a body's root and the blocks inside.
pub(super) fn sink_constants(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    sink(body, &mut root);
    body.root = root;
}

/// Where a variable was set to a constant, which nothing has read or replaced since.
struct Start {
    at: usize,
    value: Value,
}

fn sink(body: &Body, statements: &mut Block) {
    let mut starts: BTreeMap<Var, Start> = BTreeMap::new();
    let mut moved = BTreeSet::new();
    for (at, stmt) in statements.iter_mut().enumerate() {
        if let Stmt::If { then, other, .. } = stmt {
            moved.extend(move_into(body, &mut starts, [then, other]));
        }
        for inner in stmt.blocks_mut() {
            sink(body, inner);
        }
        forget(body, &mut starts, stmt);
        if let Stmt::Set(var, value) = *stmt
            && body.constant(value).is_some()
        {
            starts.insert(var, Start { at, value });
        }
    }
    let mut at = 0..;
    statements.retain(|_| at.next().is_none_or(|at| !moved.contains(&at)));
}

/// Moves sets into the ways that do not replace them, where one does; says where they were.
fn move_into(body: &Body, starts: &mut BTreeMap<Var, Start>, ways: [&mut Block; 2]) -> Vec<usize> {
    if starts.is_empty() {
        return Vec::new();
    }
    let replaced = [0, 1].map(|way| replaced(body, ways[way], starts));
    let mut moved = Vec::new();
    let mut kept = [Block::new(), Block::new()];
    for var in &replaced[0] | &replaced[1] {
        let Some(start) = starts.remove(&var) else {
            continue;
        };
        moved.push(start.at);
        for (way, replaced) in kept.iter_mut().zip(&replaced) {
            if !replaced.contains(&var) {
                way.push(Stmt::Set(var, start.value));
            }
        }
    }
    for (way, kept) in ways.into_iter().zip(kept) {
        way.splice(..0, kept);
    }
    moved
}

/// The variables that a block sets before anything could see what they were.
fn replaced(body: &Body, block: &Block, starts: &BTreeMap<Var, Start>) -> BTreeSet<Var> {
    let (mut replaced, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for stmt in block {
        match stmt {
            Stmt::Set(var, _) if starts.contains_key(var) && !seen.contains(var) => {
                replaced.insert(*var);
            }
            Stmt::Set(..) => {}
            _ if leaves(stmt) => break,
            _ => for_each_mention(body, stmt, |var| {
                seen.insert(var);
            }),
        }
    }
    replaced
}

/// Forgets what a statement reads or replaces; all, if it goes elsewhere.
fn forget(body: &Body, starts: &mut BTreeMap<Var, Start>, stmt: &Stmt) {
    if starts.is_empty() {
        return;
    }
    if leaves(stmt) {
        starts.clear();
    }
    for_each_mention(body, stmt, |var| {
        starts.remove(&var);
    });
}

/// Whether a statement may go where its block does not.
fn leaves(stmt: &Stmt) -> bool {
    let is_jump = |stmt: &Stmt| matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_));
    let mut found = is_jump(stmt);
    for inner in stmt.blocks() {
        for_each_stmt(inner, &mut |stmt| found |= is_jump(stmt));
    }
    found
}

/// Calls `f` on each variable that a statement or one inside reads or sets.
fn for_each_mention(body: &Body, stmt: &Stmt, mut f: impl FnMut(Var)) {
    let mut own = |stmt: &Stmt| match stmt {
        Stmt::Set(var, _) => f(*var),
        Stmt::Let(value) => {
            if let Op::Get(var) = body.values[*value].op {
                f(var);
            }
        }
        _ => {}
    };
    own(stmt);
    for inner in stmt.blocks() {
        for_each_stmt(inner, &mut own);
    }
}
