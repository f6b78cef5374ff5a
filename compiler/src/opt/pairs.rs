//! Adjacent doubles that are stored together are loaded, computed and stored two at a time.
//!
//! Within a run of statements without control flow: two stores to neighbouring entries of a row or a local array are one store
//! of two lanes if their values can be packed (equal operations on packed operands, neighbouring loads, one value twice) and that saves
//! work. Each lane computes what its scalar did, in the same order: results are the same bits. Other uses of a packed scalar
//! take it from its lane, if the pair is computed early enough.

use super::alias::{Touch, access, touch};
use super::operands::count_uses;
use super::simplify::Memory;
use crate::ir::{Block, Body, Inst, Op, Scalar, Site, Stmt, Type, Value};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::collections::BTreeMap;
use std::ops::Range;

/// How deep a packed expression may be.
const DEPTH_MAX: u32 = 400;

/// The type of two doubles.
const PAIR: Type = Type::of(Scalar::F64).with_lanes(2);

/// Packs the stores of a body's root and the blocks inside.
pub(super) fn pack_pairs(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    let mut lanes = Lanes::new();
    let uses = count_uses(body, &root);
    block(body, &uses, &mut lanes, &mut root, false);
    if lanes.values().any(|lane| lane.is_some()) {
        take_from_lanes(body, &lanes, &mut root);
    }
    body.root = root;
}

/// Scalars that are now a lane of a pair.
type Lanes = SecondaryMap<Value, PackedOption<Value>>;

/// Replaces the uses of scalars that are now lanes.
fn take_from_lanes(body: &mut Body, lanes: &Lanes, statements: &mut Block) {
    let lane = |value: Value| lanes[value].expand().unwrap_or(value);
    for stmt in statements {
        stmt.map_operands(lane);
        if let Stmt::Let(value) = stmt {
            body.values[*value].op.map_operands(lane);
        }
        for inner in stmt.blocks_mut() {
            take_from_lanes(body, lanes, inner);
        }
    }
}

fn block(
    body: &mut Body,
    uses: &SecondaryMap<Value, u32>,
    lanes: &mut Lanes,
    statements: &mut Block,
    in_loop: bool,
) {
    let mut done = Block::with_capacity(statements.len());
    let mut run = Block::new();
    for mut stmt in std::mem::take(statements) {
        let mut control = matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_));
        let in_loop = in_loop || matches!(stmt, Stmt::For(_) | Stmt::Loop { .. });
        for inner in stmt.blocks_mut() {
            control = true;
            block(body, uses, lanes, inner, in_loop);
        }
        if control {
            done.extend(Run::new(body, uses, std::mem::take(&mut run), in_loop).pack(lanes));
            done.push(stmt);
        } else {
            run.push(stmt);
        }
    }
    done.extend(Run::new(body, uses, run, in_loop).pack(lanes));
    *statements = done;
}

/// How many operations are looked at for one pair of stores.
const WORK_MAX: u32 = 4096;

/// How many statements an access may be moved past.
const DISTANCE_MAX: usize = 2048;

/// An access of one double: where in the run, and by what index.
#[derive(Clone, Copy)]
struct Access {
    at: usize,
    index: Value,
    value: Value,
    site: Site,
}

/// A run of statements without control flow.
struct Run<'a> {
    body: &'a mut Body,
    uses: &'a SecondaryMap<Value, u32>,
    statements: Block,
    /// What each statement accesses.
    touches: Vec<Option<Touch>>,
    /// Loads of the run, by the value they define.
    loads: BTreeMap<Value, Access>,
    stores: Vec<Access>,
    /// Where in the run a value is defined.
    defined: BTreeMap<Value, usize>,
    /// What goes in front of a statement.
    inserted: BTreeMap<usize, Vec<Stmt>>,
    removed: Vec<bool>,
    /// Pairs already built, and in front of which statement.
    built: BTreeMap<(Value, Value), (Value, usize)>,
    /// Scalars taken from lanes, with their lane.
    taken: Vec<(Value, Value)>,
    /// Operations looked at for the pair of stores at hand.
    work: u32,
    /// Whether the run is inside of a loop, which what is made of values from before it leaves again.
    in_loop: bool,
}

/// A plan for a pair: how to build it, how many instructions that saves, in front of which statement it can be.
#[derive(Clone)]
struct Plan {
    packed: Packed,
    gain: i32,
    at: usize,
}

/// A pair as it would be built.
#[derive(Clone)]
enum Packed {
    /// One value in both lanes.
    Same(Value),
    /// Two values, brought together.
    Joined(Value, Value),
    /// Two neighbouring loads.
    Loaded(Value, Value),
    /// The same operation on pairs.
    Each(Value, Value, Vec<Plan>),
    /// A pair that is there already.
    Built(Value),
}

impl<'a> Run<'a> {
    fn new(
        body: &'a mut Body,
        uses: &'a SecondaryMap<Value, u32>,
        statements: Block,
        in_loop: bool,
    ) -> Run<'a> {
        let removed = vec![false; statements.len()];
        let touches = statements.iter().map(|stmt| touch(body, stmt)).collect();
        let mut run = Run {
            body,
            uses,
            statements,
            touches,
            loads: BTreeMap::new(),
            stores: Vec::new(),
            defined: BTreeMap::new(),
            inserted: BTreeMap::new(),
            removed,
            built: BTreeMap::new(),
            taken: Vec::new(),
            work: 0,
            in_loop,
        };
        run.find_accesses();
        run
    }

    fn find_accesses(&mut self) {
        for (at, stmt) in self.statements.iter().enumerate() {
            let site = match stmt {
                Stmt::Let(value) => {
                    self.defined.insert(*value, at);
                    match self.body.values[*value].op {
                        Op::Load { site, .. } => site,
                        _ => continue,
                    }
                }
                Stmt::Store { site, .. } => *site,
                _ => continue,
            };
            let Some((_, index, value, is_store)) = access(self.body, stmt) else {
                continue;
            };
            if self.body.ty(value) != Type::of(Scalar::F64) {
                continue;
            }
            let access = Access {
                at,
                index,
                value,
                site,
            };
            if is_store {
                self.stores.push(access);
            } else {
                self.loads.insert(value, access);
            }
        }
    }

    /// What an access of the run touches.
    fn touched(&self, access: Access) -> &Touch {
        let touch = self.touches[access.at].as_ref();
        touch.expect("an access touches memory")
    }

    /// Whether the second access is of the entry after the first's.
    fn adjacent(&self, first: Access, second: Access) -> bool {
        let (first, second) = (self.touched(first), self.touched(second));
        first.place == second.place
            && first.index.terms == second.index.terms
            && first.index.constant.wrapping_add(1) == second.index.constant
    }

    fn pack(mut self, lanes: &mut Lanes) -> Block {
        for (first, second) in self.neighbours() {
            self.pack_stores(first, second);
        }
        let mut packed = Block::with_capacity(self.statements.len());
        for (scalar, lane) in self.taken {
            lanes[scalar] = lane.into();
        }
        let removed = self.removed;
        for (at, stmt) in self.statements.into_iter().enumerate() {
            if let Some(stmts) = self.inserted.remove(&at) {
                packed.extend(stmts);
            }
            if !removed[at] {
                packed.push(stmt);
            }
        }
        packed
    }

    /// Pairs of stores to neighbouring entries, each store in one pair at most, in the order of the later store.
    fn neighbours(&self) -> Vec<(Access, Access)> {
        let mut sorted = self.stores.clone();
        sorted.sort_by_cached_key(|store| {
            let touch = self.touched(*store);
            (touch.origin(), touch.index.constant, store.at)
        });
        let mut pairs = Vec::new();
        let mut rest = &sorted[..];
        while let [first, second, ..] = rest {
            let adjacent = self.adjacent(*first, *second);
            // A third store to either entry would have to keep its place among them.
            let again = rest.get(2).is_some_and(|third| {
                let (second, third) = (self.touched(*second), self.touched(*third));
                second.place == third.place && second.index == third.index
            });
            if adjacent && !again {
                pairs.push((*first, *second));
            }
            rest = &rest[if adjacent { 2 } else { 1 }..];
        }
        pairs.sort_by_key(|(first, second)| first.at.max(second.at));
        pairs
    }

    fn pack_stores(&mut self, first: Access, second: Access) {
        let (early, late) = match first.at < second.at {
            true => (first, second),
            false => (second, first),
        };
        if !self.may_sink(early, late.at) {
            return;
        }
        self.work = 0;
        let plan = self.plan(first.value, second.value, 0);
        if plan.gain < 0 || plan.at > late.at {
            return;
        }
        let value = self.build(&plan);
        let store = Stmt::Store {
            place: self.touched(first).place,
            index: self.index(first, late.at),
            value,
            site: first.site,
        };
        self.inserted.entry(late.at).or_default().push(store);
        // Both happen where the later one did.
        let mut pair = self.touched(first).clone();
        pair.ty = self.body.ty(value);
        self.touches[early.at] = None;
        self.touches[late.at] = Some(pair);
        self.removed[early.at] = true;
        self.removed[late.at] = true;
    }

    /// Whether nothing between a store and position `to` touches what it stores to.
    fn may_sink(&self, store: Access, to: usize) -> bool {
        self.untouched(store.at, store.at + 1..to, |_| true)
    }

    /// Whether no store between position `from` and a load touches what it loads.
    fn may_rise(&self, load: Access, from: usize) -> bool {
        self.untouched(load.at, from..load.at, |other| other.is_store)
    }

    /// Whether none of the accesses in `between` that matter overlaps the one at `at`.
    fn untouched(&self, at: usize, between: Range<usize>, matters: fn(&Touch) -> bool) -> bool {
        let Some(own) = &self.touches[at] else {
            return false;
        };
        if own.memory() == Memory::Fixed {
            return true;
        }
        let mut others = self.touches[between.clone()].iter().flatten();
        between.len() <= DISTANCE_MAX && others.all(|other| !matters(other) || !other.overlaps(own))
    }

    /// In front of which statement a value can be used first.
    fn ready(&self, value: Value) -> usize {
        self.defined.get(&value).map_or(0, |at| at + 1)
    }

    /// How to pack two values.
    fn plan(&mut self, a: Value, b: Value, depth: u32) -> Plan {
        self.work += 1;
        let at = self.ready(a).max(self.ready(b));
        let plan = |packed, gain| Plan { packed, gain, at };
        if let (Some(x), Some(y)) = (self.body.constant(a), self.body.constant(b))
            && x == y
        {
            return plan(Packed::Same(a), 0);
        }
        if let Some((pair, at)) = self.built.get(&(a, b)) {
            let packed = Packed::Built(*pair);
            return Plan {
                packed,
                gain: 0,
                at: *at,
            };
        }
        if a == b {
            return plan(Packed::Same(a), self.making(a, b));
        }
        if let Some(loaded) = self.plan_loads(a, b) {
            return loaded;
        }
        let each = match depth < DEPTH_MAX && self.work < WORK_MAX {
            true => self.plan_each(a, b, depth),
            false => None,
        };
        each.filter(|plan| plan.gain >= -1)
            .unwrap_or_else(|| plan(Packed::Joined(a, b), self.making(a, b)))
    }

    /// What it gains to make a pair of two values: nothing if that leaves the loop.
    fn making(&self, a: Value, b: Value) -> i32 {
        let leaves = self.in_loop && self.ready(a) == 0 && self.ready(b) == 0;
        if leaves { 0 } else { -1 }
    }

    fn plan_loads(&self, a: Value, b: Value) -> Option<Plan> {
        let (first, second) = (*self.loads.get(&a)?, *self.loads.get(&b)?);
        let (early, late) = match first.at < second.at {
            true => (first, second),
            false => (second, first),
        };
        let constant = self.body.constant(first.index).is_some();
        let movable = self.adjacent(first, second)
            && (constant || self.ready(first.index) <= early.at)
            && self.may_rise(late, early.at);
        movable.then_some(Plan {
            packed: Packed::Loaded(a, b),
            gain: if self.single(a, b) { 1 } else { -1 },
            at: early.at,
        })
    }

    /// Whether nothing else uses either value.
    fn single(&self, a: Value, b: Value) -> bool {
        self.uses[a] == 1 && self.uses[b] == 1
    }

    fn plan_each(&mut self, a: Value, b: Value, depth: u32) -> Option<Plan> {
        let (x, y) = (&self.body.values[a].op, &self.body.values[b].op);
        let pairs = match (x, y) {
            (Op::Binary(p, a0, a1), Op::Binary(q, b0, b1)) if p == q && is_vector(*p) => {
                vec![(*a0, *b0), (*a1, *b1)]
            }
            (Op::Unary(p, a0), Op::Unary(q, b0)) if p == q => vec![(*a0, *b0)],
            (Op::Fma(a0, a1, a2), Op::Fma(b0, b1, b2)) => {
                vec![(*a0, *b0), (*a1, *b1), (*a2, *b2)]
            }
            _ => return None,
        };
        let (a_at, b_at) = (*self.defined.get(&a)?, *self.defined.get(&b)?);
        let operands: Vec<Plan> = pairs
            .into_iter()
            .map(|(a, b)| self.plan(a, b, depth + 1))
            .collect();
        let at = operands.iter().map(|plan| plan.at).max().unwrap_or(0);
        let single = self.single(a, b);
        // Other uses of the scalars follow their definitions; the pair has to be there by then.
        if !single && at > a_at.min(b_at) {
            return None;
        }
        let own = if single { 1 } else { 0 };
        let gain = own + operands.iter().map(|plan| plan.gain).sum::<i32>();
        let packed = Packed::Each(a, b, operands);
        Some(Plan { packed, gain, at })
    }

    /// Emits a pair where it can be.
    fn build(&mut self, plan: &Plan) -> Value {
        let at = plan.at;
        // Another part of the same expression may have built it just now.
        if let Some(pair) = self.built_by(&plan.packed, at) {
            return pair;
        }
        match &plan.packed {
            Packed::Built(pair) => *pair,
            Packed::Same(value) => self.build_splat(*value, at),
            Packed::Joined(a, b) => {
                let first = self.emit(Op::Splat(*a), at);
                let second = self.emit(Op::Splat(*b), at);
                let pair = self.emit(Op::Shuffle(first, second, [0, 2, 0, 0]), at);
                self.built.insert((*a, *b), (pair, at));
                pair
            }
            Packed::Loaded(a, b) => self.build_load(*a, *b, at),
            Packed::Each(a, b, operands) => {
                let (a, b) = (*a, *b);
                // An operand may have been built for the other use of it just now.
                let values: Vec<Value> = operands.iter().map(|plan| self.build(plan)).collect();
                let mut op = self.body.values[a].op.clone();
                let mut next = values.into_iter();
                op.map_operands(|old| next.next().unwrap_or(old));
                let pair = self.emit(op, at);
                self.built.insert((a, b), (pair, at));
                if !self.single(a, b) {
                    self.take(a, pair, 0, at);
                    self.take(b, pair, 1, at);
                }
                pair
            }
        }
    }

    /// Has other uses of a scalar take it from its lane.
    fn take(&mut self, scalar: Value, pair: Value, lane: u8, at: usize) {
        if self.taken.iter().any(|(known, _)| *known == scalar) {
            return;
        }
        let op = Op::Lane(pair, lane);
        let ty = self.body.ty(scalar);
        let lane = self.body.values.push(Inst { op, ty });
        self.inserted.entry(at).or_default().push(Stmt::Let(lane));
        self.taken.push((scalar, lane));
    }

    /// What was built already, if it is there by then.
    fn built_by(&self, packed: &Packed, at: usize) -> Option<Value> {
        let (a, b) = match packed {
            Packed::Built(pair) => return Some(*pair),
            Packed::Same(value) => (*value, *value),
            Packed::Joined(a, b) | Packed::Loaded(a, b) | Packed::Each(a, b, _) => (*a, *b),
        };
        let (pair, built_at) = self.built.get(&(a, b))?;
        (*built_at <= at).then_some(*pair)
    }

    fn build_splat(&mut self, value: Value, at: usize) -> Value {
        let op = match self.body.constant(value) {
            Some(bits) => Op::Const(bits),
            None => Op::Splat(value),
        };
        let pair = self.emit(op, at);
        self.built.insert((value, value), (pair, at));
        pair
    }

    fn build_load(&mut self, a: Value, b: Value, at: usize) -> Value {
        let first = self.loads[&a];
        let (index, site) = (self.index(first, at), first.site);
        let place = self.touched(first).place;
        let pair = self.emit(Op::Load { place, index, site }, at);
        self.built.insert((a, b), (pair, at));
        pair
    }

    /// The index of an access where it is done instead.
    fn index(&mut self, access: Access, at: usize) -> Value {
        let Some(bits) = self.body.constant(access.index) else {
            return access.index;
        };
        let op = Op::Const(bits);
        let index = self.body.values.push(Inst { op, ty: Type::I64 });
        self.inserted.entry(at).or_default().push(Stmt::Let(index));
        index
    }

    fn emit(&mut self, op: Op, at: usize) -> Value {
        let value = self.body.values.push(Inst { op, ty: PAIR });
        self.inserted.entry(at).or_default().push(Stmt::Let(value));
        value
    }
}

/// Whether an operation has an instruction for two lanes that costs what the scalar one does.
fn is_vector(op: crate::ir::BinaryOp) -> bool {
    use crate::ir::BinaryOp::{Add, Div, Mul, Sub};
    matches!(op, Add | Sub | Mul | Div)
}
