//! Branches that compute alike: `if (c) x = a / d; else if (e) x = b / d;` needs one quotient, of `c ? a : b`.
//!
//! Quotients and roots take longer than all else that both sides of a branch might compute.

use super::straighten::Straighten;
use crate::ir::{BinaryOp, Body, Op, Scalar, Stmt, UnaryOp, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// How deep two computations are compared.
const DEPTH_MAX: u32 = 6;

/// The two sides of a branch, both done.
pub(super) struct Sides {
    cond: Value,
    /// What the side computes that is done if the condition holds, and what the other one does.
    taken: FxHashSet<Value>,
    left: FxHashSet<Value>,
    chosen: FxHashMap<(Value, Value), Value>,
}

impl Sides {
    pub(super) fn new(cond: Value, taken: &[Stmt], left: &[Stmt]) -> Sides {
        let value = |stmt: &Stmt| match stmt {
            Stmt::Let(value) => Some(*value),
            _ => None,
        };
        let computed = |side: &[Stmt]| side.iter().filter_map(value).collect();
        Sides {
            cond,
            taken: computed(taken),
            left: computed(left),
            chosen: FxHashMap::default(),
        }
    }

    /// Whether two values are computed alike from a quotient or a root each, and what else they are computed from can be chosen.
    fn share_quotient(&self, body: &Body, a: Value, b: Value, depth: u32) -> bool {
        let shares = |a, b| self.share_quotient(body, a, b, depth + 1);
        let is_choosable = |a, b| {
            let is_truth = body.ty(a).scalar == Scalar::Bool;
            !is_truth || shares(a, b) || is_same(body, a, b, depth + 1)
        };
        let share = |pairs: Vec<(Value, Value)>| {
            let mut all = pairs.iter();
            let is_one = is_slow(body, a) || all.any(|(a, b)| shares(*a, *b));
            is_one && pairs.iter().all(|(a, b)| is_choosable(*a, *b))
        };
        let are_of_sides = self.taken.contains(&a) && self.left.contains(&b);
        depth < DEPTH_MAX && are_of_sides && pairs(body, a, b).is_some_and(share)
    }
}

impl Straighten<'_> {
    /// `a` if the condition holds, otherwise `b`; the same value for the same question.
    pub(super) fn choice(&mut self, sides: &mut Sides, a: Value, b: Value) -> Value {
        if let Some(known) = sides.chosen.get(&(a, b)) {
            return *known;
        }
        let chosen = self.new_choice(sides, a, b);
        sides.chosen.insert((a, b), chosen);
        chosen
    }

    fn new_choice(&mut self, sides: &mut Sides, a: Value, b: Value) -> Value {
        if is_same(self.body, a, b, 0) {
            return a;
        }
        if sides.share_quotient(self.body, a, b, 0) {
            return self.merged(sides, a, b);
        }
        if let Op::Select(second, taken, left) = self.body.values[b].op
            && sides.share_quotient(self.body, a, taken, 0)
        {
            let either = self.merged(sides, a, taken);
            let left = self.select(second, either, left);
            return self.select(sides.cond, either, left);
        }
        self.select(sides.cond, a, b)
    }

    /// The operation that two values are of, on choices between their operands.
    fn merged(&mut self, sides: &mut Sides, a: Value, b: Value) -> Value {
        let [of, others] = [a, b].map(|value| operands(self.body, value));
        let chosen: Vec<Value> = of
            .into_iter()
            .zip(others)
            .map(|(a, b)| self.choice(sides, a, b))
            .collect();
        let mut op = self.body.values[a].op.clone();
        let mut chosen = chosen.into_iter();
        op.map_operands(|operand| chosen.next().unwrap_or(operand));
        self.push(op, self.body.ty(a))
    }

    fn select(&mut self, cond: Value, a: Value, b: Value) -> Value {
        self.push(Op::Select(cond, a, b), self.body.ty(a))
    }
}

fn operands(body: &Body, value: Value) -> Vec<Value> {
    let mut found = Vec::new();
    body.values[value]
        .op
        .for_each_operand(|operand| found.push(operand));
    found
}

/// The pairs of operands of two values, if they are the same operation, without side effects, otherwise.
fn pairs(body: &Body, a: Value, b: Value) -> Option<Vec<(Value, Value)>> {
    let [of, others] = [a, b].map(|value| operands(body, value));
    let [first, second] = [a, b].map(|value| &body.values[value]);
    if !first.op.is_pure() || first.ty != second.ty || of.len() != others.len() {
        return None;
    }
    let mut op = first.op.clone();
    let mut replaced = others.iter();
    op.map_operands(|operand| *replaced.next().unwrap_or(&operand));
    (op == second.op).then(|| of.into_iter().zip(others).collect())
}

/// Whether two values are computed in the same way from the same values.
fn is_same(body: &Body, a: Value, b: Value, depth: u32) -> bool {
    let are_same = |pairs: Vec<(Value, Value)>| {
        let mut pairs = pairs.into_iter();
        pairs.all(|(a, b)| is_same(body, a, b, depth + 1))
    };
    a == b || (depth < DEPTH_MAX && pairs(body, a, b).is_some_and(are_same))
}

fn is_slow(body: &Body, value: Value) -> bool {
    let is_either = matches!(
        body.values[value].op,
        Op::Binary(BinaryOp::Div, ..) | Op::Unary(UnaryOp::Sqrt, _)
    );
    is_either && body.ty(value).scalar.is_float()
}
