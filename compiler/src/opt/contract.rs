//! Products that are added become fused multiply-adds, save on sums carried round a loop.
//!
//! A product with other uses stays as it is. A carried sum stays an addition: its latency bounds the loop, and a fused
//! operation's is longer. Needs a target with the instruction and the option to contract.

use super::operands::count_uses;
use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, UnaryOp, Value, Var};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// Contracts the root of a body. `carried` are variables carried from element to element.
pub(super) fn contract(body: &mut Body, carried: &BTreeSet<Var>) {
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Contract {
        uses: count_uses(body, &root),
        carried: SecondaryMap::new(),
        loops: vec![carried.clone()],
        body,
    };
    pass.block(&mut root);
    body.root = root;
}

struct Contract<'a> {
    body: &'a mut Body,
    uses: SecondaryMap<Value, u32>,
    /// Values that hold a carried sum.
    carried: SecondaryMap<Value, bool>,
    /// For each loop around: the variables set in it.
    loops: Vec<BTreeSet<Var>>,
}

impl Contract<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            let is_loop = stmt.is_loop();
            if is_loop {
                let body = stmt.blocks().next().expect("a loop has a body");
                self.loops.push(super::effects::effects(body).vars);
            }
            for inner in stmt.blocks_mut() {
                self.block(inner);
            }
            if is_loop {
                self.loops.pop();
            }
            if let Stmt::Let(value) = stmt {
                self.instruction(value, &mut kept);
            }
            kept.push(stmt);
        }
        *block = kept;
    }

    fn instruction(&mut self, value: Value, kept: &mut Block) {
        let Inst { op, ty } = &self.body.values[value];
        match *op {
            Op::Get(var) => self.carried[value] = self.loops.iter().any(|l| l.contains(&var)),
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) if ty.scalar.is_float() => {
                self.carried[value] = self.carried[a] || self.carried[b];
                if let Some(fused) = self.fuse(op, a, b, kept) {
                    self.body.values[value].op = fused;
                }
            }
            _ => {}
        }
    }

    fn fuse(&mut self, op: BinaryOp, a: Value, b: Value, kept: &mut Block) -> Option<Op> {
        let left = self.product(a).filter(|_| !self.carried[b]);
        let right = self.product(b).filter(|_| !self.carried[a]);
        // Of two products the later one is fused: the earlier is ready first.
        let right = right.filter(|_| left.is_none() || b > a);
        if let Some((x, y)) = right {
            let x = match op {
                BinaryOp::Sub => self.negated(x, kept),
                _ => x,
            };
            return Some(Op::Fma(x, y, a));
        }
        let (x, y) = left?;
        let addend = match op {
            BinaryOp::Sub => self.negated(b, kept),
            _ => b,
        };
        Some(Op::Fma(x, y, addend))
    }

    /// The factors of a product that has no other use.
    fn product(&self, value: Value) -> Option<(Value, Value)> {
        match self.body.values[value].op {
            Op::Binary(BinaryOp::Mul, x, y) if self.uses[value] == 1 => Some((x, y)),
            _ => None,
        }
    }

    fn negated(&mut self, value: Value, kept: &mut Block) -> Value {
        let ty = self.body.ty(value);
        let op = Op::Unary(UnaryOp::Neg, value);
        let negated = self.body.values.push(Inst { op, ty });
        kept.push(Stmt::Let(negated));
        negated
    }
}
