//! Drops what nothing uses: instructions without effect, variables never read, what they hold only until they are set again, arrays
//! never loaded from.

use crate::ir::{
    Array, Block, Body, Loop, Op, Place, Stmt, Value, Var, for_each_operand, per_value,
};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// Removes dead statements from the blocks of a loop.
pub(super) fn remove_dead(it: &mut Loop) {
    let blocks: Vec<&Block> = it.blocks().collect();
    let live = Live::of(&it.body, &blocks);
    let wide = it.wide.as_mut().map(|wide| &mut wide.block);
    let mut root = std::mem::take(&mut it.body.root);
    let each = [&mut it.before, &mut root, &mut it.after];
    each.into_iter()
        .chain(wide)
        .for_each(|block| live.sweep(&it.body, block));
    it.body.root = root;
}

/// Statements without control flow, but for values that nothing uses.
pub(super) fn used(body: &Body, mut block: Block) -> Block {
    let mut uses: SecondaryMap<Value, bool> = per_value(body);
    let mut kept = Block::with_capacity(block.len());
    while let Some(stmt) = block.pop() {
        let is_used = match &stmt {
            Stmt::Let(value) => uses[*value] || body.values[*value].op.can_fail(),
            _ => true,
        };
        if is_used {
            for_each_operand(body, &stmt, |operand| uses[operand] = true);
            kept.push(stmt);
        }
    }
    kept.reverse();
    kept
}

/// What is used.
struct Live {
    values: SecondaryMap<Value, bool>,
    vars: SecondaryMap<Var, Holder>,
    arrays: SecondaryMap<Array, Holder>,
    /// Whether something became live whose writers have been passed.
    found: bool,
}

/// What is known of a variable or an array.
#[derive(Clone, Copy, Default)]
struct Holder {
    is_read: bool,
    /// Whether a statement that writes it was passed while nothing was known to read it.
    is_passed: bool,
}

impl Holder {
    /// Notes a reader, and says whether a writer has been passed in vain.
    fn read(&mut self) -> bool {
        !std::mem::replace(&mut self.is_read, true) && self.is_passed
    }

    /// Whether a writer is needed.
    fn is_written_for_some(&mut self) -> bool {
        self.is_passed |= !self.is_read;
        self.is_read
    }
}

impl Live {
    /// Marks all that is used by statements with effects, and by what those use: from the last statement to the first, so that a
    /// value's uses come before it.
    fn of(body: &Body, blocks: &[&Block]) -> Live {
        let mut live = Live {
            values: per_value(body),
            vars: SecondaryMap::with_capacity(body.vars.len()),
            arrays: SecondaryMap::new(),
            found: false,
        };
        loop {
            live.found = false;
            for block in blocks.iter().rev() {
                live.mark_block(body, block);
            }
            if !live.found {
                return live;
            }
        }
    }

    fn mark_block(&mut self, body: &Body, block: &Block) {
        for stmt in block.iter().rev() {
            for inner in stmt.blocks() {
                self.mark_block(body, inner);
            }
            let needed = match stmt {
                Stmt::Let(value) => {
                    self.mark_definition(body, *value);
                    continue;
                }
                Stmt::Set(var, _) => self.vars[*var].is_written_for_some(),
                Stmt::Store {
                    place: Place::Array(array),
                    ..
                } => self.arrays[*array].is_written_for_some(),
                _ => true,
            };
            if needed {
                stmt.for_each_operand(|value| self.values[value] = true);
            }
        }
    }

    fn mark_definition(&mut self, body: &Body, value: Value) {
        let op = &body.values[value].op;
        if op.can_fail() {
            self.values[value] = true;
        }
        if !self.values[value] {
            return;
        }
        self.found |= match op {
            Op::Get(var) => self.vars[*var].read(),
            Op::Load {
                place: Place::Array(array),
                ..
            } => self.arrays[*array].read(),
            _ => false,
        };
        op.for_each_operand(|value| self.values[value] = true);
    }

    fn is_read(&self, place: &Place) -> bool {
        match place {
            Place::Array(array) => self.arrays[*array].is_read,
            _ => true,
        }
    }

    fn sweep(&self, body: &Body, block: &mut Block) {
        for stmt in block.iter_mut() {
            for inner in stmt.blocks_mut() {
                self.sweep(body, inner);
            }
        }
        block.retain(|stmt| match stmt {
            Stmt::Let(value) => self.values[*value],
            Stmt::Set(var, _) => self.vars[*var].is_read,
            Stmt::Store { place, .. } => self.is_read(place),
            Stmt::Clear(array) => self.arrays[*array].is_read,
            Stmt::For(it) => !(it.body.is_empty() && body.trips(it).is_some()),
            Stmt::If { then, other, .. } => !(then.is_empty() && other.is_empty()),
            _ => true,
        });
        drop_overwritten(body, block);
    }
}

/// Drops what sets a variable that is set again in the same run of statements, and not read meanwhile.
fn drop_overwritten(body: &Body, block: &mut Block) {
    let mut set = BTreeSet::new();
    let mut dropped = Vec::new();
    for (at, stmt) in block.iter().enumerate().rev() {
        match stmt {
            Stmt::Set(var, _) if !set.insert(*var) => dropped.push(at),
            Stmt::Let(value) => {
                if let Op::Get(var) = body.values[*value].op {
                    set.remove(&var);
                }
            }
            Stmt::Set(..) | Stmt::Store { .. } | Stmt::Clear(_) => {}
            // What is inside may read it, or leave.
            _ => set.clear(),
        }
    }
    if dropped.is_empty() {
        return;
    }
    dropped.reverse();
    let mut next = dropped.into_iter().peekable();
    let mut at = 0;
    block.retain(|_| {
        let is_dropped = next.next_if_eq(&at).is_some();
        at += 1;
        !is_dropped
    });
}
