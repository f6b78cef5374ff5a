//! Puts a check before each access whose index is not proven to be in range.
//!
//! After this pass every load and store of a body stays within its place whatever the data; later passes keep it so, since
//! an access uses the value that its check returns.

use super::interval::Intervals;
use crate::ir::{Block, Builder, Loop, Op, Place, Site, Stmt, Type, Value};
use crate::signature::{Iteration, Signature, Source};

/// Guards the accesses of a loop.
pub(super) fn guard(it: &mut Loop) {
    let mut body = std::mem::take(&mut it.body);
    let root = std::mem::take(&mut body.root);
    let intervals = Intervals::new(&body);
    let mut builder = Builder::new(body);
    let mut pass = Guard {
        builder: &mut builder,
        signature: &it.signature,
        dims: it.constants.iter().map(|c| u64::from(c.dim)).collect(),
        intervals,
    };
    pass.builder.open();
    pass.block(std::mem::take(&mut it.before));
    it.before = pass.builder.close();
    pass.block(root);
    pass.builder.open();
    pass.block(std::mem::take(&mut it.after));
    it.after = pass.builder.close();
    it.body = builder.finish();
}

struct Guard<'a> {
    builder: &'a mut Builder,
    signature: &'a Signature,
    /// Dims of the kernel constants.
    dims: Vec<u64>,
    intervals: Intervals,
}

impl Guard<'_> {
    fn block(&mut self, block: Block) {
        self.builder.reserve(block.len());
        for stmt in block {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, mut stmt: Stmt) {
        match &mut stmt {
            Stmt::Let(value) => self.instruction(*value),
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => {
                let lanes = self.builder.body.ty(*value).lanes;
                *index = self.guarded(place, *index, lanes, *site);
            }
            Stmt::For(it) => self.intervals.enter_loop(&self.builder.body, it),
            _ => {}
        }
        for inner in stmt.blocks_mut() {
            self.builder.open();
            self.block(std::mem::take(inner));
            *inner = self.builder.close();
        }
        self.builder.push(stmt);
    }

    fn instruction(&mut self, value: Value) {
        let inst = &self.builder.body.values[value];
        if let Op::Load { place, index, site } = inst.op {
            let lanes = inst.ty.lanes;
            let index = self.guarded(&place, index, lanes, site);
            self.builder.body.values[value].op = Op::Load { place, index, site };
        }
        self.intervals.define(&self.builder.body, value);
    }

    /// The index to use: itself where it is proven, else the result of a check.
    fn guarded(&mut self, place: &Place, index: Value, lanes: u8, site: Site) -> Value {
        let len = self.len(place);
        let range = self.intervals.of(&self.builder.body, index);
        let past = i128::from(lanes);
        if range.lo >= 0 && range.hi + past <= i128::from(len) {
            return index;
        }
        let checked = Op::CheckIndex { index, len, site };
        let checked = self.builder.emit(checked, Type::I64);
        self.intervals.define(&self.builder.body, checked);
        checked
    }

    /// How many scalars a place has.
    fn len(&self, place: &Place) -> u64 {
        let body = &self.builder.body;
        match *place {
            Place::Array(array) => body.arrays[array].len,
            Place::Table(table) => body.tables[table].bits.len() as u64,
            Place::Constant(slot) => self.dims[usize::from(slot)],
            Place::RowPointers(arg) => match self.signature.args[usize::from(arg)].source {
                Source::Rows(rows) => u64::from(rows),
                _ => 0,
            },
            Place::Row { addr, region } => self.row_len(addr, region.slot),
            Place::Param(_) | Place::ParamRow { .. } => 0,
        }
    }

    /// How many values a row has. Every argument of a dat has the dat's dim; those of a plain function that share a slot have
    /// their own.
    fn row_len(&self, addr: Value, slot: u16) -> u64 {
        let args = &self.signature.args;
        if self.signature.iteration == Iteration::Function
            && let Some(arg) = self.builder.body.argument(addr)
        {
            return args
                .get(usize::from(arg))
                .map_or(0, |arg| u64::from(arg.dim));
        }
        let users = args
            .iter()
            .filter(|arg| arg.dat == slot && arg.source != Source::Element);
        let dims = users.map(|arg| u64::from(arg.dim));
        match self.signature.iteration {
            Iteration::Elements => dims.clone().next().unwrap_or(0),
            Iteration::Function => dims.min().unwrap_or(0),
        }
    }
}
