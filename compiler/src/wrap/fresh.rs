//! Locals of the kernel that an element could see from the one before are zeroed first.
//!
//! A local without initialiser is zero when the kernel begins, and so is what an initialiser leaves out; variables and arrays
//! of a loop are zero only when the loop is called. Skipped are those that are written, whole, before anything reads them.

use super::Wrap;
use crate::ir::{Array, Block, Body, For, Op, Place, Scalar, Stmt, Value, Var, for_each_stmt};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

impl Wrap<'_> {
    /// Zeroes what needs it.
    pub(super) fn clear_locals(&mut self) {
        let kernel = &self.kernel.body;
        let mut uses = Uses::new(kernel);
        uses.walk(&kernel.root);
        for (var, ty) in kernel.vars.iter() {
            if uses.vars[var] == Use::Stale {
                let zero = self.builder.constant(0, *ty);
                self.builder.push(Stmt::Set(var, zero));
            }
        }
        for array in kernel.arrays.keys() {
            if uses.arrays[array] == Use::Stale {
                self.builder.push(Stmt::Clear(array));
            }
        }
    }
}

/// What is known of a local at some point of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Use {
    /// Neither read nor wholly written yet.
    #[default]
    None,
    /// Read, perhaps, before it was written.
    Stale,
    /// Written before anything read it.
    Written,
}

struct Uses<'a> {
    body: &'a Body,
    vars: SecondaryMap<Var, Use>,
    arrays: SecondaryMap<Array, Use>,
    /// Entries of arrays that were written one by one.
    entries: SecondaryMap<Array, BTreeSet<i64>>,
    /// Whether statements that come now may have been left out.
    skipped: bool,
}

impl<'a> Uses<'a> {
    fn new(body: &'a Body) -> Uses<'a> {
        Uses {
            body,
            vars: SecondaryMap::new(),
            arrays: SecondaryMap::new(),
            entries: SecondaryMap::new(),
            skipped: false,
        }
    }

    fn read_var(&mut self, var: Var) {
        if self.vars[var] == Use::None {
            self.vars[var] = Use::Stale;
        }
    }

    fn read_array(&mut self, array: Array) {
        if self.arrays[array] == Use::None {
            self.arrays[array] = Use::Stale;
        }
    }

    fn write_array(&mut self, array: Array) {
        if self.arrays[array] == Use::None && !self.skipped {
            self.arrays[array] = Use::Written;
        }
    }

    fn walk(&mut self, block: &Block) {
        for stmt in block {
            match stmt {
                Stmt::Set(var, _) if self.vars[*var] == Use::None && !self.skipped => {
                    self.vars[*var] = Use::Written;
                }
                Stmt::Store {
                    place: Place::Array(array),
                    index,
                    ..
                } => self.store(*array, *index),
                Stmt::Clear(array) => self.write_array(*array),
                Stmt::Block { body, .. } => self.walk(body),
                Stmt::For(it) => {
                    if let Some(array) = self.filled(it) {
                        self.write_array(array);
                    }
                    self.nested(stmt);
                }
                Stmt::Exit(_) | Stmt::Continue(_) => self.skipped = true,
                stmt => self.nested(stmt),
            }
        }
    }

    fn store(&mut self, array: Array, index: Value) {
        let Some(at) = self.body.int_constant(index) else {
            return self.read_array(array);
        };
        self.entries[array].insert(at);
        let data = &self.body.arrays[array];
        // One lane a store: kernels have no vectors yet.
        if self.entries[array].len() as u64 >= data.len && data.scalar != Scalar::Addr {
            self.write_array(array);
        }
    }

    /// A statement of which parts may run or not: all that it mentions counts as read.
    fn nested(&mut self, stmt: &Stmt) {
        self.mention(stmt);
        for inner in stmt.blocks() {
            for_each_stmt(inner, &mut |stmt| self.mention(stmt));
        }
    }

    fn mention(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => match self.body.values[*value].op {
                Op::Get(var) => self.read_var(var),
                Op::Load {
                    place: Place::Array(array),
                    ..
                } => self.read_array(array),
                _ => {}
            },
            Stmt::Set(var, _) => self.read_var(*var),
            Stmt::Store {
                place: Place::Array(array),
                ..
            }
            | Stmt::Clear(array) => self.read_array(*array),
            Stmt::Exit(_) | Stmt::Continue(_) => self.skipped = true,
            _ => {}
        }
    }

    /// The array that a loop fills from end to end, each entry before anything of it is read.
    fn filled(&self, it: &For) -> Option<Array> {
        let first = it.body.iter().find_map(|stmt| match stmt {
            Stmt::Let(value) => match self.body.values[*value].op {
                Op::Load {
                    place: Place::Array(_),
                    ..
                } => Some(None),
                _ => None,
            },
            Stmt::Store {
                place: Place::Array(array),
                index,
                ..
            } => Some((*index == it.counter).then_some(*array)),
            stmt => stmt.blocks().next().map(|_| None),
        });
        let array = first??;
        let whole = self.body.int_constant(it.lo) == Some(0)
            && self.body.int_constant(it.hi) == Some(self.body.arrays[array].len as i64)
            && it.step == 1;
        // Later statements of the body could read entries yet to come, or leave the loop.
        let mut alone = true;
        for_each_stmt(&it.body, &mut |stmt| {
            alone &= match stmt {
                Stmt::Let(value) => !matches!(
                    self.body.values[*value].op,
                    Op::Load { place: Place::Array(other), .. } if other == array
                ),
                Stmt::Exit(_) | Stmt::Continue(_) => false,
                _ => true,
            };
        });
        (whole && alone).then_some(array)
    }
}
