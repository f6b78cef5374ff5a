//! Indices as sums: a constant plus whole multiples of values.
//!
//! All arithmetic is modulo 2^64, as that of the values is, so two indices with the same terms differ by exactly the
//! difference of their constants, whatever the terms are.

use crate::ir::{BinaryOp, Body, Op, Scalar, Type, Value};
use smallvec::SmallVec;

/// How many terms a sum may have before an index counts as one value.
const TERMS_MAX: usize = 6;

/// How deep additions are followed.
const DEPTH_MAX: u32 = 12;

/// The terms of a sum: value and factor, in the order of the values, no factor zero.
pub(super) type Terms = SmallVec<[(Value, i64); 2]>;

/// A sum.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Linear {
    pub(super) terms: Terms,
    pub(super) constant: i64,
}

impl Linear {
    /// What an `I64` value is.
    pub(super) fn of(body: &Body, value: Value) -> Linear {
        let mut sum = Linear::default();
        if sum.add(body, value, 1, 0).is_none() {
            sum = Linear {
                terms: SmallVec::from_slice(&[(value, 1)]),
                constant: 0,
            };
        }
        sum
    }

    /// How often a value is added.
    pub(super) fn factor(&self, value: Value) -> i64 {
        let found = self.terms.binary_search_by_key(&value, |term| term.0);
        found.map_or(0, |at| self.terms[at].1)
    }

    /// Makes a value a number.
    pub(super) fn substitute(&mut self, value: Value, number: i64) {
        if let Ok(at) = self.terms.binary_search_by_key(&value, |term| term.0) {
            let (_, factor) = self.terms.remove(at);
            self.constant = self.constant.wrapping_add(factor.wrapping_mul(number));
        }
    }

    /// The same sum of what indices are before they are checked; `None` if that makes too many terms.
    pub(super) fn unchecked(&self, body: &Body) -> Option<Linear> {
        let mut sum = Linear {
            constant: self.constant,
            ..Linear::default()
        };
        for (value, factor) in &self.terms {
            match body.values[*value].op {
                Op::CheckIndex { index, .. } => sum.add(body, index, *factor, 0)?,
                _ => sum.term(*value, *factor)?,
            }
        }
        Some(sum)
    }

    /// Adds `factor` times a value; `None` if that makes too many terms.
    fn add(&mut self, body: &Body, value: Value, factor: i64, depth: u32) -> Option<()> {
        if let Some(constant) = body.int_constant(value) {
            self.constant = self.constant.wrapping_add(constant.wrapping_mul(factor));
            return Some(());
        }
        let Op::Binary(op, a, b) = body.values[value].op else {
            return self.term(value, factor);
        };
        if depth == DEPTH_MAX || body.ty(value) != Type::of(Scalar::I64) {
            return self.term(value, factor);
        }
        let depth = depth + 1;
        match (op, body.int_constant(a), body.int_constant(b)) {
            (BinaryOp::Add, ..) => {
                self.add(body, a, factor, depth)?;
                self.add(body, b, factor, depth)
            }
            (BinaryOp::Sub, ..) => {
                self.add(body, a, factor, depth)?;
                self.add(body, b, factor.wrapping_neg(), depth)
            }
            (BinaryOp::Mul, Some(by), _) => self.add(body, b, factor.wrapping_mul(by), depth),
            (BinaryOp::Mul, _, Some(by)) => self.add(body, a, factor.wrapping_mul(by), depth),
            (BinaryOp::Shl, _, Some(by)) if (0..64).contains(&by) => self.add(
                body,
                a,
                factor.wrapping_mul(1i64.wrapping_shl(by as u32)),
                depth,
            ),
            _ => self.term(value, factor),
        }
    }

    fn term(&mut self, value: Value, factor: i64) -> Option<()> {
        match self.terms.binary_search_by_key(&value, |term| term.0) {
            Ok(at) => {
                self.terms[at].1 = self.terms[at].1.wrapping_add(factor);
                if self.terms[at].1 == 0 {
                    self.terms.remove(at);
                }
            }
            Err(_) if factor == 0 => {}
            Err(_) if self.terms.len() == TERMS_MAX => return None,
            Err(at) => self.terms.insert(at, (value, factor)),
        }
        Some(())
    }
}
