//! The kernel's statements with every parameter access turned into one of its binding.

use super::bind::parameter;
use super::{Binding, Wrap};
use crate::ir::{BinaryOp, Block, Builder, Op, Place, Region, Scalar, Site, Stmt, Type, Value};

impl Wrap<'_> {
    /// Appends the kernel's statements.
    pub(super) fn inline(&mut self, bindings: &[Binding]) {
        let root = self.kernel.body.root.clone();
        let mut rewrite = Rewrite {
            builder: &mut self.builder,
            bindings,
        };
        rewrite.block(root);
    }
}

struct Rewrite<'a> {
    builder: &'a mut Builder,
    bindings: &'a [Binding],
}

impl Rewrite<'_> {
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
                place, index, site, ..
            } => {
                if let Some((new_place, new_index)) = self.access(*place, *index, *site) {
                    *place = new_place;
                    *index = new_index;
                }
            }
            _ => {
                for inner in stmt.blocks_mut() {
                    self.builder.open();
                    self.block(std::mem::take(inner));
                    *inner = self.builder.close();
                }
            }
        }
        self.builder.push(stmt);
    }

    fn instruction(&mut self, value: Value) {
        match self.builder.body.values[value].op {
            Op::Load { place, index, site } => {
                if let Some((place, index)) = self.access(place, index, site) {
                    self.builder.body.values[value].op = Op::Load { place, index, site };
                }
            }
            Op::Param(param) => {
                if let Binding::Value(bound) = self.bindings[param as usize] {
                    let same = self.builder.body.ty(bound) == self.builder.body.ty(value);
                    self.builder.body.values[value].op = match same {
                        // A copy; simplification drops it.
                        true => Op::Select(self.truth(), bound, bound),
                        false => Op::Convert(bound),
                    };
                }
            }
            _ => {}
        }
    }

    fn truth(&mut self) -> Value {
        self.builder.constant(1, Type::BOOL)
    }

    /// Where an access of a parameter goes; `None` for other places.
    fn access(&mut self, place: Place, index: Value, site: Site) -> Option<(Place, Value)> {
        let (param, row) = parameter(&place)?;
        match &self.bindings[param as usize] {
            Binding::Unused | Binding::Value(_) => None,
            Binding::Staged { array, dim } => {
                let (array, dim) = (*array, *dim);
                let index = self.flatten(row, index, dim, site);
                Some((Place::Array(array), index))
            }
            Binding::Rows { addrs, dim, region } => {
                let addrs = addrs.clone();
                Some(self.known_row(&addrs, *dim, *region, row, index))
            }
            Binding::RowPointers { arg, region } => {
                let (place, region) = (Place::RowPointers(*arg), *region);
                let row = row.expect("row pointers are taken by row");
                let addr = self.builder.load(place, row, Scalar::Addr, site);
                Some((Place::Row { addr, region }, index))
            }
            Binding::RowTable {
                table,
                arity,
                dim,
                region,
            } => {
                let table = RowTable {
                    place: Place::Array(*table),
                    arity: *arity,
                    dim: *dim,
                    region: *region,
                };
                Some(self.looked_up_row(table, row, index, site))
            }
        }
    }

    /// `row * dim + index`, for a parameter of row pointers; the index alone for others. An index that leaves its row would
    /// be another row's: so it is checked against the row first.
    fn flatten(&mut self, row: Option<Value>, index: Value, dim: u64, site: Site) -> Value {
        let Some(row) = row else { return index };
        let index = self.checked(index, dim, site);
        let width = self.builder.i64(dim as i64);
        let start = self.builder.binary(BinaryOp::Mul, row, width);
        self.builder.binary(BinaryOp::Add, start, index)
    }

    fn checked(&mut self, index: Value, len: u64, site: Site) -> Value {
        self.builder
            .emit(Op::CheckIndex { index, len, site }, Type::I64)
    }

    /// One of several rows, known at compile time. An index past the last row stays out of range, in the last row.
    fn known_row(
        &mut self,
        addrs: &[Value],
        dim: u64,
        region: Region,
        row: Option<Value>,
        index: Value,
    ) -> (Place, Value) {
        if addrs.len() == 1 && row.is_none() {
            let addr = addrs[0];
            return (Place::Row { addr, region }, index);
        }
        let constant = |value| self.builder.body.int_constant(value);
        let at = constant(index).expect("rows are bound where indices are constant");
        let (k, within) = match row {
            Some(row) => (
                constant(row).expect("rows are bound where indices are constant"),
                at,
            ),
            None => (
                at.div_euclid(dim.max(1) as i64),
                at.rem_euclid(dim.max(1) as i64),
            ),
        };
        let last = addrs.len() as i64 - 1;
        let out_of_range = !(0..=last).contains(&k);
        let addr = addrs[k.clamp(0, last) as usize];
        let within = match out_of_range {
            true if row.is_none() => at,
            true => i64::MAX,
            false => within,
        };
        let index = self.builder.i64(within);
        (Place::Row { addr, region }, index)
    }

    fn looked_up_row(
        &mut self,
        table: RowTable,
        row: Option<Value>,
        index: Value,
        site: Site,
    ) -> (Place, Value) {
        let dim = self.builder.i64(table.dim as i64);
        let (k, within) = match row {
            Some(row) => (row, index),
            None => {
                let index = self.checked(index, table.arity * table.dim, site);
                let k = self.builder.binary(BinaryOp::Div, index, dim);
                (k, self.builder.binary(BinaryOp::Rem, index, dim))
            }
        };
        let addr = self.builder.load(table.place, k, Scalar::Addr, site);
        let region = table.region;
        (Place::Row { addr, region }, within)
    }
}

#[derive(Clone, Copy)]
struct RowTable {
    place: Place,
    arity: u64,
    dim: u64,
    region: Region,
}
