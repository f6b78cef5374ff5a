//! Floats that a loop needs all the while, and that registers do not hold, lie in memory.
//!
//! The code generator spills what does not fit, but anew in every trip: it loads such a value into a register, and stores it
//! again, unchanged, before the next trip. What is stored once before the loop and loaded where it is used is an operand of the
//! instruction that uses it. So the floats with the fewest uses go to a local array, as many as are too many.

use super::has_loops;
use super::rank_update::RankUpdate;
use crate::ir::{
    Array, ArrayData, Block, Body, Inst, Loop, Op, Place, Site, Stmt, Type, Value, Var,
    for_each_operand, per_value,
};
use crate::signature::Iteration;
use crate::target::Target;
use cranelift_entity::SecondaryMap;
use rustc_hash::{FxHashMap as HashMap, FxHashSet};

/// How many floats registers hold, one being needed to compute.
pub(super) const REGISTERS: usize = 15;

/// Of fewer values from outside none is moved, unless the loop's own need all registers.
const OUTSIDE_MIN: usize = 6;

/// What is used in a loop inside counts so many times.
const INSIDE: u32 = 1 << 16;

/// Moves to memory what is too much for the loops of `it`, the one over elements included.
///
/// Only where instructions take operands from memory: other machines have twice as many registers, and load what they use.
///
/// What the loops over elements need then, where that is known.
pub(super) fn spill(it: &mut Loop, target: &Target) -> ElementNeeds {
    let mut needs = ElementNeeds::default();
    if !target.level.is_x86_64() {
        return needs;
    }
    let has_elements = it.signature.iteration == Iteration::Elements;
    let mut root = std::mem::take(&mut it.body.root);
    let mut wide = it.wide.take();
    let mut pass = Spill {
        own: per_value(&it.body),
        body: &mut it.body,
        target,
        places: HashMap::default(),
        stored: Vec::new(),
    };
    let single = wide.as_ref().is_none_or(|wide| !wide.covers_rest);
    let single = single.then_some((&mut root, &mut needs.single));
    let several = wide.as_mut().map(|wide| &mut wide.block);
    let several = several.map(|block| (block, &mut needs.several));
    for (block, needs) in single.into_iter().chain(several) {
        if has_elements {
            *needs = pass.loop_of(block, &mut it.before);
        }
        if has_loops(block) {
            pass.loops_in(block);
            *needs = None;
        }
    }
    it.body.root = root;
    it.wide = wide;
    needs
}

struct Spill<'a> {
    body: &'a mut Body,
    target: &'a Target,
    /// Room for [`Needs::of`].
    own: Own,
    /// Where values lie that have been stored on every way to the statement at hand.
    places: HashMap<Value, Array>,
    /// Values in the order in which they were stored.
    stored: Vec<Value>,
}

impl Spill<'_> {
    /// Treats the loops inside a block, outer ones first.
    fn loops_in(&mut self, block: &mut Block) {
        let outside = self.stored.len();
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if is_update(self.body, &stmt, self.target) {
                kept.push(stmt);
                continue;
            }
            if let Stmt::For(it) = &mut stmt {
                self.loop_of(&mut it.body, &mut kept);
            }
            stmt.blocks_mut().for_each(|inner| self.loops_in(inner));
            kept.push(stmt);
        }
        *block = kept;
        // Behind a branch it is not known whether it was taken.
        for value in self.stored.drain(outside..) {
            self.places.remove(&value);
        }
    }

    /// Treats the loop that a block is repeated by; stores go to `before`. What it needs, if it is as it was.
    fn loop_of(&mut self, block: &mut Block, before: &mut Block) -> Option<Needs> {
        let needs = Needs::of(self.body, block, self.target, &mut self.own);
        let excess = needs.all().saturating_sub(REGISTERS);
        let is_full = needs.registers >= REGISTERS;
        let is_worth_it = is_full || needs.outside.len() >= OUTSIDE_MIN;
        if excess == 0 || self.body.sites == 0 || !is_worth_it {
            return Some(needs);
        }
        // What a loop inside uses may find a register there.
        let rare = needs.outside.iter().filter(|(_, uses)| *uses < INSIDE);
        let mut rare: Vec<(u32, Value)> = rare.map(|(value, uses)| (*uses, *value)).collect();
        if rare.is_empty() {
            return Some(needs);
        }
        rare.sort_unstable();
        rare.truncate(excess);
        let moved: FxHashSet<Value> = rare.iter().map(|(_, value)| *value).collect();
        for (_, value) in rare {
            if !self.places.contains_key(&value) {
                self.store(value, before);
            }
        }
        self.load_in(block, &moved);
        None
    }

    /// Stores a value to an array of its own.
    fn store(&mut self, value: Value, to: &mut Block) {
        let Type { scalar, lanes } = self.body.ty(value);
        let len = u64::from(lanes);
        let array = self.body.arrays.push(ArrayData { scalar, len });
        self.places.insert(value, array);
        self.stored.push(value);
        let index = self.put(Op::Const(0), Type::I64, to);
        to.push(Stmt::Store {
            place: Place::Array(array),
            index,
            value,
            site: Site::from_u32(0),
        });
    }

    /// Loads values wherever a block and those inside use them.
    fn load_in(&mut self, block: &mut Block, moved: &FxHashSet<Value>) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if is_update(self.body, &stmt, self.target) {
                kept.push(stmt);
                continue;
            }
            let mut used: Vec<(Value, Value)> = Vec::new();
            for_each_operand(self.body, &stmt, |operand| {
                if moved.contains(&operand) && used.iter().all(|(value, _)| *value != operand) {
                    used.push((operand, operand));
                }
            });
            for (value, loaded) in &mut used {
                *loaded = self.load(*value, &mut kept);
            }
            let own = |operand: Value| {
                let known = used.iter().find(|(value, _)| *value == operand);
                known.map_or(operand, |(_, loaded)| *loaded)
            };
            if !used.is_empty() {
                stmt.map_operands(own);
                if let Stmt::Let(value) = stmt {
                    self.body.values[value].op.map_operands(own);
                }
            }
            for inner in stmt.blocks_mut() {
                self.load_in(inner, moved);
            }
            kept.push(stmt);
        }
        *block = kept;
    }

    fn load(&mut self, value: Value, to: &mut Block) -> Value {
        let (ty, site) = (self.body.ty(value), Site::from_u32(0));
        let place = Place::Array(self.places[&value]);
        let index = self.put(Op::Const(0), Type::I64, to);
        self.put(Op::Load { place, index, site }, ty, to)
    }

    fn put(&mut self, op: Op, ty: Type, to: &mut Block) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        to.push(Stmt::Let(value));
        value
    }
}

/// Whether a host function runs a loop: it is to stay as it is.
pub(super) fn is_update(body: &Body, stmt: &Stmt, target: &Target) -> bool {
    matches!(stmt, Stmt::For(it) if RankUpdate::of(body, it, target).is_some())
}

/// What a loop needs of registers for floats.
pub(super) struct Needs {
    /// Values from outside, and how often they are used.
    pub(super) outside: Vec<(Value, u32)>,
    /// How many of its own it holds at a time, about, with the variables it uses.
    pub(super) registers: usize,
}

/// What the loops over elements need, where it is known.
#[derive(Default)]
pub(super) struct ElementNeeds {
    /// The one that does one element in a trip.
    pub(super) single: Option<Needs>,
    /// The one that does several.
    pub(super) several: Option<Needs>,
}

/// By value of a loop's own: which statement defines it, and which uses it last, counted from 1; 0 is none.
pub(super) type Own = SecondaryMap<Value, (u32, u32)>;

impl Needs {
    /// How many registers all of it would take.
    pub(super) fn all(&self) -> usize {
        self.outside.len() + self.registers
    }

    /// What a loop of these statements needs. `own` has nothing in it, before and after.
    pub(super) fn of(body: &Body, block: &Block, target: &Target, own: &mut Own) -> Needs {
        let mut count = Count {
            body,
            target,
            passed: 0,
            own,
            defined: Vec::with_capacity(block.len()),
            outside: HashMap::default(),
            order: Vec::new(),
            vars: FxHashSet::default(),
        };
        count.block(block, 1);
        Needs {
            registers: count.vars.len() + count.held(),
            outside: count
                .order
                .iter()
                .map(|value| (*value, count.outside[value]))
                .collect(),
        }
    }
}

/// Goes through the statements of a loop.
struct Count<'a> {
    body: &'a Body,
    target: &'a Target,
    /// How many statements have been passed.
    passed: u32,
    own: &'a mut Own,
    /// The loop's own floats.
    defined: Vec<Value>,
    /// Uses of values from outside.
    outside: HashMap<Value, u32>,
    /// These values, in the order of their first uses.
    order: Vec<Value>,
    vars: FxHashSet<Var>,
}

impl Count<'_> {
    fn block(&mut self, block: &Block, weight: u32) {
        for stmt in block {
            self.passed += 1;
            for_each_operand(self.body, stmt, |operand| {
                if !self.body.ty(operand).scalar.is_float() {
                    return;
                }
                let (at, last) = &mut self.own[operand];
                if *at > 0 {
                    *last = self.passed;
                } else if self.body.constant(operand).is_none() {
                    let uses = self.outside.entry(operand).or_insert_with(|| {
                        self.order.push(operand);
                        0
                    });
                    *uses = uses.saturating_add(weight);
                }
            });
            match stmt {
                Stmt::Let(value) => {
                    let Inst { op, ty } = &self.body.values[*value];
                    if ty.scalar.is_float() && !matches!(op, Op::Const(_)) {
                        self.own[*value] = (self.passed, 0);
                        self.defined.push(*value);
                    }
                    if let Op::Get(var) = op {
                        self.var(*var);
                    }
                }
                Stmt::Set(var, _) => self.var(*var),
                _ => {}
            }
            if is_update(self.body, stmt, self.target) {
                continue;
            }
            let inside = match stmt.is_loop() {
                true => weight.saturating_mul(INSIDE),
                false => weight,
            };
            stmt.blocks().for_each(|inner| self.block(inner, inside));
        }
    }

    fn var(&mut self, var: Var) {
        if self.body.vars[var].scalar.is_float() {
            self.vars.insert(var);
        }
    }

    /// How many values of the loop's own are held at once, at most.
    fn held(&mut self) -> usize {
        let mut changes = vec![0i32; self.passed as usize + 1];
        for value in self.defined.drain(..) {
            let (at, last) = std::mem::take(&mut self.own[value]);
            if last > 0 {
                changes[at as usize] += 1;
                changes[last as usize] -= 1;
            }
        }
        let mut held = 0;
        let each = changes.into_iter().map(|change| {
            held += change;
            held
        });
        usize::try_from(each.max().unwrap_or(0)).unwrap_or(0)
    }
}
