//! Scalars that are divided by the same, two by two: a unit does one division after the other, and two of a vector in the same time.
//!
//! Inverses of Jacobians are such quotients, by the determinant; all that follows waits for them. What the second dividend is
//! computed from goes in front of the first quotient, where nothing but arithmetic lies between.

use super::runs::{each_run, is_control};
use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, Type, Value};
use cranelift_entity::SecondaryMap;
use std::collections::{BTreeMap, BTreeSet};

/// The fewest quotients by one divisor that are done so: of fewer, moving lanes about costs what it saves.
const QUOTIENTS_MIN: usize = 3;

/// How many of those that follow are tried as a quotient's second.
const TRIED_MAX: usize = 16;

/// The most statements that go in front of a quotient for its second.
const MOVED_MAX: usize = 64;

const PAIR: Type = Type::F64.with_lanes(2);

/// Pairs quotients in the runs of a body's root without control flow.
pub(super) fn pair_quotients(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    each_run(&mut root, is_control, |run| pair(body, run));
    body.root = root;
}

/// A run of statements without control flow.
struct Run<'a> {
    body: &'a mut Body,
    statements: Block,
    /// Where a value is defined, counted from 1.
    defined: SecondaryMap<Value, usize>,
    /// By statement: those that go in front of it, by number.
    moved: BTreeMap<usize, BTreeSet<usize>>,
    is_moved: Vec<bool>,
    /// By first quotient of a pair: the second.
    pairs: BTreeMap<Value, Value>,
}

fn pair(body: &mut Body, statements: Block) -> Block {
    let mut by_divisor: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    let mut defined = SecondaryMap::new();
    for (at, stmt) in statements.iter().enumerate() {
        let Stmt::Let(value) = stmt else {
            continue;
        };
        defined[*value] = at + 1;
        if let Inst {
            op: Op::Binary(BinaryOp::Div, _, divisor),
            ty: Type::F64,
        } = body.values[*value]
        {
            by_divisor.entry(divisor).or_default().push(*value);
        }
    }
    by_divisor.retain(|_, quotients| quotients.len() >= QUOTIENTS_MIN);
    if by_divisor.is_empty() {
        return statements;
    }
    let mut run = Run {
        is_moved: vec![false; statements.len()],
        body,
        statements,
        defined,
        moved: BTreeMap::new(),
        pairs: BTreeMap::new(),
    };
    for quotients in by_divisor.values() {
        run.pair_all(quotients);
    }
    run.written()
}

impl Run<'_> {
    /// Pairs each quotient with the next whose dividend may be computed before it.
    fn pair_all(&mut self, quotients: &[Value]) {
        let mut left = quotients.to_vec();
        left.reverse();
        while let Some(first) = left.pop() {
            let near = left.len().saturating_sub(TRIED_MAX);
            let mut nearest = left[near..].iter();
            if let Some(second) = nearest.rposition(|second| self.join(first, *second)) {
                self.pairs.insert(first, left.remove(near + second));
            }
        }
    }

    /// Moves what a second dividend needs in front of the first quotient, if that may be.
    fn join(&mut self, first: Value, second: Value) -> bool {
        let (at, second_at) = (self.defined[first] - 1, self.defined[second] - 1);
        if self.is_moved[at] || self.is_moved[second_at] {
            return false;
        }
        let mut needed = BTreeSet::new();
        let may_move = self
            .dividend(second)
            .is_some_and(|dividend| self.need(dividend, at, &mut needed));
        if !may_move {
            return false;
        }
        needed.insert(second_at);
        for number in &needed {
            self.is_moved[*number] = true;
        }
        self.moved.entry(at).or_default().extend(needed);
        true
    }

    fn dividend(&self, quotient: Value) -> Option<Value> {
        match self.body.values[quotient].op {
            Op::Binary(BinaryOp::Div, dividend, _) => Some(dividend),
            _ => None,
        }
    }

    /// Finds the statements behind `at` that a value needs; `false` if one of them can't go there, or they are many.
    fn need(&self, value: Value, at: usize, needed: &mut BTreeSet<usize>) -> bool {
        let mut left = vec![value];
        while let Some(value) = left.pop() {
            let Some(number) = self.defined[value].checked_sub(1) else {
                continue;
            };
            if number < at && !self.is_moved[number] || needed.contains(&number) {
                continue;
            }
            let op = &self.body.values[value].op;
            let is_arithmetic = matches!(
                op,
                Op::Const(_) | Op::Unary(..) | Op::Binary(..) | Op::Fma(..)
            );
            // The first of a pair stays where it is, with all that goes in front of it, and so does what has moved already.
            let stays = number == at || self.is_moved[number] || self.moved.contains_key(&number);
            if stays || !is_arithmetic || op.can_fail() || needed.len() == MOVED_MAX {
                return false;
            }
            needed.insert(number);
            op.for_each_operand(|operand| left.push(operand));
        }
        true
    }

    fn written(self) -> Block {
        let Run {
            body,
            statements,
            moved,
            is_moved,
            pairs,
            ..
        } = self;
        let second: BTreeSet<Value> = pairs.values().copied().collect();
        let mut written = Block::with_capacity(statements.len() + pairs.len());
        for (at, stmt) in statements.iter().enumerate() {
            if is_moved[at] {
                continue;
            }
            for number in moved.get(&at).into_iter().flatten() {
                // The second quotient comes with the first.
                if !matches!(&statements[*number], Stmt::Let(value) if second.contains(value)) {
                    written.push(statements[*number].clone());
                }
            }
            match stmt {
                Stmt::Let(first) if pairs.contains_key(first) => {
                    divide(body, *first, pairs[first], &mut written);
                }
                _ => written.push(stmt.clone()),
            }
        }
        written
    }
}

/// Writes two quotients by the same as lanes of one.
fn divide(body: &mut Body, first: Value, second: Value, to: &mut Block) {
    let Op::Binary(BinaryOp::Div, a, divisor) = body.values[first].op else {
        unreachable!("pairs are of quotients")
    };
    let Op::Binary(BinaryOp::Div, b, _) = body.values[second].op else {
        unreachable!("pairs are of quotients")
    };
    let mut push = |op| {
        let value = body.values.push(Inst { op, ty: PAIR });
        to.push(Stmt::Let(value));
        value
    };
    let [a, b, divisor] = [a, b, divisor].map(|scalar| push(Op::Splat(scalar)));
    let dividends = push(Op::Shuffle(a, b, [0, 2, 0, 0]));
    let both = push(Op::Binary(BinaryOp::Div, dividends, divisor));
    for (quotient, lane) in [(first, 0), (second, 1)] {
        body.values[quotient].op = Op::Lane(both, lane);
        to.push(Stmt::Let(quotient));
    }
}
