//! Rank-k updates: one call of the host function that runs a nest, instead of its loops.

use super::Lower;
use crate::abi::rank_update::{self as abi, Term};
use crate::ir::{For, Loop, Scalar, Stmt, Value, for_each_stmt};
use crate::opt::{Factor, Means, RankUpdate, Rows};
use crate::target::Target;
use cranelift_codegen::ir::{
    self as clif, AbiParam, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, types,
};
use cranelift_codegen::isa::CallConv;
use std::collections::BTreeSet;
use std::mem::offset_of;

/// Size of one term.
const TERM: i32 = size_of::<Term>() as i32;

/// Room for a factor that is not in memory.
pub(super) const FACTOR: i32 = 8;

/// Alignment of the terms and of the factors that are not in memory.
pub(super) const ALIGN_SHIFT: u8 = 3;

/// The functions that the loop's nests are run by.
pub(crate) fn functions(it: &Loop, target: &Target) -> BTreeSet<&'static str> {
    let mut functions = BTreeSet::new();
    for block in it.blocks() {
        for_each_stmt(block, &mut |stmt| {
            if let Stmt::For(outer) = stmt {
                let update = RankUpdate::of(&it.body, outer, target);
                if let Some(Means::Host(name)) = update.and_then(|it| it.means(target, 1)) {
                    functions.insert(name);
                }
            }
        });
    }
    functions
}

/// How many arguments the host functions take.
pub(crate) const HOST_ARGS: usize = 6;

/// The C signature of a function of so many addresses or numbers.
pub(crate) fn signature(call_conv: CallConv, args: usize) -> clif::Signature {
    let mut signature = clif::Signature::new(call_conv);
    signature.params = vec![AbiParam::new(types::I64); args];
    signature
}

impl Lower<'_, '_> {
    /// Calls the function that runs a loop, if it is such a nest.
    pub(super) fn update(&mut self, outer: &For) -> bool {
        let Some(update) = RankUpdate::of(&self.it.body, outer, self.target) else {
            return false;
        };
        let Some(means) = update.means(self.target, 1) else {
            return false;
        };
        self.start(outer);
        match means {
            Means::Host(name) => self.call_host(&update, name),
            Means::Microkernel(shape) => {
                // Another copy of the nest may follow something else.
                let is_fresh = self.fresh.remove(&outer.counter);
                self.call_microkernel(&update, shape, is_fresh);
            }
        }
        true
    }

    fn call_host(&mut self, update: &RankUpdate, name: &str) {
        let entries = self.first_of(&update.entries, update.scalar);
        let terms = self.terms(update);
        let bytes = i64::from(update.scalar.bytes());
        let row_bytes = update.entries.row_step.wrapping_mul(bytes);
        let column_bytes = update.column_step.wrapping_mul(bytes);
        let shape = update.rows | update.columns << 32;
        let counts = update.terms.len() as u64 | update.trips << 32;
        let constants = [row_bytes, column_bytes, shape as i64, counts as i64];
        let [row_bytes, column_bytes, shape, counts] =
            constants.map(|constant| self.b.ins().iconst(types::I64, constant));
        let function = self.externals.updates[name];
        let args = [entries, row_bytes, column_bytes, shape, terms, counts];
        self.b.ins().call(function, &args);
    }

    /// Starts the counters of a nest.
    fn start(&mut self, it: &For) {
        let first = self.value(it.lo);
        self.values[it.counter] = Some(first);
        if let Some(Stmt::For(inner)) = it.body.last() {
            self.start(inner);
        }
    }

    /// Address of the first of some entries; what it is computed from inside is the same in all trips, but for the counters.
    pub(super) fn first_of(&mut self, rows: &Rows, scalar: Scalar) -> clif::Value {
        self.define_operands(rows);
        self.address_of(rows.place, rows.index, scalar)
    }

    /// Defines what an address is computed from.
    pub(super) fn define_operands(&mut self, rows: &Rows) {
        let mut operands = vec![rows.index];
        rows.place.for_each_operand(|value| operands.push(value));
        operands
            .into_iter()
            .for_each(|value| self.define_all(value));
    }

    /// Defines a value that is not yet, and what it is computed from.
    fn define_all(&mut self, value: Value) {
        if self.values[value].is_some() {
            return;
        }
        let mut operands = Vec::new();
        let op = &self.it.body.values[value].op;
        op.for_each_operand(|operand| operands.push(operand));
        operands
            .into_iter()
            .for_each(|operand| self.define_all(operand));
        self.define(value);
    }

    /// Writes the terms to the stack; their address.
    fn terms(&mut self, update: &RankUpdate) -> clif::Value {
        let count = update.terms.len() as u32;
        // Behind the terms, the factors that are not in memory: two of a term at most.
        let size = (TERM as u32 + 2 * FACTOR as u32) * count;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, ALIGN_SHIFT);
        let slot = self.b.create_sized_stack_slot(slot);
        let mut write = Written {
            base: self.b.ins().stack_addr(types::I64, slot, 0),
            next: TERM * count as i32,
            scalar: update.scalar,
        };
        for (at, term) in update.terms.iter().enumerate() {
            let at = TERM * at as i32;
            let columns = Factor::Entries(term.factors);
            let row_step = match &term.row_factor {
                Factor::Entries(rows) => rows.row_step,
                Factor::Value(_) => 0,
            };
            self.factor(
                &mut write,
                at + offset_of!(Term, columns) as i32,
                Some(columns),
            );
            self.factor(&mut write, at + offset_of!(Term, scale) as i32, term.scale);
            self.factor(
                &mut write,
                at + offset_of!(Term, row) as i32,
                Some(term.row_factor),
            );
            let row_bytes = write.bytes(row_step);
            self.field(&write, at + offset_of!(Term, row_bytes) as i32, row_bytes);
        }
        write.base
    }

    /// Writes a factor's address and step.
    fn factor(&mut self, write: &mut Written, at: i32, factor: Option<Factor>) {
        let (first, trip_step) = match factor {
            None => (self.b.ins().iconst(types::I64, 0), 0),
            Some(Factor::Entries(rows)) => {
                let at = self.first_of(&rows, write.scalar);
                (at, rows.trip_step)
            }
            Some(Factor::Value(value)) => {
                let value = self.value(value);
                let offset = write.next;
                write.next += FACTOR;
                self.b
                    .ins()
                    .store(MemFlagsData::trusted(), value, write.base, offset);
                (self.b.ins().iadd_imm_s(write.base, i64::from(offset)), 0)
            }
        };
        let offset = at + offset_of!(abi::Factor, first) as i32;
        self.b
            .ins()
            .store(MemFlagsData::trusted(), first, write.base, offset);
        let trip_bytes = write.bytes(trip_step);
        self.field(
            write,
            at + offset_of!(abi::Factor, trip_bytes) as i32,
            trip_bytes,
        );
    }

    fn field(&mut self, write: &Written, at: i32, content: i64) {
        let content = self.b.ins().iconst(types::I64, content);
        self.b
            .ins()
            .store(MemFlagsData::trusted(), content, write.base, at);
    }
}

/// Terms on the stack.
struct Written {
    base: clif::Value,
    /// Where the next factor goes that is not in memory.
    next: i32,
    scalar: Scalar,
}

impl Written {
    fn bytes(&self, step: i64) -> i64 {
        step.wrapping_mul(i64::from(self.scalar.bytes()))
    }
}
