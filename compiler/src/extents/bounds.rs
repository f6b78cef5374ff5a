//! Bounds of a kernel's indices, in one walk in order of definition.
//!
//! Plain arithmetic only: what is not known to stay between two numbers has no bounds, and its use as an index leaves the
//! extent open. Nothing relies on a bound for safety: accesses are checked against the extents all the same.

use super::Reach;
use super::holds::Holds;
use crate::ir::{BinaryOp, Body, For, Op, Place, Scalar, Stmt, Type, Value, for_each_stmt};
use rustc_hash::FxHashMap as HashMap;

/// An extent that no kernel in use comes near.
const EXTENT_MAX: u64 = 1 << 24;

/// The least and the greatest of some integers.
pub(super) type Bounds = (i64, i64);

/// How far a kernel reaches through each of its `params` parameters.
pub(super) fn reach(body: &Body, params: usize) -> Vec<Reach> {
    let mut seen = Seen {
        body,
        holds: Holds::of(body),
        bounds: HashMap::default(),
        reach: vec![Reach::default(); params],
    };
    for_each_stmt(&body.root, &mut |stmt| seen.statement(stmt));
    seen.reach
}

/// Bounds of either.
pub(super) fn hull(a: Bounds, b: Bounds) -> Bounds {
    (a.0.min(b.0), a.1.max(b.1))
}

/// The walk over a kernel's statements.
struct Seen<'a> {
    body: &'a Body,
    holds: Holds,
    /// Of integers, as far as they are plain.
    bounds: HashMap<Value, Bounds>,
    reach: Vec<Reach>,
}

impl Seen<'_> {
    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if let Op::Load { place, index, .. } = &self.body.values[*value].op {
                    self.note(place, *index);
                }
                let fits = |bounds: &Bounds| fits(*bounds, self.body.ty(*value));
                if let Some(bounds) = self.computed(*value).filter(fits) {
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
            // A negative index is a failure, whatever the extent.
            let extent = u64::try_from(*high).map_or(0, |high| high + 1);
            (extent <= EXTENT_MAX).then_some(extent)
        };
        let (values, rows) = (reached(index), row.map(reached));
        let reach = &mut self.reach[param];
        reach.open |= values.is_none();
        reach.open_rows |= rows == Some(None);
        reach.values = reach.values.max(values.unwrap_or(0));
        reach.rows = reach.rows.max(rows.flatten().unwrap_or(0));
    }

    fn counter(&self, it: &For) -> Option<Bounds> {
        let (lo, hi) = (*self.bounds.get(&it.lo)?, *self.bounds.get(&it.hi)?);
        // A loop that never runs may have any bounds, in order.
        if it.step > 0 {
            Some((lo.0, hi.1.checked_sub(1)?.max(lo.0)))
        } else {
            Some((hi.0.checked_add(1)?.min(lo.1), lo.1))
        }
    }

    /// Bounds of a value whose operands' bounds are known.
    fn computed(&self, value: Value) -> Option<Bounds> {
        if let Some(constant) = self.body.int_constant(value) {
            return Some((constant, constant));
        }
        if self.body.ty(value).scalar == Scalar::Bool {
            return Some((0, 1));
        }
        let of = |value: &Value| self.bounds.get(value).copied();
        match &self.body.values[value].op {
            Op::Convert(from) => of(from),
            Op::Get(var) => self.holds.read(*var, value),
            Op::Load { place, .. } => self.holds.place(place),
            Op::Select(_, a, b) => Some(hull(of(a)?, of(b)?)),
            Op::CheckDivisor { divisor, .. } => of(divisor),
            Op::CheckIndex { index, len, .. } => {
                let last = i64::try_from(*len).ok()?.checked_sub(1)?;
                let (low, high) = of(index).unwrap_or((0, last));
                Some((low.clamp(0, last.max(0)), high.clamp(0, last.max(0))))
            }
            // What masks and remainders leave is bounded whatever they are of.
            Op::Binary(BinaryOp::And, a, b) => {
                let mask = |mask: &Value| of(mask).filter(|bounds| bounds.0 >= 0);
                let high = match (mask(a), mask(b)) {
                    (Some(a), Some(b)) => a.1.min(b.1),
                    (a, b) => a.or(b)?.1,
                };
                Some((0, high))
            }
            Op::Binary(BinaryOp::Rem, a, b) => {
                let last = of(b).filter(|b| b.0 > 0)?.1 - 1;
                let signed = self.body.ty(*a).scalar.is_signed();
                let (low, high) = of(a).unwrap_or((if signed { -last } else { 0 }, last));
                Some((low.clamp(-last, 0), high.clamp(0, last)))
            }
            // A count is masked to the bits of what it shifts.
            Op::Binary(BinaryOp::Shl | BinaryOp::Shr, _, b)
                if of(b)?.1 >= i64::from(self.body.ty(value).scalar.bytes() * 8) =>
            {
                None
            }
            Op::Binary(op, a, b) => combined(*op, of(a)?, of(b)?),
            _ => None,
        }
    }
}

/// Whether integers between bounds are all of a type, so that none was wrapped.
fn fits(bounds: Bounds, ty: Type) -> bool {
    let bits = ty.scalar.bytes() * 8;
    let whole = match ty.scalar {
        Scalar::Bool => (0, 1),
        Scalar::U64 => (0, i64::MAX),
        Scalar::I64 => (i64::MIN, i64::MAX),
        scalar if !scalar.is_int() => return false,
        scalar if scalar.is_signed() => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => (0, (1 << bits) - 1),
    };
    whole.0 <= bounds.0 && bounds.1 <= whole.1
}

fn combined(op: BinaryOp, a: Bounds, b: Bounds) -> Option<Bounds> {
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
