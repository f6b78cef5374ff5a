//! What of an element's statements is done for all elements at once, and what for one after the other.

use crate::ir::{
    BinaryOp, Block, Body, Inst, Loop, Op, Place, Scalar, Stmt, Type, UnaryOp, Value, Var,
    for_each_stmt,
};
use crate::opt::operands::{count_uses, for_each_operand};
use crate::opt::simplify::{Memory, memory};
use crate::signature::Source;
use crate::target::{Level, Target};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// What is known of the statements of one element.
pub(super) struct Plan {
    /// What is computed for all elements at once: a float of each.
    pub(super) vector: Type,
    /// Memory that an element may see the one before write.
    pub(super) shared: BTreeSet<Memory>,
    /// Variables that are set.
    pub(super) carried: BTreeSet<Var>,
    /// Values that depend on what the element before did.
    pub(super) serial: SecondaryMap<Value, bool>,
    /// Comparisons of each element's floats that only choose between floats, all of the vector's kind.
    pub(super) masks: SecondaryMap<Value, bool>,
    /// Values that elements have in common.
    pub(super) uniform: SecondaryMap<Value, bool>,
    level: Level,
}

impl Plan {
    /// Plans the statements of a loop, if they are of a kind that can be done for several elements.
    pub(super) fn of(it: &Loop, vector: Type, target: &Target) -> Option<Plan> {
        let mut plan = Plan {
            vector,
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

    /// Notes what a statement depends on; `false` if it can't be done for several elements.
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
            // What elements store by themselves must not wait for what they share.
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

    /// How many elements are done at once.
    pub(super) fn elements(&self) -> usize {
        usize::from(self.vector.lanes)
    }

    /// What one element has of a vector.
    pub(super) fn float(&self) -> Type {
        Type::of(self.vector.scalar)
    }

    /// Finds the comparisons of floats that nothing but choices between floats uses.
    fn find_masks(&mut self, body: &Body) {
        let uses = count_uses(body, &body.root);
        let mut chosen: SecondaryMap<Value, u32> = SecondaryMap::new();
        for stmt in &body.root {
            if let Stmt::Let(value) = stmt
                && let Inst {
                    op: Op::Select(cond, ..),
                    ty,
                } = body.values[*value]
                && ty == self.float()
                && !self.serial[*value]
            {
                chosen[cond] += 1;
            }
        }
        for stmt in &body.root {
            if let Stmt::Let(value) = stmt
                && let Op::Compare(_, a, _) = body.values[*value].op
            {
                let of_each = body.ty(a) == self.float() && !self.uniform[*value];
                self.masks[*value] = of_each && chosen[*value] == uses[*value];
            }
        }
    }

    /// Whether anything but moves is done for all elements in one instruction.
    pub(super) fn saves_something(&self, it: &Loop) -> bool {
        it.body.root.iter().any(|stmt| match stmt {
            Stmt::Let(value) => self.is_shared(&it.body, *value),
            _ => false,
        })
    }

    /// Whether one instruction does an operation for all elements.
    pub(super) fn is_shared(&self, body: &Body, value: Value) -> bool {
        if self.serial[value] || self.uniform[value] {
            return false;
        }
        let Inst { op, ty } = &body.values[value];
        match op {
            Op::Compare(..) => self.masks[value],
            Op::Select(cond, ..) => *ty == self.float() && self.masks[*cond],
            _ if *ty != self.float() => false,
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

/// The vector for a loop whose lanes may be so many: of the kind of float that more of its operations are on.
pub(super) fn vector_for(body: &Body, root: &Block, lanes: u8) -> Option<Type> {
    let (mut doubles, mut floats) = (0, 0);
    for_each_stmt(root, &mut |stmt| {
        if let Stmt::Let(value) = stmt
            && let Inst { op, ty } = &body.values[*value]
            && matches!(op, Op::Unary(..) | Op::Binary(..) | Op::Fma(..))
        {
            doubles += u32::from(*ty == Type::F64);
            floats += u32::from(*ty == Type::of(Scalar::F32));
        }
    });
    let vector = match floats > doubles {
        true => Type::of(Scalar::F32).with_lanes(4),
        false => Type::F64.with_lanes(2),
    };
    (vector.lanes <= lanes).then_some(vector)
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
