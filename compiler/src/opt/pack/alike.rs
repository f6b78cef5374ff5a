//! Scalars that are alike are computed together although nothing stores them side by side: quotients and roots of neighbouring
//! elements, which a unit does one after the other, whatever their width, and the weights of a quadrature's points.

use super::{Group, Run};
use crate::ir::{Body, Op, Stmt, Type, Value};
use crate::opt::strip::is_slow;
use rustc_hash::FxHashSet as HashSet;

/// How many instructions fewer there must be where scalars are taken from their lanes to be in all lanes of a vector each.
const WEIGHTS_GAIN_MIN: i32 = 2;

/// How many scalars lie between those of one point and the next, at most.
const POINT_MAX: usize = 4;

/// How many operations are looked at in a run, for all weights.
const RUN_WORK_MAX: u32 = 20_000;

impl Run<'_> {
    /// Packs those that so many elements compute alike from what lies side by side.
    pub(super) fn pack_slow(&mut self, elements: usize) {
        let all: Vec<Value> = self
            .statements
            .iter()
            .filter_map(|stmt| match stmt {
                Stmt::Let(value) if is_slow(&self.body.values[*value]) => Some(*value),
                _ => None,
            })
            .collect();
        let lanes = usize::from(self.vector.lanes);
        let of_each = all.len() / elements;
        if elements < lanes || !all.len().is_multiple_of(elements) {
            return;
        }
        for several in all.chunks_exact(lanes * of_each.max(1)) {
            for number in 0..of_each {
                let alike = several.iter().skip(number).step_by(of_each);
                self.pack_alike(&alike.copied().collect(), 0);
            }
        }
    }

    /// Packs what vectors have in all lanes where it is computed alike in one point and the next.
    pub(super) fn pack_weights(&mut self) {
        let weights = self.weights();
        let lanes = usize::from(self.vector.lanes);
        let mut packed: HashSet<Value> = HashSet::default();
        let mut work = 0;
        for at in 0..weights.len() {
            for step in 1..=POINT_MAX {
                let alike: Group = weights[at..]
                    .iter()
                    .step_by(step)
                    .take(lanes)
                    .copied()
                    .collect();
                let is_known = alike.iter().any(|value| packed.contains(value));
                if alike.len() < lanes || is_known || work > RUN_WORK_MAX {
                    continue;
                }
                let is_packed = self.pack_alike(&alike, WEIGHTS_GAIN_MIN);
                work += self.work;
                if is_packed {
                    packed.extend(alike);
                    break;
                }
            }
        }
    }

    /// The scalars computed here that are in all lanes of some vector, in the order of those.
    fn weights(&self) -> Vec<Value> {
        let mut known: HashSet<Value> = HashSet::default();
        let weights = self.statements.iter().filter_map(|stmt| match stmt {
            Stmt::Let(vector) => weight(self.body, *vector, self.vector),
            _ => None,
        });
        weights
            .filter(|scalar| self.defined_at(*scalar).is_some() && known.insert(*scalar))
            .collect()
    }

    /// Packs some that are alike, if their operands are there together before the first is needed and that gains enough; whether
    /// it was done.
    fn pack_alike(&mut self, values: &Group, gain: i32) -> bool {
        self.work = 0;
        let plan = self.plan(values, 0);
        let is_early = |value: &Value| self.defined_at(*value).is_some_and(|at| plan.at <= at);
        if plan.gain < gain || !values.iter().all(is_early) {
            return false;
        }
        let vector = self.build(&plan);
        for (lane, value) in values.iter().enumerate() {
            self.take(*value, vector, lane as u8, plan.at);
        }
        true
    }
}

/// What a vector has in all lanes, if that is computed.
pub(super) fn weight(body: &Body, vector: Value, ty: Type) -> Option<Value> {
    let scalar = match body.values[vector].op {
        Op::Splat(scalar) if body.ty(vector) == ty => scalar,
        _ => return None,
    };
    let op = &body.values[scalar].op;
    matches!(op, Op::Binary(..) | Op::Fma(..) | Op::Unary(..)).then_some(scalar)
}
