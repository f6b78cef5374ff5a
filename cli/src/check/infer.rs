//! The signature that a kernel is checked with, from its text alone: a loop whose arguments are all direct.
//!
//! A pointer's dim is what the parameter declares, else one more than the largest index that the kernel is seen to use. An
//! integer by value is the element's index, another value a READ global; a pointer to row pointers goes through a map.

use parloop_compiler::ir::{BinaryOp, Body, For, Op, Passing, Place, Stmt, Value, for_each_stmt};
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, DType, IndexWidth, Iteration, Layout, MapUse, ParamInfo,
    Signature, Source,
};
use std::collections::BTreeMap;

/// A dim or arity that no kernel in use comes near; indices beyond it are left to the check at run time.
const EXTENT_MAX: u64 = 1 << 16;

/// The signature of a direct loop over `checked`.
pub(crate) fn signature(checked: &CheckedKernel) -> Signature {
    let reach = Reach::of(&checked.kernel.body, checked.params.len());
    let mut slots = Slots::default();
    let params = checked.params.iter().enumerate();
    let args = params
        .map(|(index, param)| argument(param, reach.values[index], reach.rows[index], &mut slots))
        .collect();
    Signature {
        iteration: Iteration::Elements,
        args,
        allow_conflicts: false,
    }
}

/// Numbers for dats and maps, each argument its own.
#[derive(Default)]
struct Slots {
    dats: u16,
    maps: u16,
}

impl Slots {
    fn next(number: &mut u16) -> u16 {
        *number += 1;
        *number - 1
    }
}

fn argument(param: &ParamInfo, values: u64, rows: u64, slots: &mut Slots) -> ArgSignature {
    let dtype = param.dtype.unwrap_or(DType::F64);
    let direct = ArgSignature {
        source: Source::Direct,
        dtype,
        dim: 1,
        layout: Layout::Aos,
        access: access(param),
        dat: 0,
    };
    let integer = dtype.scalar().is_int();
    match param.passing {
        Passing::Value if integer => ArgSignature {
            source: Source::Element,
            dtype: DType::I64,
            access: Access::Read,
            ..direct
        },
        Passing::Value => ArgSignature {
            source: Source::Global,
            access: Access::Read,
            dat: Slots::next(&mut slots.dats),
            ..direct
        },
        Passing::Pointer | Passing::Unused => ArgSignature {
            dim: extent(&param.extents, values),
            dat: Slots::next(&mut slots.dats),
            ..direct
        },
        Passing::Rows => {
            let (outer, inner) = param.extents.split_at(param.extents.len().min(1));
            let arity = u16::try_from(extent(outer, rows)).unwrap_or(u16::MAX);
            ArgSignature {
                source: Source::Through(MapUse {
                    slot: Slots::next(&mut slots.maps),
                    arity,
                    width: IndexWidth::I32,
                    partial: false,
                }),
                dim: extent(inner, values),
                access: match access(param) {
                    // Rows that are read and written in place would run one element at a time; that is not what they are for.
                    Access::Rw => Access::Inc,
                    access => access,
                },
                dat: Slots::next(&mut slots.dats),
                ..direct
            }
        }
    }
}

fn access(param: &ParamInfo) -> Access {
    match (param.read, param.written) {
        (_, false) => Access::Read,
        (false, true) => Access::Write,
        (true, true) => Access::Rw,
    }
}

/// Declared extents multiplied; for those that are not declared, what is reached.
fn extent(declared: &[Option<u64>], reached: u64) -> u32 {
    let known = declared
        .iter()
        .flatten()
        .fold(1u64, |product, extent| product.saturating_mul(*extent));
    let all_known = !declared.is_empty() && declared.iter().all(Option::is_some);
    let extent = if all_known {
        known
    } else {
        reached.max(1).next_multiple_of(known.max(1))
    };
    u32::try_from(extent.max(1)).unwrap_or(u32::MAX)
}

/// By parameter, one more than the largest index seen; 0 where none is known.
struct Reach<'a> {
    body: &'a Body,
    /// Bounds of integers, both inclusive, as far as they are plain.
    bounds: BTreeMap<Value, (i64, i64)>,
    values: Vec<u64>,
    rows: Vec<u64>,
}

impl<'a> Reach<'a> {
    fn of(body: &'a Body, params: usize) -> Reach<'a> {
        let mut reach = Reach {
            body,
            bounds: BTreeMap::new(),
            values: vec![0; params],
            rows: vec![0; params],
        };
        for_each_stmt(&body.root, &mut |stmt| reach.statement(stmt));
        reach
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if let Op::Load { place, index, .. } = &self.body.values[*value].op {
                    self.note(place, *index);
                }
                if let Some(bounds) = self.computed(*value) {
                    self.bounds.insert(*value, bounds);
                }
            }
            Stmt::Store { place, index, .. } => self.note(place, *index),
            Stmt::For(it) => {
                if let Some(bounds) = self.counter(it) {
                    self.bounds.insert(it.counter, bounds);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, place: &Place, index: Value) {
        let (param, row) = match *place {
            Place::Param(param) => (usize::from(param), None),
            Place::ParamRow { param, row } => (usize::from(param), Some(row)),
            _ => return,
        };
        let reached = |value: Value| {
            let (_, high) = self.bounds.get(&value)?;
            let extent = u64::try_from(*high).ok()? + 1;
            (extent <= EXTENT_MAX).then_some(extent)
        };
        let (value, row) = (reached(index), row.and_then(reached));
        self.values[param] = self.values[param].max(value.unwrap_or(0));
        self.rows[param] = self.rows[param].max(row.unwrap_or(0));
    }

    fn counter(&self, it: &For) -> Option<(i64, i64)> {
        let (lo, hi) = (*self.bounds.get(&it.lo)?, *self.bounds.get(&it.hi)?);
        if it.step > 0 {
            Some((lo.0, hi.1.checked_sub(1)?))
        } else {
            Some((hi.0.checked_add(1)?, lo.1))
        }
    }

    /// Bounds of a value whose operands' bounds are known.
    fn computed(&self, value: Value) -> Option<(i64, i64)> {
        if let Some(constant) = self.body.int_constant(value) {
            return Some((constant, constant));
        }
        let of = |value: &Value| self.bounds.get(value).copied();
        match &self.body.values[value].op {
            Op::Convert(from) => of(from),
            Op::CheckIndex { index, len, .. } => {
                let last = i64::try_from(*len).ok()?.checked_sub(1)?;
                let (low, high) = of(index).unwrap_or((0, last));
                Some((low.max(0), high.min(last)))
            }
            Op::Binary(op, a, b) => combined(*op, of(a)?, of(b)?),
            _ => None,
        }
    }
}

fn combined(op: BinaryOp, a: (i64, i64), b: (i64, i64)) -> Option<(i64, i64)> {
    let ends = match op {
        BinaryOp::Add => [a.0.checked_add(b.0)?, a.1.checked_add(b.1)?].to_vec(),
        BinaryOp::Sub => [a.0.checked_sub(b.1)?, a.1.checked_sub(b.0)?].to_vec(),
        BinaryOp::Mul => {
            let pairs = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
            pairs
                .into_iter()
                .map(|(a, b)| a.checked_mul(b))
                .collect::<Option<Vec<_>>>()?
        }
        BinaryOp::Rem if b.0 > 0 && a.0 >= 0 => vec![0, b.1 - 1],
        _ => return None,
    };
    Some((*ends.iter().min()?, *ends.iter().max()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parloop_compiler::{KernelText, check_kernel};

    fn inferred(text: &str) -> Vec<(u32, Access)> {
        let text = KernelText {
            text,
            function: None,
            constants: &[],
            hosts: &[],
        };
        let signature = signature(&check_kernel(&text).unwrap());
        signature
            .args
            .iter()
            .map(|arg| (arg.dim, arg.access))
            .collect()
    }

    #[test]
    fn dims_come_from_indices_and_accesses_from_use() {
        let cases: [(&str, &[(u32, Access)]); 5] = [
            (
                "void f(const double *a, double *b) { b[1] = a[3]; }",
                &[(4, Access::Read), (2, Access::Write)],
            ),
            (
                "void f(double *a) { for (int n = 0; n < 4; n++) a[2 * n + 1] += 1.0; }",
                &[(8, Access::Rw)],
            ),
            (
                "void f(const float x[3][2], float *s) { *s += x[0][0]; }",
                &[(6, Access::Read), (1, Access::Rw)],
            ),
            (
                "void f(int i, int *a) { *a = i; }",
                &[(1, Access::Read), (1, Access::Write)],
            ),
            (
                "void f(void *unused, int *a) { *a = 1; }",
                &[(1, Access::Read), (1, Access::Write)],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(inferred(text), expected, "{text}");
        }
    }
}
