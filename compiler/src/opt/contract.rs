//! Products that are added become fused multiply-adds, save on sums carried round a loop that does little else.
//!
//! A product with other uses stays as it is, save in rank-k updates, which are all fused or not at all. A carried sum stays an addition where its latency bounds the loop, as a fused
//! operation's is longer: not where a trip's other work takes longer than all that is added to the sum one after the other.
//! Needs a target with the instruction and the option to contract.

use super::fold::sign_bit;
use super::rank_update::RankUpdate;
use crate::ir::{
    BinaryOp, Block, Body, Inst, Op, Stmt, UnaryOp, Value, Var, count_uses, per_value,
};
use crate::target::Target;
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use std::collections::{BTreeMap, BTreeSet};

/// Contracts the root of a body. `carried` are variables carried from element to element.
pub(super) fn contract(body: &mut Body, carried: &BTreeSet<Var>, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Contract {
        uses: count_uses(body, &root),
        carried: per_value(body),
        fused: EntitySet::new(),
        loops: vec![awaited(body, &root, carried)],
        in_update: false,
        target,
        body,
    };
    pass.block(&mut root);
    if !pass.fused.is_empty() {
        drop_products(&pass.fused, &mut root);
    }
    body.root = root;
}

/// Drops products that nothing uses any more.
fn drop_products(fused: &EntitySet<Value>, block: &mut Block) {
    for inner in block.iter_mut().flat_map(Stmt::blocks_mut) {
        drop_products(fused, inner);
    }
    block.retain(|stmt| !matches!(stmt, Stmt::Let(value) if fused.contains(*value)));
}

struct Contract<'a> {
    body: &'a mut Body,
    uses: SecondaryMap<Value, u32>,
    /// Values that hold a carried sum.
    carried: SecondaryMap<Value, bool>,
    /// Products that all their uses have been fused with.
    fused: EntitySet<Value>,
    /// For each loop around: the variables whose sums it waits for.
    loops: Vec<BTreeSet<Var>>,
    /// Whether the statements are those of a rank-k update.
    in_update: bool,
    target: &'a Target,
}

impl Contract<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            let is_loop = stmt.is_loop();
            if is_loop {
                let body = stmt.blocks().next().expect("a loop has a body");
                let set = super::effects::effects(body).vars;
                self.loops.push(awaited(self.body, body, &set));
            }
            let around = self.in_update;
            self.in_update |= matches!(&stmt, Stmt::For(it) if RankUpdate::of(self.body, it, self.target).is_some());
            for inner in stmt.blocks_mut() {
                self.block(inner);
            }
            self.in_update = around;
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
            self.note_fused(b);
            let x = match op {
                BinaryOp::Sub => self.negated(x, kept),
                _ => x,
            };
            return Some(Op::Fma(x, y, a));
        }
        let (x, y) = left?;
        self.note_fused(a);
        let addend = match op {
            BinaryOp::Sub => self.negated(b, kept),
            _ => b,
        };
        Some(Op::Fma(x, y, addend))
    }

    /// The factors of a product that has no other use, or is one of an update, where each addition is fused.
    fn product(&self, value: Value) -> Option<(Value, Value)> {
        match self.body.values[value].op {
            Op::Binary(BinaryOp::Mul, x, y) if self.in_update || self.uses[value] == 1 => {
                Some((x, y))
            }
            _ => None,
        }
    }

    fn note_fused(&mut self, product: Value) {
        self.uses[product] -= 1;
        if self.uses[product] == 0 {
            self.fused.insert(product);
        }
    }

    fn negated(&mut self, value: Value, kept: &mut Block) -> Value {
        let ty = self.body.ty(value);
        // A constant has its sign in its bits: where it is used, it is read from the pool.
        let op = match self.body.constant(value) {
            Some(bits) => Op::Const(bits ^ sign_bit(ty.scalar)),
            None => Op::Unary(UnaryOp::Neg, value),
        };
        let negated = self.body.values.push(Inst { op, ty });
        kept.push(Stmt::Let(negated));
        negated
    }
}

/// So many loads, stores and operations on floats run while one that is fused does.
const OPERATIONS_PER_FMA: usize = 16;

/// How often a loop of unknown length is taken to run.
const TRIPS: u64 = 8;

/// Of the variables that a loop's trip sets, those whose sums take longer, fused, than the rest of it.
fn awaited(body: &Body, block: &Block, set: &BTreeSet<Var>) -> BTreeSet<Var> {
    let mut trip = Trip {
        body,
        set,
        operations: 0,
        sums: SecondaryMap::new(),
        added: BTreeMap::new(),
    };
    if !set.is_empty() {
        trip.count(block, 1);
    }
    let Trip {
        operations, added, ..
    } = trip;
    let is_awaited = |count: &usize| count.saturating_mul(OPERATIONS_PER_FMA) > operations;
    let awaited = added.iter().filter(|(_, count)| is_awaited(count));
    awaited.map(|(var, _)| *var).collect()
}

/// What one trip of a loop does.
struct Trip<'a> {
    body: &'a Body,
    set: &'a BTreeSet<Var>,
    /// Loads, stores and operations on floats.
    operations: usize,
    /// The variable that a value is the sum of so far.
    sums: SecondaryMap<Value, PackedOption<Var>>,
    /// How often is added to each.
    added: BTreeMap<Var, usize>,
}

impl Trip<'_> {
    fn count(&mut self, block: &Block, times: usize) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => self.instruction(*value, times),
                Stmt::Store { .. } => self.operations = self.operations.saturating_add(times),
                _ => {}
            }
            let trips = match stmt {
                Stmt::For(it) => self.body.trips(it).unwrap_or(TRIPS),
                Stmt::Loop { .. } => TRIPS,
                _ => 1,
            };
            for inner in stmt.blocks() {
                self.count(inner, times.saturating_mul(trips as usize));
            }
        }
    }

    fn instruction(&mut self, value: Value, times: usize) {
        let Inst { op, ty } = &self.body.values[value];
        if ty.scalar.is_float() && !matches!(op, Op::Const(_) | Op::Get(_)) {
            self.operations = self.operations.saturating_add(times);
        }
        match *op {
            Op::Get(var) if self.set.contains(&var) => self.sums[value] = var.into(),
            Op::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) => {
                let sum = self.sums[a].expand().or(self.sums[b].expand());
                if let Some(var) = sum {
                    self.sums[value] = var.into();
                    let added = self.added.entry(var).or_default();
                    *added = added.saturating_add(times);
                }
            }
            _ => {}
        }
    }
}
