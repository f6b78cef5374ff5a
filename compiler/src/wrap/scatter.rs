//! What runs after the kernel for each element, and after all of them: staged arrays written, added or combined.

use super::gather::{copy, each_index, guarded, offset, row};
use super::{Binding, STRAIGHT_COPY_MAX, Wrap, load, store};
use crate::ir::{Array, BinaryOp, Builder, CompareOp, Place, Value};
use crate::signature::{Access, ArgSignature, MapUse, Source};

impl Wrap<'_> {
    /// Writes back what was staged, argument by argument, in order.
    pub(super) fn scatter(&mut self, bindings: &[Binding]) {
        let args = self.signature.args.clone();
        for (index, (arg, binding)) in args.iter().zip(bindings).enumerate() {
            let Binding::Staged { array, dim } = *binding else {
                continue;
            };
            match arg.source {
                Source::Global => self.scatter_global(index as u16, arg, array, dim),
                Source::At(map, column) => {
                    self.scatter_rows(index as u16, arg, map, &[column], array);
                }
                Source::Through(map) => {
                    let columns: Vec<u16> = (0..map.arity).collect();
                    self.scatter_rows(index as u16, arg, map, &columns, array);
                }
                Source::Direct | Source::Element | Source::Value | Source::Rows(_) => {}
            }
        }
    }

    fn scatter_global(&mut self, index: u16, arg: &ArgSignature, array: Array, dim: u64) {
        let place = self.global_place(index, arg);
        let scalar = arg.dtype.scalar();
        let short = dim <= STRAIGHT_COPY_MAX;
        match arg.access {
            Access::Inc | Access::Write if short => self.accumulate(index, arg, array),
            Access::Inc | Access::Write => {
                let combine = arg.access;
                each_index(&mut self.builder, dim, |b, i| {
                    let value = load(b, Place::Array(array), i, scalar);
                    combine_into(b, combine, place, i, value);
                });
            }
            Access::Min | Access::Max | Access::Rw if self.stored.insert(arg.dat) => {
                self.builder.open();
                copy(&mut self.builder, Place::Array(array), place, dim, scalar);
                let stores = self.builder.close();
                self.after.extend(stores);
            }
            Access::Min | Access::Max | Access::Rw | Access::Read => {}
        }
    }

    /// Adds to (or replaces) the running values, which are stored after the last element.
    fn accumulate(&mut self, index: u16, arg: &ArgSignature, array: Array) {
        let place = self.global_place(index, arg);
        let scalar = arg.dtype.scalar();
        let vars = self.accumulators[&arg.dat].clone();
        let is_first = self.stored.insert(arg.dat);
        for (i, var) in vars.iter().enumerate() {
            let b = &mut self.builder;
            let at = b.i64(i as i64);
            let local = load(b, Place::Array(array), at, scalar);
            let next = match arg.access {
                Access::Inc => {
                    let sum = b.get(*var);
                    b.binary(BinaryOp::Add, sum, local)
                }
                _ => local,
            };
            b.set(*var, next);
            if !is_first {
                continue;
            }
            b.open();
            let at = b.i64(i as i64);
            let value = b.get(*var);
            store(b, place, at, value);
            let store = b.close();
            self.after.extend(store);
        }
    }

    fn scatter_rows(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        map: MapUse,
        columns: &[u16],
        array: Array,
    ) {
        if arg.access == Access::Read {
            return;
        }
        let dim = u64::from(arg.dim);
        let region = self.region(arg);
        for (k, column) in columns.iter().enumerate() {
            let (entry, addr) = self.mapped_row(index, arg, map, *column);
            let place = row(addr, region);
            let first = k as u64 * dim;
            let guard = map.partial.then_some(entry);
            let scalar = arg.dtype.scalar();
            guarded(&mut self.builder, guard, |b| {
                each_index(b, dim, |b, i| {
                    let at = offset(b, i, first);
                    let value = load(b, Place::Array(array), at, scalar);
                    combine_into(b, arg.access, place, i, value);
                });
            });
        }
    }
}

/// Stores `value` combined with what is there, as the access says.
fn combine_into(b: &mut Builder, access: Access, place: Place, at: Value, value: Value) {
    let scalar = b.body.ty(value).scalar;
    let old = |b: &mut Builder| load(b, place, at, scalar);
    let combined = match access {
        Access::Read | Access::Write | Access::Rw => value,
        Access::Inc => {
            let old = old(b);
            b.binary(BinaryOp::Add, old, value)
        }
        Access::Min | Access::Max => {
            let old = old(b);
            extreme(b, access, old, value)
        }
    };
    store(b, place, at, combined);
}

/// The smaller or larger of two values; of equal ones the old one.
fn extreme(b: &mut Builder, access: Access, old: Value, value: Value) -> Value {
    let (float_op, compare) = match access {
        Access::Min => (BinaryOp::Min, CompareOp::Lt),
        _ => (BinaryOp::Max, CompareOp::Gt),
    };
    if b.body.ty(value).scalar.is_float() {
        return b.binary(float_op, value, old);
    }
    let better = b.compare(compare, value, old);
    b.select(better, value, old)
}
