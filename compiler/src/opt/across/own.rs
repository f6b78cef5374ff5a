//! What elements keep for themselves while they run: variables, local arrays, and loops that all of them go round together.
//!
//! A float of each element is one vector, so that a variable becomes one of vectors, and an array has so many entries for each.
//! Loops run equally often for all. What they read of tables is the same for all: it is kept once for each lane.

use super::emit::{ELEMENTS_MAX, Emit, Form};
use crate::ir::{
    Array, ArrayData, BinaryOp, For, Inst, Op, Place, Site, Stmt, Table, TableData, Type, Value,
    Var,
};
use std::collections::BTreeMap;

/// Arrays of more entries stay one element's, and tables are read one entry for all: several times as large they would fill the
/// nearest cache, and arrays may be as large as anything may.
const ENTRIES_MAX: u64 = 4096;

/// Whether arrays and tables of so many entries are kept for several elements.
pub(super) fn is_small(entries: u64) -> bool {
    entries <= ENTRIES_MAX
}

/// What of one element has become what of several.
#[derive(Default)]
pub(super) struct Own {
    /// Variables of floats, as variables of vectors.
    vectors: BTreeMap<Var, Var>,
    /// Other variables, as one for each.
    each: BTreeMap<Var, [Var; ELEMENTS_MAX]>,
    arrays: BTreeMap<Array, Array>,
    tables: BTreeMap<Table, Table>,
    /// By index, where the entries of all elements begin.
    firsts: BTreeMap<Value, Value>,
    /// Values of which vectors, lanes or first entries are known, in the order in which they were made.
    pub(super) cached: Vec<Value>,
    /// How many loops are around the statement at hand.
    pub(super) loops: u32,
}

impl Emit<'_> {
    /// The variable that holds a float of each element.
    fn vector_variable(&mut self, var: Var) -> Var {
        let (vars, ty) = (&mut self.body.vars, self.plan.vector);
        *self.own.vectors.entry(var).or_insert_with(|| vars.push(ty))
    }

    /// The variables that hold what one does of each element.
    fn each_variable(&mut self, var: Var) -> [Var; ELEMENTS_MAX] {
        let (vars, elements) = (&mut self.body.vars, self.plan.elements());
        let ty = vars[var];
        *self.own.each.entry(var).or_insert_with(|| {
            let mut each = [var; ELEMENTS_MAX];
            let own = each.iter_mut().take(elements);
            own.for_each(|own| *own = vars.push(ty));
            each
        })
    }

    /// What a variable holds.
    pub(super) fn got(&mut self, var: Var, ty: Type) -> Form {
        if ty == self.plan.float() {
            let (var, ty) = (self.vector_variable(var), self.plan.vector);
            return Form::Vector(self.push(Op::Get(var), ty));
        }
        let vars = self.each_variable(var);
        Form::Each(self.each(|pass, element| pass.push(Op::Get(vars[element]), ty)))
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, var: Var, value: Value) {
        if self.body.vars[var] == self.plan.float() {
            let (var, value) = (self.vector_variable(var), self.vector(value));
            self.made.block.push(Stmt::Set(var, value));
            return;
        }
        let vars = self.each_variable(var);
        for (element, var) in vars.into_iter().enumerate().take(self.plan.elements()) {
            let value = self.lane(value, element);
            self.made.block.push(Stmt::Set(var, value));
        }
    }

    /// The array that has an entry of each element where one has its own.
    pub(super) fn widened(&mut self, array: Array) -> Array {
        let (arrays, lanes) = (&mut self.body.arrays, u64::from(self.plan.vector.lanes));
        let ArrayData { scalar, len } = arrays[array];
        *self.own.arrays.entry(array).or_insert_with(|| {
            let len = len * lanes;
            arrays.push(ArrayData { scalar, len })
        })
    }

    /// Whether a table is read as one that has each entry in all lanes.
    pub(super) fn repeats(&self, table: Table, index: Value) -> bool {
        let is_small = is_small(self.body.tables[table].bits.len() as u64);
        is_small && self.own.loops > 0 && self.plan.uniform[index]
    }

    /// The table that has each entry once for each lane.
    fn repeated_table(&mut self, table: Table) -> Table {
        let (tables, lanes) = (&mut self.body.tables, self.plan.elements());
        *self.own.tables.entry(table).or_insert_with(|| {
            let TableData { scalar, bits } = &tables[table];
            let of_lanes = |bits: &u64| std::iter::repeat_n(*bits, lanes);
            let (scalar, bits) = (*scalar, bits.iter().flat_map(of_lanes).collect());
            tables.push(TableData { scalar, bits })
        })
    }

    /// The first entry of all elements' where each has the one at an index.
    fn first_of_all(&mut self, index: Value) -> Value {
        let lanes = i64::from(self.plan.vector.lanes);
        if let Some(at) = self.body.int_constant(index) {
            return self.integer(at.wrapping_mul(lanes));
        }
        if let Some(known) = self.own.firsts.get(&index) {
            return *known;
        }
        let (op, from, by) = match self.body.values[index].op {
            // A constant that is added last is a part of the address.
            Op::Binary(BinaryOp::Add, a, b) if self.body.int_constant(b).is_some() => {
                let by = self.body.int_constant(b).unwrap_or(0).wrapping_mul(lanes);
                (BinaryOp::Add, self.first_of_all(a), by)
            }
            _ => (BinaryOp::Mul, self.lane(index, 0), lanes),
        };
        let by = self.integer(by);
        let first = self.push(Op::Binary(op, from, by), Type::I64);
        self.own.firsts.insert(index, first);
        self.own.cached.push(index);
        first
    }

    /// An entry of each element's array.
    pub(super) fn array_entries(&mut self, array: Array, index: Value, site: Site) -> Value {
        let (place, index) = (Place::Array(self.widened(array)), self.first_of_all(index));
        self.push(Op::Load { place, index, site }, self.plan.vector)
    }

    /// An entry of a table, in all lanes.
    pub(super) fn table_entries(&mut self, table: Table, index: Value, site: Site) -> Value {
        let place = Place::Table(self.repeated_table(table));
        let index = self.first_of_all(index);
        self.push(Op::Load { place, index, site }, self.plan.vector)
    }

    /// Stores what each element has to its array.
    pub(super) fn kept(&mut self, array: Array, index: Value, value: Value, site: Site) {
        let (place, index) = (Place::Array(self.widened(array)), self.first_of_all(index));
        let value = self.vector(value);
        self.made.block.push(Stmt::Store {
            place,
            index,
            value,
            site,
        });
    }

    /// Goes round a loop for all elements.
    pub(super) fn repeated_for_all(&mut self, it: &For) {
        let (lo, hi) = (self.lane(it.lo, 0), self.lane(it.hi, 0));
        let (op, ty) = (Op::Counter, Type::I64);
        let counter = self.body.values.push(Inst { op, ty });
        self.forms[it.counter] = Form::Common(counter);
        let label = self.body.label();
        let around = std::mem::take(&mut self.made.block);
        let outside = self.own.cached.len();
        self.own.loops += 1;
        it.body.iter().for_each(|stmt| self.all(stmt));
        self.own.loops -= 1;
        self.forget(outside);
        let body = std::mem::replace(&mut self.made.block, around);
        let own = For {
            label,
            counter,
            lo,
            hi,
            body,
            ..*it
        };
        self.made.block.push(Stmt::For(Box::new(own)));
    }

    /// Forgets what was made of values inside a loop: it is not there outside.
    fn forget(&mut self, outside: usize) {
        for value in self.own.cached.drain(outside..) {
            self.vectors[value] = None.into();
            self.lanes[value] = Default::default();
            self.own.firsts.remove(&value);
        }
    }
}
