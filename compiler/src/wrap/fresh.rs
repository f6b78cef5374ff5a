//! Locals of the kernel that an element could see from the one before are zeroed first.
//!
//! A local without initialiser is zero when the kernel begins, and so is what an initialiser leaves out; variables and arrays
//! of a loop are zero only when the loop is called. Skipped are those that are written, whole, before anything reads them; what
//! a branch or the body of a loop writes counts as written up to its end.

use super::Wrap;
use crate::ir::{Array, Block, Body, Label, Op, Place, Scalar, Stmt, Value, Var};
use cranelift_entity::SecondaryMap;
use std::collections::{BTreeMap, BTreeSet};

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

/// What a statement made known of a local.
#[derive(Clone, Copy)]
enum Written {
    Var(Var),
    Array(Array),
    Entry(Array, i64),
}

struct Uses<'a> {
    body: &'a Body,
    vars: SecondaryMap<Var, Use>,
    arrays: SecondaryMap<Array, Use>,
    /// Entries of arrays that were written one by one.
    entries: SecondaryMap<Array, BTreeSet<i64>>,
    /// What was written, in order.
    log: Vec<Written>,
    /// Labels around that were left early, with how much of what is written now had been when they first were.
    left: BTreeMap<Label, usize>,
}

impl<'a> Uses<'a> {
    fn new(body: &'a Body) -> Uses<'a> {
        Uses {
            body,
            vars: SecondaryMap::new(),
            arrays: SecondaryMap::new(),
            entries: SecondaryMap::new(),
            log: Vec::new(),
            left: BTreeMap::new(),
        }
    }

    fn read_var(&mut self, var: Var) {
        if self.vars[var] == Use::None {
            self.vars[var] = Use::Stale;
        }
    }

    fn write_var(&mut self, var: Var) {
        if self.vars[var] == Use::None {
            self.vars[var] = Use::Written;
            self.log.push(Written::Var(var));
        }
    }

    fn read_array(&mut self, array: Array) {
        if self.arrays[array] == Use::None {
            self.arrays[array] = Use::Stale;
        }
    }

    fn write_array(&mut self, array: Array) {
        if self.arrays[array] == Use::None {
            self.arrays[array] = Use::Written;
            self.log.push(Written::Array(array));
        }
    }

    fn walk(&mut self, block: &Block) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => self.read(*value),
                Stmt::Set(var, _) => self.write_var(*var),
                Stmt::Store {
                    place: Place::Array(array),
                    index,
                    ..
                } => self.store(*array, *index),
                Stmt::Clear(array) => self.write_array(*array),
                Stmt::Block { label, body } => self.walk_block(*label, body),
                Stmt::For(it) => {
                    for array in self.body.filled_by(it) {
                        self.write_array(array);
                    }
                    self.walk_scoped(&it.body);
                    self.left.remove(&it.label);
                }
                Stmt::Exit(label) | Stmt::Continue(label) => {
                    self.left.entry(*label).or_insert(self.log.len());
                }
                Stmt::Loop { label, body, .. } => {
                    self.walk_scoped(body);
                    self.left.remove(label);
                }
                stmt => stmt.blocks().for_each(|inner| self.walk_scoped(inner)),
            }
        }
    }

    /// A block that may not run: what it writes is forgotten at its end.
    fn walk_scoped(&mut self, block: &Block) {
        let mark = self.log.len();
        self.walk(block);
        self.forget(mark);
    }

    /// A block that may be left early: what it writes behind that is forgotten at its end.
    fn walk_block(&mut self, label: Label, block: &Block) {
        self.walk(block);
        if let Some(mark) = self.left.remove(&label) {
            self.forget(mark);
        }
    }

    fn forget(&mut self, mark: usize) {
        for left in self.left.values_mut() {
            *left = mark.min(*left);
        }
        for written in self.log.drain(mark..) {
            match written {
                Written::Var(var) => self.vars[var] = Use::None,
                Written::Array(array) => self.arrays[array] = Use::None,
                Written::Entry(array, at) => drop(self.entries[array].remove(&at)),
            }
        }
    }

    fn read(&mut self, value: Value) {
        match self.body.values[value].op {
            Op::Get(var) => self.read_var(var),
            Op::Load {
                place: Place::Array(array),
                ..
            } => self.read_array(array),
            _ => {}
        }
    }

    fn store(&mut self, array: Array, index: Value) {
        let Some(at) = self.body.int_constant(index) else {
            return;
        };
        if !self.entries[array].insert(at) {
            return;
        }
        self.log.push(Written::Entry(array, at));
        let data = &self.body.arrays[array];
        // One lane a store: kernels have no vectors yet.
        if self.entries[array].len() as u64 >= data.len && data.scalar != Scalar::Addr {
            self.write_array(array);
        }
    }
}
