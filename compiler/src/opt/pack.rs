//! Adjacent floats that are stored together are loaded, computed and stored as vectors: two doubles or four floats at a time.
//!
//! Within a run of statements without control flow: stores to neighbouring entries of a row or a local array are one store
//! of as many lanes if their values can be packed (equal operations on packed operands, neighbouring loads, one value throughout)
//! and that saves work. Each lane computes what its scalar did, in the same order: results are the same bits. Other uses of a
//! packed scalar take it from its lane, if the vector is computed early enough.

use super::alias::{Touch, access, touch};
use super::operands::count_uses;
use super::simplify::Memory;
use crate::ir::{Block, Body, Inst, Op, Scalar, Site, Stmt, Type, Value};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use rustc_hash::FxHashMap as HashMap;
use smallvec::SmallVec;
use std::ops::Range;

/// How deep a packed expression may be.
const DEPTH_MAX: u32 = 400;

/// Vectors that fill a register.
const VECTORS: [Type; 2] = [
    Type::of(Scalar::F64).with_lanes(2),
    Type::of(Scalar::F32).with_lanes(4),
];

/// Packs the stores of a body's root and the blocks inside.
pub(super) fn pack(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    let mut lanes = Lanes::new();
    let uses = count_uses(body, &root);
    block(body, &uses, &mut lanes, &mut root, false);
    if lanes.values().any(|lane| lane.is_some()) {
        take_from_lanes(body, &lanes, &mut root);
    }
    body.root = root;
}

/// Scalars that are now a lane of a vector.
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
            done.extend(packed(body, uses, std::mem::take(&mut run), in_loop, lanes));
            done.push(stmt);
        } else {
            run.push(stmt);
        }
    }
    done.extend(packed(body, uses, run, in_loop, lanes));
    *statements = done;
}

/// A run, packed.
fn packed(
    body: &mut Body,
    uses: &SecondaryMap<Value, u32>,
    mut run: Block,
    in_loop: bool,
    lanes: &mut Lanes,
) -> Block {
    for vector in VECTORS {
        let is_stored = |stmt: &Stmt| match stmt {
            Stmt::Store { value, .. } => body.ty(*value) == Type::of(vector.scalar),
            _ => false,
        };
        if run.iter().filter(|stmt| is_stored(stmt)).count() >= usize::from(vector.lanes) {
            run = Run::new(body, uses, run, in_loop, vector).pack(lanes);
        }
    }
    run
}

/// How many operations are looked at for the stores of one vector.
const WORK_MAX: u32 = 4096;

/// How many statements an access may be moved past.
const DISTANCE_MAX: usize = 2048;

/// An access of one scalar: where in the run, and by what index.
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
    loads: HashMap<Value, Access>,
    stores: Vec<Access>,
    /// Where in the run a value is defined.
    defined: HashMap<Value, usize>,
    /// What goes in front of a statement.
    inserted: HashMap<usize, Vec<Stmt>>,
    removed: Vec<bool>,
    /// Vectors already built, and in front of which statement.
    built: HashMap<Group, (Value, usize)>,
    /// Scalars taken from lanes, with their lane.
    taken: Vec<(Value, Value)>,
    /// Operations looked at for the stores at hand.
    work: u32,
    /// What is packed here.
    vector: Type,
    /// Whether the run is inside of a loop, which what is made of values from before it leaves again.
    in_loop: bool,
}

/// Scalars, by lane.
type Group = SmallVec<[Value; 4]>;

/// A plan for a vector: how to build it, how many instructions that saves, in front of which statement it can be.
#[derive(Clone)]
struct Plan {
    packed: Packed,
    gain: i32,
    at: usize,
}

/// A vector as it would be built.
#[derive(Clone)]
enum Packed {
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

impl<'a> Run<'a> {
    fn new(
        body: &'a mut Body,
        uses: &'a SecondaryMap<Value, u32>,
        statements: Block,
        in_loop: bool,
        vector: Type,
    ) -> Run<'a> {
        let removed = vec![false; statements.len()];
        let touches = statements.iter().map(|stmt| touch(body, stmt)).collect();
        let mut run = Run {
            body,
            uses,
            statements,
            touches,
            loads: HashMap::default(),
            stores: Vec::new(),
            defined: HashMap::default(),
            inserted: HashMap::default(),
            removed,
            built: HashMap::default(),
            taken: Vec::new(),
            work: 0,
            vector,
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
            if self.body.ty(value) != Type::of(self.vector.scalar) {
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
        self.touched(first).is_before(self.touched(second))
    }

    fn pack(mut self, lanes: &mut Lanes) -> Block {
        for stores in self.neighbours() {
            self.pack_stores(&stores);
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

    /// Stores to neighbouring entries, as many as there are lanes, each store in one group at most, in the order of their last.
    fn neighbours(&self) -> Vec<Vec<Access>> {
        let mut sorted = self.stores.clone();
        sorted.sort_by_cached_key(|store| {
            let touch = self.touched(*store);
            (touch.origin(), touch.index.constant, store.at)
        });
        let lanes = usize::from(self.vector.lanes);
        let mut groups = Vec::new();
        let mut rest = &sorted[..];
        while let Some((group, behind)) = rest.split_at_checked(lanes) {
            let links = group.windows(2);
            let adjacent = links
                .take_while(|pair| self.adjacent(pair[0], pair[1]))
                .count()
                + 1;
            // Another store to the last entry would have to keep its place among them.
            let again = behind
                .first()
                .is_some_and(|next| self.same_entry(group[lanes - 1], *next));
            if adjacent == lanes && !again {
                groups.push(group.to_vec());
            }
            rest = &rest[adjacent..];
        }
        groups.sort_by_key(|group| last(group).at);
        groups
    }

    fn same_entry(&self, a: Access, b: Access) -> bool {
        let (a, b) = (self.touched(a), self.touched(b));
        a.place == b.place && a.index == b.index
    }

    fn pack_stores(&mut self, stores: &[Access]) {
        let late = last(stores).at;
        let early = || stores.iter().filter(|store| store.at != late);
        if !early().all(|store| self.may_sink(*store, late)) {
            return;
        }
        self.work = 0;
        let values: Group = stores.iter().map(|store| store.value).collect();
        let plan = self.plan(&values, 0);
        if plan.gain < 0 || plan.at > late {
            return;
        }
        let first = stores[0];
        let value = self.build(&plan);
        let store = Stmt::Store {
            place: self.touched(first).place,
            index: self.index(first, late),
            value,
            site: first.site,
        };
        self.inserted.entry(late).or_default().push(store);
        // All of them happen where the last did.
        let mut touch = self.touched(first).clone();
        touch.ty = self.vector;
        for store in stores {
            self.touches[store.at] = None;
            self.removed[store.at] = true;
        }
        self.touches[late] = Some(touch);
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

    /// In front of which statement all of some values can be used.
    fn all_ready(&self, values: &[Value]) -> usize {
        let ready = values.iter().map(|value| self.ready(*value));
        ready.max().unwrap_or(0)
    }

    /// How to pack values.
    fn plan(&mut self, values: &[Value], depth: u32) -> Plan {
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
    fn single(&self, values: &[Value]) -> bool {
        values.iter().all(|value| self.uses[*value] == 1)
    }

    fn plan_each(&mut self, values: &[Value], depth: u32) -> Option<Plan> {
        let groups = self.operands(values)?;
        let defined = values.iter().map(|value| self.defined.get(value).copied());
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

    /// Emits a vector where it can be.
    fn build(&mut self, plan: &Plan) -> Value {
        let at = plan.at;
        // Another part of the same expression may have built it just now.
        if let Some(vector) = self.built_by(&plan.packed, at) {
            return vector;
        }
        match &plan.packed {
            Packed::Built(vector) => *vector,
            Packed::Same(value) => self.build_splat(*value, at),
            Packed::Joined(values) => self.build_joined(values, at),
            Packed::Loaded(values) => self.build_load(values, at),
            Packed::Each(values, operands) => {
                // An operand may have been built for the other use of it just now.
                let built: Vec<Value> = operands.iter().map(|plan| self.build(plan)).collect();
                let mut op = self.body.values[values[0]].op.clone();
                let mut next = built.into_iter();
                op.map_operands(|old| next.next().unwrap_or(old));
                let vector = self.emit(op, at);
                self.built.insert(values.clone(), (vector, at));
                if !self.single(values) {
                    for (lane, value) in values.iter().enumerate() {
                        self.take(*value, vector, lane as u8, at);
                    }
                }
                vector
            }
        }
    }

    /// Has other uses of a scalar take it from its lane.
    fn take(&mut self, scalar: Value, vector: Value, lane: u8, at: usize) {
        if self.taken.iter().any(|(known, _)| *known == scalar) {
            return;
        }
        let op = Op::Lane(vector, lane);
        let ty = self.body.ty(scalar);
        let lane = self.body.values.push(Inst { op, ty });
        self.inserted.entry(at).or_default().push(Stmt::Let(lane));
        self.taken.push((scalar, lane));
    }

    /// What was built already, if it is there by then.
    fn built_by(&self, packed: &Packed, at: usize) -> Option<Value> {
        let (vector, built_at) = match packed {
            Packed::Built(vector) => return Some(*vector),
            Packed::Same(value) => self.built.get(&self.throughout(*value))?,
            Packed::Joined(values) | Packed::Loaded(values) | Packed::Each(values, _) => {
                self.built.get(values)?
            }
        };
        (*built_at <= at).then_some(*vector)
    }

    /// One value in all lanes.
    fn throughout(&self, value: Value) -> Group {
        SmallVec::from_elem(value, usize::from(self.vector.lanes))
    }

    fn build_splat(&mut self, value: Value, at: usize) -> Value {
        let op = match self.body.constant(value) {
            Some(bits) => Op::Const(bits),
            None => Op::Splat(value),
        };
        let vector = self.emit(op, at);
        self.built.insert(self.throughout(value), (vector, at));
        vector
    }

    /// The first in all lanes, the others put in theirs one by one.
    fn build_joined(&mut self, values: &Group, at: usize) -> Value {
        let mut vector = self.emit(Op::Splat(values[0]), at);
        for lane in 1..values.len() {
            let next = self.emit(Op::Splat(values[lane]), at);
            let mut mask = [0; 4];
            for (other, entry) in mask.iter_mut().enumerate().take(values.len()) {
                *entry = if other == lane { values.len() } else { other } as u8;
            }
            vector = self.emit(Op::Shuffle(vector, next, mask), at);
        }
        self.built.insert(values.clone(), (vector, at));
        vector
    }

    fn build_load(&mut self, values: &Group, at: usize) -> Value {
        let first = self.loads[&values[0]];
        let (index, site) = (self.index(first, at), first.site);
        let place = self.touched(first).place;
        let vector = self.emit(Op::Load { place, index, site }, at);
        self.built.insert(values.clone(), (vector, at));
        vector
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
        let ty = self.vector;
        let value = self.body.values.push(Inst { op, ty });
        self.inserted.entry(at).or_default().push(Stmt::Let(value));
        value
    }
}

/// The store that comes last in the run.
fn last(stores: &[Access]) -> Access {
    let last = stores.iter().max_by_key(|store| store.at);
    *last.expect("a group of stores has some")
}

/// Whether an operation has an instruction for all lanes that costs what the scalar one does.
fn is_vector(op: crate::ir::BinaryOp) -> bool {
    use crate::ir::BinaryOp::{Add, Div, Mul, Sub};
    matches!(op, Add | Sub | Mul | Div)
}
