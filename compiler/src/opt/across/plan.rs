//! What of an element's statements is done for both elements at once, and what for one after the other.

use crate::ir::{BinaryOp, Body, Inst, Loop, Op, Place, Stmt, Type, UnaryOp, Value, Var};
use crate::opt::operands::{count_uses, for_each_operand};
use crate::opt::simplify::{Memory, memory};
use crate::signature::Source;
use crate::target::{Level, Target};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// What is known of the statements of one element.
pub(super) struct Plan {
    /// Memory that the second element may see the first one write.
    pub(super) shared: BTreeSet<Memory>,
    /// Variables that are set.
    pub(super) carried: BTreeSet<Var>,
    /// Values that depend on what the element before did.
    pub(super) serial: SecondaryMap<Value, bool>,
    /// Comparisons of each element's doubles that only choose between doubles.
    pub(super) masks: SecondaryMap<Value, bool>,
    /// Values that elements have in common.
    pub(super) uniform: SecondaryMap<Value, bool>,
    level: Level,
}

impl Plan {
    /// Plans the statements of a loop, if they are of a kind that can be done for two elements.
    pub(super) fn of(it: &Loop, target: &Target) -> Option<Plan> {
        let mut plan = Plan {
            shared: shared(it),
            carried: BTreeSet::new(),
            serial: SecondaryMap::new(),
            masks: SecondaryMap::new(),
            uniform: SecondaryMap::new(),
            level: target.level,
        };
        for stmt in &it.body.root {
            if let Stmt::Set(var, _) = stmt {
                plan.carried.insert(*var);
            }
        }
        for stmt in &it.before {
            if let Stmt::Let(value) = stmt {
                plan.uniform[*value] = true;
            }
        }
        if !it.body.root.iter().all(|stmt| plan.note(&it.body, stmt)) {
            return None;
        }
        plan.find_masks(&it.body);
        Some(plan)
    }

    /// Notes what a statement depends on; `false` if it can't be done for two elements.
    fn note(&mut self, body: &Body, stmt: &Stmt) -> bool {
        let is_serial = self.depends(body, stmt);
        match stmt {
            Stmt::Let(value) => {
                let op = &body.values[*value].op;
                self.serial[*value] = is_serial || self.sees_others(op);
                self.uniform[*value] = self.is_common(op);
                !op.can_fail() && !is_in_array(op)
            }
            Stmt::Set(..) => true,
            // What both elements store by themselves must not wait for what they share.
            Stmt::Store { place, .. } => {
                let is_shared = self.shared.contains(&memory(place));
                !matches!(place, Place::Array(_)) && (is_shared || !is_serial)
            }
            _ => false,
        }
    }

    fn depends(&self, body: &Body, stmt: &Stmt) -> bool {
        let mut found = false;
        for_each_operand(body, stmt, |operand| found |= self.serial[operand]);
        found
    }

    /// Whether an operation reads what the element before may have written.
    fn sees_others(&self, op: &Op) -> bool {
        match op {
            Op::Get(var) => self.carried.contains(var),
            Op::Load { place, .. } => self.shared.contains(&memory(place)),
            _ => false,
        }
    }

    fn is_common(&self, op: &Op) -> bool {
        let mut common = true;
        op.for_each_operand(|operand| common &= self.uniform[operand]);
        let is_same = match op {
            Op::Element => false,
            Op::Load { place, .. } => match place {
                Place::Row { region, .. } => region.readonly,
                Place::Table(_) | Place::Constant(_) => true,
                _ => false,
            },
            _ => true,
        };
        common && is_same && !self.sees_others(op)
    }

    /// Finds the comparisons of doubles that nothing but choices between doubles uses.
    fn find_masks(&mut self, body: &Body) {
        let uses = count_uses(body, &body.root);
        let mut chosen: SecondaryMap<Value, u32> = SecondaryMap::new();
        for stmt in &body.root {
            if let Stmt::Let(value) = stmt
                && let Inst {
                    op: Op::Select(cond, ..),
                    ty: Type::F64,
                } = body.values[*value]
                && !self.serial[*value]
            {
                chosen[cond] += 1;
            }
        }
        for stmt in &body.root {
            if let Stmt::Let(value) = stmt
                && let Op::Compare(_, a, _) = body.values[*value].op
            {
                let of_each = body.ty(a) == Type::F64 && !self.uniform[*value];
                self.masks[*value] = of_each && chosen[*value] == uses[*value];
            }
        }
    }

    /// Whether anything but moves is done for both elements in one instruction.
    pub(super) fn saves_something(&self, it: &Loop) -> bool {
        it.body.root.iter().any(|stmt| match stmt {
            Stmt::Let(value) => self.is_shared(&it.body, *value),
            _ => false,
        })
    }

    /// Whether one instruction does an operation for both elements.
    pub(super) fn is_shared(&self, body: &Body, value: Value) -> bool {
        if self.serial[value] || self.uniform[value] {
            return false;
        }
        let Inst { op, ty } = &body.values[value];
        match op {
            Op::Compare(..) => self.masks[value],
            Op::Select(cond, ..) => *ty == Type::F64 && self.masks[*cond],
            _ if *ty != Type::F64 => false,
            Op::Unary(UnaryOp::Sqrt | UnaryOp::Neg | UnaryOp::Abs, _) => true,
            // Without these instructions they are a call for each lane.
            Op::Unary(..) | Op::Fma(..) => self.level.has_fma(),
            Op::Binary(op, ..) => matches!(
                op,
                BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Min
                    | BinaryOp::Max
            ),
            _ => false,
        }
    }
}

fn is_in_array(op: &Op) -> bool {
    let array = |place: &Place| matches!(place, Place::Array(_));
    matches!(op, Op::Load { place, .. } if array(place))
}

/// Memory that is written and not each element's own.
fn shared(it: &Loop) -> BTreeSet<Memory> {
    let args = it.signature.args.iter();
    let written = args.filter(|arg| arg.access.writes() && arg.source != Source::Direct);
    written.map(|arg| Memory::Region(arg.dat)).collect()
}
