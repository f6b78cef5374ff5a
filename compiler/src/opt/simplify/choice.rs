//! Branches that only set variables become choices between values.
//!
//! What little both sides compute is computed always: that costs less than a branch taken wrongly, or the registers that paths
//! which meet again have to agree on. Minimum and maximum are instructions then.

use super::Simplify;
use crate::ir::{BinaryOp, Block, Inst, Op, Stmt, Type, UnaryOp, Value, Var};
use std::collections::BTreeMap;

/// The most instructions of both sides.
const COMPUTED_MAX: usize = 4;

/// The most variables that the sides set.
const CHOICES_MAX: usize = 4;

impl Simplify<'_> {
    /// Whether two sides of a branch are better done both.
    pub(super) fn is_choice(&self, then: &Block, other: &Block) -> bool {
        let (mut computed, mut set) = (0, 0);
        for stmt in then.iter().chain(other) {
            match stmt {
                Stmt::Let(value) if is_cheap(&self.body.values[*value]) => computed += 1,
                Stmt::Set(..) => set += 1,
                _ => return false,
            }
        }
        set > 0 && set <= CHOICES_MAX && computed <= COMPUTED_MAX
    }

    /// Does both sides, and chooses what variables hold then.
    pub(super) fn choose(&mut self, cond: Value, sides: [Block; 2], kept: &mut Block) {
        let [taken, left] = sides.map(|side| self.side(side, kept));
        let mut vars: Vec<Var> = taken.keys().chain(left.keys()).copied().collect();
        vars.sort_unstable();
        vars.dedup();
        // All are chosen before one is set.
        let chosen: Vec<Value> = vars
            .iter()
            .map(|var| {
                let [a, b] = [&taken, &left].map(|side| self.after(side, *var, kept));
                self.computed(Op::Select(cond, a, b), self.body.ty(a), kept)
            })
            .collect();
        for (var, value) in vars.into_iter().zip(chosen) {
            self.hold(var, Some(value));
            kept.push(Stmt::Set(var, value));
        }
    }

    /// Does what a side computes; what it leaves variables to hold.
    fn side(&mut self, side: Block, kept: &mut Block) -> BTreeMap<Var, Value> {
        let mut set = BTreeMap::new();
        for stmt in side {
            match stmt {
                Stmt::Set(var, value) => drop(set.insert(var, value)),
                other => kept.push(other),
            }
        }
        set
    }

    /// What a variable holds behind a side.
    fn after(&mut self, side: &BTreeMap<Var, Value>, var: Var, kept: &mut Block) -> Value {
        match side.get(&var).copied().or(self.held[var].expand()) {
            Some(value) => value,
            None => self.computed(Op::Get(var), self.body.vars[var], kept),
        }
    }

    fn computed(&mut self, op: Op, ty: Type, kept: &mut Block) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        if self.instruction(value) {
            kept.push(Stmt::Let(value));
        }
        self.resolve(value)
    }
}

/// Whether an instruction takes a cycle or few, and can't fail.
fn is_cheap(Inst { op, ty }: &Inst) -> bool {
    match op {
        Op::Const(_) | Op::Compare(..) | Op::Select(..) => true,
        Op::Unary(op, _) => matches!(op, UnaryOp::Neg | UnaryOp::Not | UnaryOp::Abs),
        Op::Binary(op, ..) => match op {
            BinaryOp::Div | BinaryOp::Rem => false,
            BinaryOp::Mul => ty.scalar.is_float(),
            _ => true,
        },
        _ => false,
    }
}
