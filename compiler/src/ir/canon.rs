//! The canonical form of a kernel: two texts that mean the same after names, comments and unused parts are gone have one.
//!
//! Everything is numbered in order of first appearance; arena entries that nothing uses are gone; so are instructions whose
//! result nothing needs, variables that nothing reads, and constants that are visible already. Statements keep their order,
//! so every guard that can fail still fails, at the same site: site numbers belong to the caller's text and stay. Canonical
//! form is a fixed point. What it does not do: fold, reorder operands, or merge equal expressions; passes do, and they are
//! the same for equal kernels.

use super::body::{
    Array, Block, Body, For, Inst, Label, Op, Place, Stmt, Symbol, Table, Value, Var,
};
use super::kernel::{ConstantSlot, Kernel};
use super::types::Scalar;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntityRef, EntitySet, PrimaryMap, SecondaryMap};
use std::collections::BTreeMap;

/// A kernel in canonical form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canonical {
    /// The kernel.
    pub kernel: Kernel,
    /// For each slot of its kernel constants, the slot it had before.
    pub constants: Vec<u16>,
}

/// Brings a sound kernel into canonical form.
pub fn canonicalize(kernel: &Kernel) -> Canonical {
    let live = Live::of(kernel);
    let mut renamer = Renamer {
        old: kernel,
        live: &live,
        new: Body {
            sites: kernel.body.sites,
            values: PrimaryMap::with_capacity(kernel.body.values.len()),
            ..Body::default()
        },
        values: SecondaryMap::with_capacity(kernel.body.values.len()),
        vars: SecondaryMap::new(),
        arrays: SecondaryMap::new(),
        tables: SecondaryMap::new(),
        symbols: SecondaryMap::new(),
        labels: BTreeMap::new(),
        slots: BTreeMap::new(),
        constants: Vec::new(),
        known: BTreeMap::new(),
        scope: Vec::new(),
    };
    let root = renamer.block(&kernel.body.root);
    let slot_data = |slot: &u16| kernel.constants[usize::from(*slot)];
    let constants: Vec<ConstantSlot> = renamer.constants.iter().map(slot_data).collect();
    Canonical {
        kernel: Kernel {
            params: kernel.params.clone(),
            constants,
            body: Body {
                root,
                ..renamer.new
            },
        },
        constants: renamer.constants,
    }
}

/// What is needed.
struct Live {
    values: EntitySet<Value>,
    vars: EntitySet<Var>,
    /// Arrays that a live load or any store accesses.
    arrays: EntitySet<Array>,
}

impl Live {
    fn of(kernel: &Kernel) -> Live {
        let body = &kernel.body;
        let mut live = Live {
            values: EntitySet::with_capacity(body.values.len()),
            vars: EntitySet::new(),
            arrays: EntitySet::new(),
        };
        let mut sets: SecondaryMap<Var, Vec<Value>> = SecondaryMap::new();
        let mut work = live.roots(kernel, &mut sets);
        while let Some(value) = work.pop() {
            if !live.values.insert(value) {
                continue;
            }
            let op = &body.values[value].op;
            op.for_each_operand(|operand| work.push(operand));
            match op {
                Op::Get(var) if live.vars.insert(*var) => work.append(&mut sets[*var]),
                Op::Load {
                    place: Place::Array(array),
                    ..
                } => drop(live.arrays.insert(*array)),
                _ => {}
            }
        }
        live
    }

    /// Values that statements need by themselves; what variables are set to is noted apart.
    fn roots(&mut self, kernel: &Kernel, sets: &mut SecondaryMap<Var, Vec<Value>>) -> Vec<Value> {
        let mut roots = Vec::with_capacity(kernel.body.root.len());
        let mut open: Vec<&Block> = vec![&kernel.body.root];
        while let Some(block) = open.pop() {
            for stmt in block {
                match stmt {
                    Stmt::Let(value) if may_fail(kernel, *value) => roots.push(*value),
                    Stmt::Set(var, value) => sets[*var].push(*value),
                    Stmt::Store { place, .. } => {
                        stmt.for_each_operand(|operand| roots.push(operand));
                        if let Place::Array(array) = place {
                            self.arrays.insert(*array);
                        }
                    }
                    Stmt::If { cond, then, other } => {
                        roots.push(*cond);
                        open.extend([then, other]);
                    }
                    Stmt::For(data) => {
                        roots.extend([data.lo, data.hi]);
                        open.push(&data.body);
                    }
                    Stmt::Loop { body, .. } | Stmt::Block { body, .. } => open.push(body),
                    Stmt::Let(_) | Stmt::Clear(_) | Stmt::Exit(_) | Stmt::Continue(_) => {}
                }
            }
        }
        roots
    }
}

/// Whether computing a value can stop the loop: a guard, or a load that is not certainly in range.
fn may_fail(kernel: &Kernel, value: Value) -> bool {
    let body = &kernel.body;
    let Inst { op, ty } = &body.values[value];
    let Op::Load { place, index, .. } = op else {
        return op.can_fail();
    };
    let len = match place {
        Place::Array(array) => body.arrays[*array].len,
        Place::Table(table) => body.tables[*table].bits.len() as u64,
        Place::Constant(slot) => u64::from(kernel.constants[usize::from(*slot)].dim),
        // Extents of parameters are not known before the signature is.
        Place::Param(_) | Place::ParamRow { .. } => return true,
        Place::RowPointers(_) | Place::Row { .. } => return true,
    };
    let index = body.int_constant(*index);
    let last = index.and_then(|i| u64::try_from(i).ok()?.checked_add(u64::from(ty.lanes)));
    last.is_none_or(|last| last > len)
}

type New<K> = SecondaryMap<K, PackedOption<K>>;

struct Renamer<'a> {
    old: &'a Kernel,
    live: &'a Live,
    new: Body,
    values: New<Value>,
    vars: New<Var>,
    arrays: New<Array>,
    tables: New<Table>,
    symbols: New<Symbol>,
    labels: BTreeMap<Label, Label>,
    slots: BTreeMap<u16, u16>,
    /// Old slots of kernel constants, in order of appearance.
    constants: Vec<u16>,
    /// Constants that are visible, by bits and type.
    known: BTreeMap<(u64, Scalar, u8), Value>,
    /// The keys of `known` in order of appearance; a block forgets its own.
    scope: Vec<(u64, Scalar, u8)>,
}

impl Renamer<'_> {
    fn block(&mut self, block: &Block) -> Block {
        let mark = self.scope.len();
        let mut kept = Block::with_capacity(block.len());
        kept.extend(block.iter().filter_map(|stmt| self.stmt(stmt)));
        kept.shrink_to_fit();
        for key in self.scope.drain(mark..) {
            self.known.remove(&key);
        }
        kept
    }

    /// The statement with its new numbers, unless it is dropped.
    fn stmt(&mut self, stmt: &Stmt) -> Option<Stmt> {
        Some(match stmt {
            Stmt::Let(value) => return self.instruction(*value),
            Stmt::Set(var, value) => {
                if !self.live.vars.contains(*var) {
                    return None;
                }
                Stmt::Set(self.var(*var), self.value(*value))
            }
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => Stmt::Store {
                place: self.place(*place),
                index: self.value(*index),
                value: self.value(*value),
                site: *site,
            },
            Stmt::Clear(array) => {
                if !self.live.arrays.contains(*array) {
                    return None;
                }
                Stmt::Clear(self.array(*array))
            }
            Stmt::If { cond, then, other } => Stmt::If {
                cond: self.value(*cond),
                then: self.block(then),
                other: self.block(other),
            },
            Stmt::For(data) => Stmt::For(Box::new(self.counted(data))),
            Stmt::Loop { label, site, body } => Stmt::Loop {
                label: self.open_label(*label),
                site: *site,
                body: self.block(body),
            },
            Stmt::Block { label, body } => Stmt::Block {
                label: self.open_label(*label),
                body: self.block(body),
            },
            Stmt::Exit(label) => Stmt::Exit(self.labels[label]),
            Stmt::Continue(label) => Stmt::Continue(self.labels[label]),
        })
    }

    fn counted(&mut self, data: &For) -> For {
        let For {
            label,
            counter,
            lo,
            hi,
            step,
            site,
            body,
        } = data;
        let inst = self.old.body.values[*counter].clone();
        let (lo, hi) = (self.value(*lo), self.value(*hi));
        let new_counter = self.new.values.push(inst);
        self.values[*counter] = new_counter.into();
        For {
            label: self.open_label(*label),
            counter: new_counter,
            lo,
            hi,
            step: *step,
            site: *site,
            body: self.block(body),
        }
    }

    fn instruction(&mut self, value: Value) -> Option<Stmt> {
        if !self.live.values.contains(value) {
            return None;
        }
        let mut inst = self.old.body.values[value].clone();
        if let Op::Const(bits) = inst.op {
            let key = (bits, inst.ty.scalar, inst.ty.lanes);
            if let Some(known) = self.known.get(&key) {
                self.values[value] = (*known).into();
                return None;
            }
            self.known.insert(key, self.new.values.next_key());
            self.scope.push(key);
        }
        match &mut inst.op {
            Op::Get(var) => *var = self.var(*var),
            Op::Call(symbol, _) => *symbol = self.symbol(*symbol),
            Op::Load { place, index, .. } => {
                *place = self.place(*place);
                *index = self.value(*index);
            }
            _ => {}
        }
        if !matches!(inst.op, Op::Load { .. }) {
            inst.op.map_operands(|operand| self.value(operand));
        }
        let new = self.new.values.push(inst);
        self.values[value] = new.into();
        Some(Stmt::Let(new))
    }

    fn value(&self, value: Value) -> Value {
        self.values[value].expect("a value is defined before its use")
    }

    fn place(&mut self, place: Place) -> Place {
        match place {
            Place::Array(array) => Place::Array(self.array(array)),
            Place::Table(table) => Place::Table(self.table(table)),
            Place::Param(param) => Place::Param(param),
            Place::ParamRow { param, row } => Place::ParamRow {
                param,
                row: self.value(row),
            },
            Place::Constant(slot) => {
                let next = self.constants.len() as u16;
                let new = *self.slots.entry(slot).or_insert(next);
                if new == next {
                    self.constants.push(slot);
                }
                Place::Constant(new)
            }
            Place::RowPointers(arg) => Place::RowPointers(arg),
            Place::Row { addr, region } => Place::Row {
                addr: self.value(addr),
                region,
            },
        }
    }

    fn var(&mut self, var: Var) -> Var {
        renamed(&mut self.vars, var, &self.old.body.vars, &mut self.new.vars)
    }

    fn array(&mut self, array: Array) -> Array {
        let (old, new) = (&self.old.body.arrays, &mut self.new.arrays);
        renamed(&mut self.arrays, array, old, new)
    }

    fn table(&mut self, table: Table) -> Table {
        let (old, new) = (&self.old.body.tables, &mut self.new.tables);
        renamed(&mut self.tables, table, old, new)
    }

    fn symbol(&mut self, symbol: Symbol) -> Symbol {
        let (old, new) = (&self.old.body.symbols, &mut self.new.symbols);
        renamed(&mut self.symbols, symbol, old, new)
    }

    fn open_label(&mut self, label: Label) -> Label {
        let new = self.new.label();
        self.labels.insert(label, new);
        new
    }
}

/// The new number of an arena entry, which is copied when it first appears.
fn renamed<K, V>(
    names: &mut New<K>,
    key: K,
    old: &PrimaryMap<K, V>,
    new: &mut PrimaryMap<K, V>,
) -> K
where
    K: EntityRef + cranelift_entity::packed_option::ReservedValue,
    V: Clone,
{
    if let Some(known) = names[key].expand() {
        return known;
    }
    let renamed = new.push(old[key].clone());
    names[key] = renamed.into();
    renamed
}
