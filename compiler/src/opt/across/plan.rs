//! What of an element's statements is done for all elements at once, and what for one after the other.

use super::own::is_small;
use crate::ir::{
    Array, ArrayData, BinaryOp, Block, Body, For, Inst, Loop, Op, Place, Scalar, Stmt, Type,
    UnaryOp, Value, Var, count_uses, for_each_operand, for_each_stmt, per_value,
};
use crate::opt::alias::access;
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
    /// Variables that go from element to element.
    pub(super) carried: BTreeSet<Var>,
    /// Variables of which each element has its own.
    pub(super) own: BTreeSet<Var>,
    /// Whether there are loops among the statements.
    pub(super) has_loops: bool,
    /// Values that depend on what the element before did.
    pub(super) serial: SecondaryMap<Value, bool>,
    /// Comparisons of each element's floats that only choose between floats, all of the vector's kind.
    pub(super) masks: SecondaryMap<Value, bool>,
    /// Values that elements have in common.
    pub(super) uniform: SecondaryMap<Value, bool>,
    /// Whether the statements do what is left of a range, too, so that those of one element need not be compiled.
    pub(super) covers_rest: bool,
    /// Arrays that go from element to element, or that something is left in after the last.
    kept: BTreeSet<Array>,
    level: Level,
}

impl Plan {
    /// Plans the statements of a loop, if they are of a kind that can be done for several elements.
    pub(super) fn of(it: &Loop, vector: Type, target: &Target) -> Option<Plan> {
        let mut plan = Plan {
            vector,
            shared: shared(it),
            carried: BTreeSet::new(),
            own: BTreeSet::new(),
            has_loops: false,
            serial: per_value(&it.body),
            masks: per_value(&it.body),
            uniform: per_value(&it.body),
            covers_rest: false,
            kept: arrays_of([&it.before, &it.after], &it.body),
            level: target.level,
        };
        let Vars { carried, own } = Vars::of(it);
        (plan.carried, plan.own) = (carried, own);
        for stmt in &it.before {
            if let Stmt::Let(value) = stmt {
                plan.uniform[*value] = true;
            }
        }
        let note = |stmt| plan.note(&it.body, stmt);
        if !it.body.root.iter().all(note) {
            return None;
        }
        plan.find_masks(&it.body);
        // Where all rows are the elements' own, those of neighbours are accessed together; four elements that may be any take
        // registers for their numbers that shorter statements need.
        let mut args = it.signature.args.iter();
        let has_maps = args.any(|arg| arg.source.map().is_some());
        let may_be_any = plan.has_loops || has_maps && vector.lanes == 2;
        plan.covers_rest = may_be_any && plan.may_cover_rest(&it.body);
        (plan.covers_rest || !plan.has_loops).then_some(plan)
    }

    /// Whether nothing is read again after it was stored, so that an element may run twice at once: it stores the same to its own rows.
    fn may_cover_rest(&self, body: &Body) -> bool {
        let mut stored = BTreeSet::new();
        let mut reads_stored = false;
        for_each_stmt(&body.root, &mut |stmt| {
            let Some((place, _, _, is_store)) = access(body, stmt) else {
                return;
            };
            let memory = memory(&place);
            if is_store {
                stored.insert(memory);
            } else if !matches!(place, Place::Array(_)) && !self.shared.contains(&memory) {
                reads_stored |= stored.contains(&memory);
            }
        });
        !reads_stored
    }

    /// Notes what a statement depends on; `false` if it can't be done for several elements.
    fn note(&mut self, body: &Body, stmt: &Stmt) -> bool {
        let is_serial = self.depends(body, stmt);
        match stmt {
            Stmt::Let(value) => {
                let op = &body.values[*value].op;
                self.serial[*value] = is_serial || self.sees_others(op);
                self.uniform[*value] = self.is_common(op);
                !op.can_fail() && self.is_of_all(body, op) && !self.is_late(op, is_serial)
            }
            Stmt::Set(var, _) => self.carried.contains(var) || !is_serial,
            Stmt::Store {
                place: Place::Array(array),
                index,
                ..
            } => !is_serial && self.uniform[*index] && self.may_widen(body, *array),
            // What elements store by themselves must not wait for what they share.
            Stmt::Store { place, .. } => self.shared.contains(&memory(place)) || !is_serial,
            Stmt::Clear(array) => self.may_widen(body, *array),
            Stmt::For(it) => self.note_loop(body, it),
            _ => false,
        }
    }

    /// As `note`, of a loop: it runs for all elements at once if nothing in it sees or changes what they share.
    fn note_loop(&mut self, body: &Body, it: &For) -> bool {
        self.has_loops = true;
        self.uniform[it.counter] = true;
        let is_of_all = |plan: &Plan, stmt: &Stmt| match stmt {
            Stmt::Let(value) => !plan.serial[*value],
            Stmt::Set(var, _) => !plan.carried.contains(var),
            Stmt::Store { place, .. } => matches!(place, Place::Array(_)),
            _ => true,
        };
        let runs = body.trips(it).is_some_and(|trips| trips > 0);
        runs && it
            .body
            .iter()
            .all(|stmt| self.note(body, stmt) && is_of_all(self, stmt))
    }

    /// Whether a local array can have an entry of each element where it has one.
    fn may_widen(&self, body: &Body, array: Array) -> bool {
        let ArrayData { scalar, len } = body.arrays[array];
        scalar == self.vector.scalar && is_small(len) && !self.kept.contains(&array)
    }

    /// Whether a row that the loop writes is read only where the element before has told the index: what all elements store to their
    /// own rows is done by then.
    fn is_late(&self, op: &Op, is_serial: bool) -> bool {
        match op {
            Op::Load {
                place: place @ Place::Row { region, .. },
                ..
            } => is_serial && !region.readonly && !self.shared.contains(&memory(place)),
            _ => false,
        }
    }

    /// Whether what is loaded from a local array is the same entry for all elements.
    fn is_of_all(&self, body: &Body, op: &Op) -> bool {
        match op {
            Op::Load {
                place: Place::Array(array),
                index,
                ..
            } => self.uniform[*index] && self.may_widen(body, *array),
            _ => true,
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
            Op::Get(var) => !self.own.contains(var),
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
        let mut chosen: SecondaryMap<Value, u32> = SecondaryMap::new();
        let mut chooses = false;
        for_each_stmt(&body.root, &mut |stmt| {
            if let Stmt::Let(value) = stmt
                && let Inst {
                    op: Op::Select(cond, ..),
                    ty,
                } = body.values[*value]
                && ty == self.float()
                && !self.serial[*value]
            {
                chosen[cond] += 1;
                chooses = true;
            }
        });
        if !chooses {
            return;
        }
        let uses = count_uses(body, &body.root);
        for_each_stmt(&body.root, &mut |stmt| {
            if let Stmt::Let(value) = stmt
                && let Op::Compare(_, a, _) = body.values[*value].op
            {
                let of_each = body.ty(a) == self.float() && !self.uniform[*value];
                self.masks[*value] = of_each && chosen[*value] == uses[*value];
            }
        });
    }

    /// Whether anything but moves is done for all elements in one instruction.
    pub(super) fn saves_something(&self, it: &Loop) -> bool {
        let mut found = false;
        for_each_stmt(&it.body.root, &mut |stmt| {
            if let Stmt::Let(value) = stmt {
                found |= self.is_shared(&it.body, *value);
            }
        });
        found
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

/// What becomes of the variables that elements set.
#[derive(Default)]
struct Vars {
    /// They go from element to element, or something is left of them after the last.
    carried: BTreeSet<Var>,
    /// An element sets them before it reads them.
    own: BTreeSet<Var>,
}

impl Vars {
    fn of(it: &Loop) -> Vars {
        let (mut vars, mut read) = (Vars::default(), BTreeSet::new());
        for_each_stmt(&it.body.root, &mut |stmt| match stmt {
            Stmt::Set(var, _) if read.contains(var) => drop(vars.carried.insert(*var)),
            Stmt::Set(var, _) => drop(vars.own.insert(*var)),
            Stmt::Let(value) => {
                if let Op::Get(var) = it.body.values[*value].op
                    && !vars.own.contains(&var)
                {
                    read.insert(var);
                }
            }
            _ => {}
        });
        for outside in [&it.before, &it.after] {
            for_each_stmt(outside, &mut |stmt| {
                let var = match stmt {
                    Stmt::Set(var, _) => Some(*var),
                    Stmt::Let(value) => match it.body.values[*value].op {
                        Op::Get(var) => Some(var),
                        _ => None,
                    },
                    _ => None,
                };
                if let Some(var) = var.and_then(|var| vars.own.take(&var)) {
                    vars.carried.insert(var);
                }
            });
        }
        vars
    }
}

/// Memory that is written and not each element's own.
fn shared(it: &Loop) -> BTreeSet<Memory> {
    let args = it.signature.args.iter();
    let written = args.filter(|arg| arg.access.writes() && arg.source != Source::Direct);
    written.map(|arg| Memory::Region(arg.dat)).collect()
}

/// Arrays that blocks access.
fn arrays_of(blocks: [&Block; 2], body: &Body) -> BTreeSet<Array> {
    let mut found = BTreeSet::new();
    for block in blocks {
        for_each_stmt(block, &mut |stmt| {
            let array = match (stmt, access(body, stmt)) {
                (Stmt::Clear(array), _) => Some(*array),
                (_, Some((Place::Array(array), ..))) => Some(array),
                _ => None,
            };
            found.extend(array);
        });
    }
    found
}
