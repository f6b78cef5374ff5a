//! How the values of neighbouring stores become a vector, and whether that pays.

use super::{Access, Group, Run};
use crate::ir::{BinaryOp, Op, Value};
use smallvec::SmallVec;

/// How deep a packed expression may be.
const DEPTH_MAX: u32 = 400;

/// How many operations are looked at for the stores of one vector.
const WORK_MAX: u32 = 4096;

/// A plan for a vector: how to build it, how many instructions that saves, in front of which statement it can be.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) packed: Packed,
    pub(super) gain: i32,
    pub(super) at: usize,
}

/// A vector as it would be built.
#[derive(Clone)]
pub(super) enum Packed {
    /// One value in all lanes.
    Same(Value),
    /// Values brought together.
    Joined(Group),
    /// Neighbouring loads.
    Loaded(Group),
    /// The same operation on vectors.
    Each(Group, Vec<Plan>),
    /// A vector that is there already.
    Built(Value),
}

impl Run<'_> {
    /// How to pack values.
    pub(super) fn plan(&mut self, values: &[Value], depth: u32) -> Plan {
        self.work += 1;
        let at = self.all_ready(values);
        let plan = |packed, gain| Plan { packed, gain, at };
        let first = values[0];
        if let Some(bits) = self.body.constant(first)
            && values
                .iter()
                .all(|value| self.body.constant(*value) == Some(bits))
        {
            return plan(Packed::Same(first), 0);
        }
        if let Some((vector, at)) = self.built.get(values) {
            let packed = Packed::Built(*vector);
            return Plan {
                packed,
                gain: 0,
                at: *at,
            };
        }
        if values.iter().all(|value| *value == first) {
            return plan(Packed::Same(first), self.making(values, 1));
        }
        if let Some(loaded) = self.plan_loads(values) {
            return loaded;
        }
        let each = match depth < DEPTH_MAX && self.work < WORK_MAX {
            true => self.plan_each(values, depth),
            false => None,
        };
        if self.lanes_of(values).is_some() {
            return plan(Packed::Joined(values.into()), 0);
        }
        let moves = match values.len() {
            2 => 1,
            lanes => lanes as i32,
        };
        each.filter(|plan| plan.gain >= -moves)
            .unwrap_or_else(|| plan(Packed::Joined(values.into()), self.making(values, moves)))
    }

    /// What it gains to make a vector of values in so many moves: nothing if those leave the loop.
    fn making(&self, values: &[Value], moves: i32) -> i32 {
        let leaves = self.in_loop && self.all_ready(values) == 0;
        if leaves { 0 } else { -moves }
    }

    fn plan_loads(&self, values: &[Value]) -> Option<Plan> {
        let loads = values.iter().map(|value| self.loads.get(value).copied());
        let loads: SmallVec<[Access; 4]> = loads.collect::<Option<_>>()?;
        let early = loads.iter().map(|load| load.at).min()?;
        let first = loads[0];
        let constant = self.body.constant(first.index).is_some();
        let movable = loads.windows(2).all(|pair| self.adjacent(pair[0], pair[1]))
            && (constant || self.ready(first.index) <= early)
            && loads.iter().all(|load| self.may_rise(*load, early));
        let saved = values.len() as i32 - 1;
        movable.then_some(Plan {
            packed: Packed::Loaded(values.into()),
            gain: if self.single(values) { saved } else { -1 },
            at: early,
        })
    }

    /// Whether nothing else uses any of the values.
    pub(super) fn single(&self, values: &[Value]) -> bool {
        values.iter().all(|value| self.uses[*value] == 1)
    }

    fn plan_each(&mut self, values: &[Value], depth: u32) -> Option<Plan> {
        let groups = self.operands(values)?;
        let defined = values.iter().map(|value| self.defined_at(*value));
        let defined: SmallVec<[usize; 4]> = defined.collect::<Option<_>>()?;
        let plans = groups.iter().map(|group| self.plan(group, depth + 1));
        let operands: Vec<Plan> = plans.collect();
        let at = operands.iter().map(|plan| plan.at).max().unwrap_or(0);
        let single = self.single(values);
        // Other uses of the scalars follow their definitions; the vector has to be there by then.
        if !single && defined.iter().any(|own| at > *own) {
            return None;
        }
        let own = if single { values.len() as i32 - 1 } else { 0 };
        let gain = own + operands.iter().map(|plan| plan.gain).sum::<i32>();
        let packed = Packed::Each(values.into(), operands);
        Some(Plan { packed, gain, at })
    }

    /// The operands of values that one instruction can compute, by operand.
    fn operands(&self, values: &[Value]) -> Option<SmallVec<[Group; 3]>> {
        let mut groups: SmallVec<[Group; 3]> = SmallVec::new();
        let first = &self.body.values[values[0]].op;
        for value in values {
            let op = &self.body.values[*value].op;
            let alike = match (first, op) {
                (Op::Binary(p, ..), Op::Binary(q, ..)) => p == q && is_vector(*p),
                (Op::Unary(p, _), Op::Unary(q, _)) => p == q,
                (Op::Fma(..), Op::Fma(..)) => true,
                _ => false,
            };
            if !alike {
                return None;
            }
            let mut operand = 0;
            op.for_each_operand(|value| {
                if groups.len() == operand {
                    groups.push(Group::new());
                }
                groups[operand].push(value);
                operand += 1;
            });
        }
        Some(groups)
    }
}

/// Whether an operation has an instruction for all lanes that costs what the scalar one does.
fn is_vector(op: BinaryOp) -> bool {
    use BinaryOp::{Add, Div, Mul, Sub};
    matches!(op, Add | Sub | Mul | Div)
}
