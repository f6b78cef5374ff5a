//! Moves what does not change out of loops, and out of the loop over elements.
//!
//! Moved: instructions that can't fail, reads of variables and loads of memory that the loop does not change; also checks that a
//! counted loop is sure to begin with, before it has stored anything or checked anything else. A load moves
//! only from where it runs in every iteration, save from memory that is always there (globals, constants, tables); in a plain
//! function, whose pointers may lead nowhere, only if there is sure to be an iteration, and past what may end it only if the pointer
//! was followed before.

use super::crowded::Crowded;
use super::effects::{Effects, effects};
use super::has_loops;
use super::simplify::memory;
use crate::ir::{
    Block, Body, Inst, Loop, Op, Place, Stmt, Value, count_uses, for_each_operand, for_each_stmt,
    per_value,
};
use crate::signature::Iteration;
use cranelift_entity::SecondaryMap;
use rustc_hash::FxHashSet;

/// Hoists out of every loop of `it`, and out of its elements into `before`.
pub(super) fn hoist(it: &mut Loop, crowded: &Crowded) {
    let is_function = it.signature.iteration == Iteration::Function;
    let has_loops = has_loops(&it.body.root);
    if is_function && !has_loops {
        return;
    }
    let mut root = std::mem::take(&mut it.body.root);
    let mut pass = Hoist {
        body: &it.body,
        depth: per_value(&it.body),
        is_function,
        uses: match has_loops {
            true => count_uses(&it.body, &root),
            false => SecondaryMap::new(),
        },
        crowded,
    };
    pass.note(&it.before, 0);
    pass.note(&root, 1);
    if has_loops {
        pass.loops_of(&mut root, 1);
    }
    it.before
        .extend(pass.out_of(&mut root, 1, (true, false, false)));
    it.body.root = root;
}

/// How many loads of floats may leave one loop: more would be spilled.
const LOADS_MAX: usize = 16;

struct Hoist<'a> {
    body: &'a Body,
    /// How many loops are around a value's definition, the one over elements included.
    depth: SecondaryMap<Value, u32>,
    /// Whether rows are there only if the kernel gets to use them: a plain function's pointers may lead nowhere.
    is_function: bool,
    /// How often values are used, if there are loops inside.
    uses: SecondaryMap<Value, u32>,
    /// Arrays that no loop is to hold in registers.
    crowded: &'a Crowded,
}

/// A loop that statements may leave.
struct Leaving {
    /// How many loops are around its statements, itself included.
    depth: u32,
    /// What it changes.
    changed: Effects,
    /// Whether it is the loop over elements.
    elements: bool,
    /// Whether it has a first trip.
    runs: bool,
    /// Whether a check that is reached now is the first thing to be noticed of a loop that is sure to run.
    begins: bool,
    /// Whether more loads could leave it than there are registers.
    is_crowded: bool,
    /// Addresses of rows that every trip reads from, as far as it has been looked at.
    read: FxHashSet<Value>,
    /// How many branches are around the statement at hand.
    branches: u32,
    /// What has left it so far, in order.
    moved: Block,
}

impl Hoist<'_> {
    /// Notes where values are defined.
    fn note(&mut self, block: &Block, depth: u32) {
        for stmt in block {
            match stmt {
                Stmt::Let(value) => self.depth[*value] = depth,
                Stmt::For(it) => self.depth[it.counter] = depth + 1,
                _ => {}
            }
            let inside = depth + u32::from(stmt.is_loop());
            for inner in stmt.blocks() {
                self.note(inner, inside);
            }
        }
    }

    /// Treats the loops inside a block, innermost first; what leaves a loop lands before it.
    fn loops_of(&mut self, block: &mut Block, depth: u32) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            let inside = depth + u32::from(stmt.is_loop());
            let runs = stmt.is_loop().then(|| self.runs(&stmt));
            let is_counted = matches!(stmt, Stmt::For(_));
            for inner in stmt.blocks_mut() {
                self.loops_of(inner, inside);
                if let Some(runs) = runs {
                    let begins = is_counted && runs;
                    kept.extend(self.out_of(inner, inside, (false, runs, begins)));
                }
            }
            kept.push(stmt);
        }
        *block = kept;
    }

    /// Takes the statements that may leave a loop's body out of it.
    fn out_of(
        &mut self,
        body: &mut Block,
        depth: u32,
        (elements, runs, begins): (bool, bool, bool),
    ) -> Block {
        let mut leaving = Leaving {
            depth,
            changed: effects(body),
            elements,
            runs,
            begins,
            is_crowded: false,
            read: FxHashSet::default(),
            branches: 0,
            moved: Block::new(),
        };
        let loads = || self.invariant_loads(body, &leaving) + self.floats_from_outside(body, depth);
        leaving.is_crowded = !elements && loads() > LOADS_MAX;
        self.take(body, &mut leaving, true);
        leaving.moved
    }

    /// How many loads of floats a loop's own trips repeat.
    fn invariant_loads(&self, block: &Block, leaving: &Leaving) -> usize {
        let repeats = |stmt: &&Stmt| match stmt {
            Stmt::Let(value) => match &self.body.values[*value] {
                Inst {
                    op: Op::Load { place, index, .. },
                    ty,
                } => {
                    ty.scalar.is_float()
                        && (self.depth[*index] < leaving.depth
                            || self.body.int_constant(*index).is_some())
                        && !leaving.changed.memory.contains(&memory(place))
                        && !matches!(place, Place::Array(_))
                }
                _ => false,
            },
            _ => false,
        };
        block.iter().filter(repeats).count()
    }

    /// How many floats that are computed before a loop its statements use: registers hold them all the while.
    fn floats_from_outside(&self, block: &Block, depth: u32) -> usize {
        let mut found = FxHashSet::default();
        for_each_stmt(block, &mut |stmt| {
            for_each_operand(self.body, stmt, |operand| {
                let is_outside = self.depth[operand] < depth;
                let is_held = is_outside && self.body.constant(operand).is_none();
                if is_held && self.body.ty(operand).scalar.is_float() {
                    found.insert(operand);
                }
            });
        });
        found.len()
    }

    fn take(&mut self, block: &mut Block, leaving: &mut Leaving, always_runs: bool) {
        let mut kept = Block::with_capacity(block.len());
        let mut always_runs = always_runs;
        for mut stmt in std::mem::take(block) {
            if let (Some(addr), true) = (self.row_read(&stmt), always_runs) {
                leaving.read.insert(addr);
            }
            match &mut stmt {
                Stmt::Let(value) if self.may_leave(*value, leaving, always_runs) => {
                    self.depth[*value] = leaving.depth - 1;
                    leaving.moved.push(stmt);
                    continue;
                }
                Stmt::If { then, other, .. } => {
                    leaving.branches += 1;
                    self.take(then, leaving, false);
                    self.take(other, leaving, false);
                    leaving.branches -= 1;
                }
                Stmt::Block { body, .. } => {
                    self.take(body, leaving, always_runs);
                    always_runs = false;
                }
                _ => {}
            }
            always_runs &= !self.is_function || !self.may_end(&stmt);
            leaving.begins &= self.is_silent(&stmt);
            kept.push(stmt);
        }
        *block = kept;
    }

    /// The address of the row that a statement loads from.
    fn row_read(&self, stmt: &Stmt) -> Option<Value> {
        match stmt {
            Stmt::Let(value) => match self.body.values[*value].op {
                Op::Load {
                    place: Place::Row { addr, .. },
                    ..
                } => Some(addr),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a loop is sure to have a first trip.
    fn runs(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::For(it) => self.body.trips(it).is_some_and(|trips| trips > 0),
            _ => true,
        }
    }

    fn may_leave(&self, value: Value, leaving: &Leaving, always_runs: bool) -> bool {
        let op = &self.body.values[value].op;
        let mut outside = true;
        op.for_each_operand(|v| outside &= self.depth[v] < leaving.depth);
        if !outside {
            return false;
        }
        match op {
            Op::Element | Op::ElementAfter(_) => false,
            Op::Get(var) => !leaving.changed.vars.contains(var),
            Op::Load { place, .. } => {
                let unchanged = !leaving.changed.memory.contains(&memory(place));
                let there = matches!(place, Place::Table(_) | Place::Constant(_));
                let there_is_one = leaving.runs || !self.is_function;
                let was_read = |addr| leaving.branches == 0 && leaving.read.contains(&addr);
                let leads_there = match place {
                    Place::Row { addr, .. } => always_runs || was_read(*addr),
                    _ => always_runs,
                };
                let in_every_trip = leads_there && !leaving.elements && there_is_one;
                let stays = match place {
                    Place::Array(array) => self.crowded[*array],
                    _ => {
                        leaving.is_crowded
                            && self.body.ty(value).scalar.is_float()
                            && self.uses[value] == 1
                    }
                };
                unchanged && !stays && (there || in_every_trip || self.is_global(place))
            }
            op => op.is_pure() || always_runs && leaving.begins && op.can_fail(),
        }
    }

    /// Whether what follows a statement may not be reached from it.
    fn may_end(&self, stmt: &Stmt) -> bool {
        let ends = match stmt {
            Stmt::Let(value) => self.body.values[*value].op.can_fail(),
            Stmt::Exit(_) | Stmt::Continue(_) | Stmt::Loop { .. } => true,
            // Its trips may be more than there are steps.
            Stmt::For(it) => self.body.trips(it).is_none(),
            _ => false,
        };
        ends || stmt.blocks().flatten().any(|inner| self.may_end(inner))
    }

    /// Whether nothing is noticed of a statement from outside its loop.
    fn is_silent(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Let(value) => !self.body.values[*value].op.can_fail(),
            Stmt::Set(..) => true,
            _ => false,
        }
    }

    /// Whether a place is at the base of an argument: a global, whose memory is there even when no element runs.
    fn is_global(&self, place: &Place) -> bool {
        match place {
            Place::Row { addr, .. } => matches!(self.body.values[*addr].op, Op::ArgBase(_)),
            _ => false,
        }
    }
}
