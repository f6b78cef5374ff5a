//! Ranges of integer values: what an index can be at most and at least.
//!
//! Computed once for each value, in order of definition, from its operands' ranges; arithmetic that could wrap gives the
//! whole range of the type. Variables are taken to hold anything of their type.

use crate::ir::{BinaryOp, Body, For, Op, Scalar, Value};
use cranelift_entity::SecondaryMap;

/// All integers from `lo` to `hi`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Interval {
    pub(super) lo: i128,
    pub(super) hi: i128,
}

impl Interval {
    fn of_type(scalar: Scalar) -> Interval {
        let bits = scalar.bytes() * 8;
        match scalar {
            Scalar::Bool => Interval { lo: 0, hi: 1 },
            s if s.is_signed() => Interval {
                lo: -(1 << (bits - 1)),
                hi: (1 << (bits - 1)) - 1,
            },
            _ => Interval {
                lo: 0,
                hi: (1 << bits) - 1,
            },
        }
    }

    fn point(at: i128) -> Interval {
        Interval { lo: at, hi: at }
    }

    fn hull(ends: [i128; 4]) -> Interval {
        let lo = ends.into_iter().min().unwrap_or(0);
        let hi = ends.into_iter().max().unwrap_or(0);
        Interval { lo, hi }
    }

    fn within(self, other: Interval) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }
}

/// Ranges of the values seen so far.
pub(super) struct Intervals {
    known: SecondaryMap<Value, Option<Interval>>,
}

impl Intervals {
    /// Of values of a body, none seen yet.
    pub(super) fn new(body: &Body) -> Intervals {
        Intervals {
            known: SecondaryMap::with_capacity(body.values.len()),
        }
    }

    /// The range of a value.
    pub(super) fn of(&self, body: &Body, value: Value) -> Interval {
        let whole = Interval::of_type(body.ty(value).scalar);
        self.known[value].unwrap_or(whole)
    }

    /// Whether a value is always one that `scalar` has.
    pub(super) fn fits(&self, body: &Body, value: Value, scalar: Scalar) -> bool {
        self.of(body, value).within(Interval::of_type(scalar))
    }

    /// Whether a sum, difference or product never wraps.
    pub(super) fn is_exact(&self, body: &Body, value: Value) -> bool {
        let whole = Interval::of_type(body.ty(value).scalar);
        match body.values[value].op {
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul), a, b) => self
                .arithmetic(op, self.of(body, a), self.of(body, b), whole)
                .is_some_and(|range| range.within(whole)),
            _ => false,
        }
    }

    /// Notes the counter of a loop. A loop whose body never runs may get any range.
    pub(super) fn enter_loop(&mut self, body: &Body, it: &For) {
        let (lo, hi) = (self.of(body, it.lo), self.of(body, it.hi));
        let range = match it.step > 0 {
            true => Interval {
                lo: lo.lo,
                hi: (hi.hi - 1).max(lo.lo),
            },
            false => Interval {
                lo: (hi.lo + 1).min(lo.hi),
                hi: lo.hi,
            },
        };
        self.known[it.counter] = Some(range);
    }

    /// Notes an instruction.
    pub(super) fn define(&mut self, body: &Body, value: Value) {
        let ty = body.ty(value);
        if ty.lanes > 1 || ty.scalar.is_float() || ty.scalar == Scalar::Addr {
            return;
        }
        let whole = Interval::of_type(ty.scalar);
        let range = self.range(body, &body.values[value].op, whole);
        self.known[value] = range.filter(|range| range.within(whole));
    }

    fn range(&self, body: &Body, op: &Op, whole: Interval) -> Option<Interval> {
        match *op {
            Op::Const(bits) => Some(Interval::point(const_value(bits, whole))),
            Op::Binary(op, a, b) => self.arithmetic(op, self.of(body, a), self.of(body, b), whole),
            Op::Select(_, a, b) => {
                let (a, b) = (self.of(body, a), self.of(body, b));
                Some(Interval::hull([a.lo, a.hi, b.lo, b.hi]))
            }
            Op::Convert(a) if !body.ty(a).scalar.is_float() => Some(self.of(body, a)),
            Op::CheckIndex { index, len, .. } => {
                let index = self.of(body, index);
                let hi = index.hi.min(i128::from(len) - 1);
                Some(Interval {
                    lo: index.lo.max(0).min(hi),
                    hi,
                })
            }
            Op::CheckDivisor { divisor, .. } => Some(self.of(body, divisor)),
            _ => None,
        }
    }

    fn arithmetic(
        &self,
        op: BinaryOp,
        a: Interval,
        b: Interval,
        whole: Interval,
    ) -> Option<Interval> {
        let products = [
            a.lo.saturating_mul(b.lo),
            a.lo.saturating_mul(b.hi),
            a.hi.saturating_mul(b.lo),
            a.hi.saturating_mul(b.hi),
        ];
        match op {
            BinaryOp::Add => Some(Interval {
                lo: a.lo + b.lo,
                hi: a.hi + b.hi,
            }),
            BinaryOp::Sub => Some(Interval {
                lo: a.lo - b.hi,
                hi: a.hi - b.lo,
            }),
            BinaryOp::Mul => Some(Interval::hull(products)),
            BinaryOp::Div if a.lo >= 0 && b.lo > 0 => Some(Interval {
                lo: a.lo / b.hi,
                hi: a.hi / b.lo,
            }),
            BinaryOp::Rem if a.lo >= 0 && b.lo > 0 => Some(Interval {
                lo: 0,
                hi: a.hi.min(b.hi - 1),
            }),
            BinaryOp::And if b.lo >= 0 => Some(Interval { lo: 0, hi: b.hi }),
            BinaryOp::And if a.lo >= 0 => Some(Interval { lo: 0, hi: a.hi }),
            BinaryOp::Shl if a.lo >= 0 && b.lo == b.hi => {
                let scale = 1i128 << count(b.lo, whole);
                Some(Interval {
                    lo: a.lo * scale,
                    hi: a.hi * scale,
                })
            }
            BinaryOp::Shr if a.lo >= 0 && b.lo == b.hi => {
                let range = Interval {
                    lo: a.lo >> count(b.lo, whole),
                    hi: a.hi >> count(b.lo, whole),
                };
                Some(range)
            }
            _ => Some(whole),
        }
    }
}

/// By how much a count shifts a type with this range: it is masked to the type's bits.
fn count(by: i128, whole: Interval) -> u32 {
    let bits = (whole.hi - whole.lo + 1).ilog2();
    (by as u32) & (bits - 1)
}

/// The number that a constant's bits mean in a type with this range.
fn const_value(bits: u64, whole: Interval) -> i128 {
    let unsigned = i128::from(bits);
    if unsigned <= whole.hi {
        return unsigned;
    }
    unsigned - (whole.hi - whole.lo + 1)
}
