//! How much of what its parameters point to a kernel uses, as far as its text tells; and the signature of a plain function.
//!
//! Declared extents count first (`double A[12][12]`); else the largest index that the kernel can be seen to use, plus one: bounds
//! are followed through loop counters, constants, tables of integers and integer arithmetic. An index that depends on data has no
//! bound here, and the caller has to say.

use crate::ir::{BinaryOp, Body, For, Op, Passing, Place, Stmt, Table, Value, for_each_stmt};
use crate::signature::{Access, ArgSignature, DType, Iteration, Layout, Signature, Source};
use crate::source::{CheckedKernel, ParamInfo};
use rustc_hash::FxHashMap as HashMap;

/// An extent that no kernel in use comes near.
const EXTENT_MAX: u64 = 1 << 24;

/// How far a kernel is seen to reach through one of its parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// One more than the largest index of a value; 0 if there is none.
    pub values: u64,
    /// For an array of row pointers: one more than the largest row.
    pub rows: u64,
    /// Whether some index is not known to stay below.
    pub open: bool,
}

impl Reach {
    /// Of every parameter, in order.
    pub fn of(checked: &CheckedKernel) -> Vec<Reach> {
        let mut seen = Seen {
            body: &checked.kernel.body,
            bounds: HashMap::default(),
            tables: tables(&checked.kernel.body),
            reach: vec![Reach::default(); checked.params.len()],
        };
        for_each_stmt(&checked.kernel.body.root, &mut |stmt| seen.statement(stmt));
        seen.reach
    }

    /// How many values the kernel may use through `param`: what it declares, else what is reached. `None` if an index depends on
    /// data.
    pub fn extent(&self, param: &ParamInfo) -> Option<u64> {
        let known = param.extents.iter().flatten();
        let known = known.fold(1u64, |product, extent| product.saturating_mul(*extent));
        if !param.extents.is_empty() && param.extents.iter().all(Option::is_some) {
            return Some(known);
        }
        (!self.open).then(|| self.values.max(1).next_multiple_of(known.max(1)))
    }
}

/// What stands for the signature of a plain function while its text is not parsed: the extents that the caller gave.
pub fn provisional_function_signature(extents: &[u32]) -> Signature {
    let args = extents.iter().enumerate().map(|(index, dim)| ArgSignature {
        source: Source::Direct,
        dtype: DType::U8,
        dim: *dim,
        layout: Layout::Aos,
        access: Access::Read,
        dat: index as u16,
    });
    Signature {
        iteration: Iteration::Function,
        args: args.collect(),
        allow_conflicts: false,
    }
}

/// The signature of `checked` as a plain function. `extents` are the caller's, by parameter; 0 or a missing one leaves it to the
/// text.
///
/// # Errors
/// The first parameter, by number, whose extent neither the caller nor the text gives, or that a plain function can't have.
pub fn function_signature(
    checked: &CheckedKernel,
    extents: &[u32],
) -> Result<Signature, ExtentError> {
    let reach = Reach::of(checked);
    let mut args = Vec::with_capacity(checked.params.len());
    for (index, param) in checked.params.iter().enumerate() {
        let given = extents.get(index).copied().filter(|extent| *extent > 0);
        args.push(argument(index, param, &reach[index], given)?);
    }
    if extents.len() > args.len() {
        return Err(ExtentError::Surplus { params: args.len() });
    }
    Ok(Signature {
        iteration: Iteration::Function,
        args,
        allow_conflicts: false,
    })
}

fn argument(
    index: usize,
    param: &ParamInfo,
    reach: &Reach,
    given: Option<u32>,
) -> Result<ArgSignature, ExtentError> {
    let name = || param.name.clone();
    let (source, dim) = match param.passing {
        Passing::Value => (Source::Value, 1),
        Passing::Unused => (Source::Direct, 1),
        Passing::Rows => return Err(ExtentError::Rows { name: name() }),
        Passing::Pointer => {
            let found = || {
                reach
                    .extent(param)
                    .and_then(|extent| u32::try_from(extent).ok())
            };
            let dim = given.or_else(found);
            (
                Source::Direct,
                dim.ok_or(ExtentError::Unknown { name: name() })?,
            )
        }
    };
    let constant = param.is_const || param.passing != Passing::Pointer;
    Ok(ArgSignature {
        source,
        dtype: param.dtype.unwrap_or(DType::U8),
        dim,
        layout: Layout::Aos,
        access: if constant { Access::Read } else { Access::Rw },
        dat: index as u16,
    })
}

/// Why a kernel has no signature as a plain function.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtentError {
    /// An index through this parameter depends on data.
    #[error("how many values `{name}` points to depends on data: say its extent")]
    Unknown {
        /// The parameter.
        name: String,
    },
    /// An array of row pointers.
    #[error(
        "`{name}` is an array of row pointers, which only a loop's argument through a map can give"
    )]
    Rows {
        /// The parameter.
        name: String,
    },
    /// More extents than parameters.
    #[error("there are more extents than the kernel's {params} parameters")]
    Surplus {
        /// Parameters of the kernel.
        params: usize,
    },
}

fn tables(body: &Body) -> HashMap<Table, (i64, i64)> {
    let ranges = body.tables.iter();
    ranges
        .filter_map(|(table, data)| Some((table, data.int_range()?)))
        .collect()
}

/// The walk over a kernel's statements.
struct Seen<'a> {
    body: &'a Body,
    /// Bounds of integers, both inclusive, as far as they are plain.
    bounds: HashMap<Value, (i64, i64)>,
    /// Bounds of the entries of tables of integers.
    tables: HashMap<Table, (i64, i64)>,
    reach: Vec<Reach>,
}

impl Seen<'_> {
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
        let (values, rows) = (reached(index), row.map(reached));
        let reach = &mut self.reach[param];
        reach.open |= values.is_none() || rows == Some(None);
        reach.values = reach.values.max(values.unwrap_or(0));
        reach.rows = reach.rows.max(rows.flatten().unwrap_or(0));
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
            Op::Load {
                place: Place::Table(table),
                ..
            } => self.tables.get(table).copied(),
            Op::Select(_, a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                Some((a.0.min(b.0), a.1.max(b.1)))
            }
            Op::CheckIndex { index, len, .. } => {
                let last = i64::try_from(*len).ok()?.checked_sub(1)?;
                let (low, high) = of(index).unwrap_or((0, last));
                Some((low.max(0), high.min(last)))
            }
            // What masks and remainders leave is bounded whatever they are of.
            Op::Binary(BinaryOp::And, _, mask) if of(mask).is_some_and(|m| m.0 >= 0) => {
                Some((0, of(mask)?.1))
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
        BinaryOp::Div if b.0 > 0 && a.0 >= 0 => vec![a.0 / b.1, a.1 / b.0],
        BinaryOp::Rem if b.0 > 0 && a.0 >= 0 => vec![0, a.1.min(b.1 - 1)],
        BinaryOp::Shl if b.0 == b.1 && (0..32).contains(&b.0) && a.0 >= 0 => {
            vec![a.0.checked_mul(1 << b.0)?, a.1.checked_mul(1 << b.0)?]
        }
        BinaryOp::Shr if b.0 == b.1 && (0..63).contains(&b.0) && a.0 >= 0 => {
            vec![a.0 >> b.0, a.1 >> b.0]
        }
        _ => return None,
    };
    Some((*ends.iter().min()?, *ends.iter().max()?))
}
