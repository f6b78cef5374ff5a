//! Sums of many terms become partial sums that do not wait for each other, where the caller allows it.
//!
//! A sum in the order of the text is a chain: each addition waits for the one before. Its terms are dealt out to a few sums, which
//! are added in the end; what a variable held before, a sum carried round a loop, comes last, so that a trip waits for one
//! addition. Only additions are re-ordered, all of one type; what is subtracted stays with its own term. Nests that are run as
//! rank-k updates keep their order.

use super::spill::is_update;
use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, Type, Value, count_uses};
use crate::target::Target;
use cranelift_entity::{EntitySet, SecondaryMap};

/// The fewest terms of a sum that are dealt out, if none of them is carried.
const TERMS_MIN: usize = 4;

/// The most partial sums: an addition takes as long as so many begin in.
const SUMS_MAX: usize = 4;

/// Deals out the sums of a body's root.
pub(super) fn split_sums(body: &mut Body, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Split {
        uses: count_uses(body, &root),
        body,
        target,
    };
    pass.block(&mut root);
    body.root = root;
}

struct Split<'a> {
    body: &'a mut Body,
    uses: SecondaryMap<Value, u32>,
    target: &'a Target,
}

/// The sums of a block.
#[derive(Default)]
struct Sums {
    /// What the block defines.
    own: EntitySet<Value>,
    /// The last addition of each sum.
    last: EntitySet<Value>,
}

impl Split<'_> {
    fn block(&mut self, block: &mut Block) {
        let sums = self.sums(block);
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if !is_update(self.body, &stmt, self.target) {
                stmt.blocks_mut().for_each(|inner| self.block(inner));
            }
            if let Stmt::Let(value) = stmt
                && sums.last.contains(value)
            {
                self.split(value, &sums.own, &mut kept);
            }
            kept.push(stmt);
        }
        *block = kept;
    }

    fn sums(&self, block: &Block) -> Sums {
        let mut sums = Sums::default();
        for stmt in block {
            let Stmt::Let(value) = stmt else {
                continue;
            };
            sums.own.insert(*value);
            let Some(operands) = self.addition(*value) else {
                continue;
            };
            for operand in operands {
                if self.is_within(operand, self.body.ty(*value), &sums.own) {
                    sums.last.remove(operand);
                }
            }
            sums.last.insert(*value);
        }
        sums
    }

    fn addition(&self, value: Value) -> Option<[Value; 2]> {
        match self.body.values[value] {
            Inst {
                op: Op::Binary(BinaryOp::Add, a, b),
                ty,
            } if ty.scalar.is_float() => Some([a, b]),
            _ => None,
        }
    }

    /// Whether a value is a sum that nothing but another one of its block uses.
    fn is_within(&self, value: Value, ty: Type, own: &EntitySet<Value>) -> bool {
        let is_sum = self.addition(value).is_some() && self.body.ty(value) == ty;
        is_sum && self.uses[value] == 1 && own.contains(value)
    }

    /// The terms of a sum, from left to right.
    fn terms(&self, sum: Value, own: &EntitySet<Value>) -> Vec<Value> {
        let ty = self.body.ty(sum);
        let (mut terms, mut left) = (Vec::new(), vec![sum]);
        while let Some(value) = left.pop() {
            match self.addition(value) {
                Some([a, b]) if value == sum || self.is_within(value, ty, own) => {
                    left.extend([b, a]);
                }
                _ => terms.push(value),
            }
        }
        terms
    }

    /// Makes a sum one of partial sums, which are computed before it.
    fn split(&mut self, sum: Value, own: &EntitySet<Value>, kept: &mut Block) {
        let is_carried = |value: &Value| matches!(self.body.values[*value].op, Op::Get(_));
        let terms = self.terms(sum, own).into_iter();
        let (carried, terms): (Vec<Value>, Vec<Value>) = terms.partition(is_carried);
        let few = if carried.is_empty() { TERMS_MIN } else { 2 };
        if terms.len() < few {
            return;
        }
        let count = (terms.len() / 2).clamp(1, SUMS_MAX);
        let dealt = (0..count).map(|first| terms.iter().copied().skip(first).step_by(count));
        let dealt: Vec<Vec<Value>> = dealt.map(Iterator::collect).collect();
        let mut sums: Vec<Value> = dealt.iter().map(|terms| self.added(terms, kept)).collect();
        let most = if carried.is_empty() { 2 } else { 1 };
        while sums.len() > most {
            sums = sums.chunks(2).map(|pair| self.added(pair, kept)).collect();
        }
        if !carried.is_empty() {
            sums.insert(0, self.added(&carried, kept));
        }
        if let [a, b] = sums[..] {
            self.body.values[sum].op = Op::Binary(BinaryOp::Add, a, b);
        }
    }

    /// The sum of some values, one after the other.
    fn added(&mut self, values: &[Value], kept: &mut Block) -> Value {
        let add = |sum, value| {
            let (op, ty) = (Op::Binary(BinaryOp::Add, sum, value), self.body.ty(value));
            let sum = self.body.values.push(Inst { op, ty });
            kept.push(Stmt::Let(sum));
            sum
        };
        let all = values.iter().copied();
        all.reduce(add).expect("there is a value")
    }
}
