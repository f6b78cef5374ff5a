//! One forward walk: constants folded, repeated work shared, what variables and memory are known to hold used directly.
//!
//! Knowledge is scoped by blocks: what is learned in a block is forgotten when it ends, and what a block may change is
//! forgotten by those around it. Runs in time near linear in the size of the code (times its nesting).

mod choice;

use super::crowded::Crowded;
use super::effects::{Effects, effects};
use super::fold::{Folded, fold};
use super::linear::{Linear, Terms};
use crate::ir::{Block, Body, Inst, Label, Op, Place, Stmt, Type, Value, Var, per_value};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntityRef, SecondaryMap};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap, FxHasher};
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

/// Simplifies the blocks of a body that run one after another; the last may run many times.
pub(super) fn simplify(
    body: &mut Body,
    before: &mut Block,
    after: Option<&mut Block>,
    crowded: &Crowded,
) {
    let mut pass = Simplify::new(body, crowded);
    pass.block(before);
    let mut root = std::mem::take(&mut pass.body.root);
    let repeated = effects(&root);
    pass.forget(&repeated);
    let mark = pass.mark();
    pass.block(&mut root);
    pass.rewind(mark);
    pass.forget(&repeated);
    if let Some(after) = after {
        pass.block(after);
    }
    pass.body.root = root;
}

/// Simplifies a body that runs once.
pub(super) fn simplify_once(body: &mut Body, crowded: &Crowded) {
    let mut pass = Simplify::new(body, crowded);
    let mut root = std::mem::take(&mut pass.body.root);
    pass.block(&mut root);
    pass.body.root = root;
}

/// Memory as loads see it: a value is known for a place, an index and a type, in one state of that memory, and in one loop if
/// the place is crowded.
type LoadKey = (Place, Index, Type, u32, u32);

/// An index, by what is known of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Index {
    /// Of one entry: the number of the index's terms, 0 if there are none, and its constant.
    Entry(u32, i64),
    /// Of the first of several.
    Value(Value),
}

/// Where entries count from: those of one origin are apart if their constants are.
type Origin = (Place, u32);

/// The state of a kind of memory, as numbers that are never given twice.
#[derive(Clone, Copy, Default)]
struct State {
    /// Changed by every store.
    all: u32,
    /// Not changed by a store to one entry that counts from `origin`.
    entries: u32,
    /// From where all entries count that were stored to since.
    origin: Option<Origin>,
}

struct Simplify<'a> {
    body: &'a mut Body,
    /// What to use in place of a value.
    same: SecondaryMap<Value, PackedOption<Value>>,
    /// What variables hold.
    held: SecondaryMap<Var, PackedOption<Value>>,
    held_log: Vec<(Var, PackedOption<Value>)>,
    /// Instructions already computed in this block or one around it.
    known: HashTable<Value>,
    /// What of it was learned, with its hash.
    known_log: Vec<(u64, Value)>,
    /// Loads and stores already done.
    loads: HashMap<LoadKey, Value>,
    loads_log: Vec<(LoadKey, Option<Value>)>,
    /// Number of the state of each kind of memory.
    states: HashMap<Memory, State>,
    next_state: u32,
    /// Numbers of the terms of indices.
    terms: HashMap<Terms, u32>,
    indices: HashMap<Value, Index>,
    /// Labels of blocks that were left early.
    left: BTreeSet<Label>,
    /// Arrays of which no loop is told what they hold.
    crowded: &'a Crowded,
    /// The number of the loop around, 0 for none.
    inside: u32,
    /// How many loops have been numbered.
    loops: u32,
}

/// A kind of memory, disjoint from the others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Memory {
    Array(u32),
    Region(u16),
    /// What a kernel's parameters point to: two of them may be one dat.
    Params,
    Fixed,
}

/// The kind of memory a place lies in.
pub(super) fn memory(place: &Place) -> Memory {
    match *place {
        Place::Array(array) => Memory::Array(array.index() as u32),
        Place::Row { region, .. } => Memory::Region(region.slot),
        Place::Param(_) | Place::ParamRow { .. } => Memory::Params,
        Place::Table(_) | Place::Constant(_) | Place::RowPointers(_) => Memory::Fixed,
    }
}

#[derive(Clone, Copy)]
struct Mark {
    held: usize,
    known: usize,
    loads: usize,
}

impl<'a> Simplify<'a> {
    fn new(body: &'a mut Body, crowded: &'a Crowded) -> Simplify<'a> {
        let statements = body.root.len();
        Simplify {
            same: per_value(body),
            held: SecondaryMap::with_capacity(body.vars.len()),
            body,
            held_log: Vec::new(),
            known: HashTable::with_capacity(statements),
            known_log: Vec::with_capacity(statements),
            loads: HashMap::with_capacity_and_hasher(statements / 4, FxBuildHasher),
            loads_log: Vec::with_capacity(statements / 4),
            states: HashMap::default(),
            next_state: 1,
            terms: [(Terms::new(), 0)].into_iter().collect(),
            indices: HashMap::with_capacity_and_hasher(statements / 8, FxBuildHasher),
            left: BTreeSet::new(),
            crowded,
            inside: 0,
            loops: 0,
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            held: self.held_log.len(),
            known: self.known_log.len(),
            loads: self.loads_log.len(),
        }
    }

    /// Forgets all that was learned since `mark`.
    fn rewind(&mut self, mark: Mark) {
        for (var, old) in self.held_log.drain(mark.held..).rev() {
            self.held[var] = old;
        }
        for (hash, learned) in self.known_log.drain(mark.known..) {
            if let Ok(entry) = self.known.find_entry(hash, |value| *value == learned) {
                entry.remove();
            }
        }
        for (key, old) in self.loads_log.drain(mark.loads..).rev() {
            restore(&mut self.loads, key, old);
        }
    }

    fn resolve(&self, value: Value) -> Value {
        self.same[value].expand().unwrap_or(value)
    }

    fn hold(&mut self, var: Var, value: Option<Value>) {
        self.held_log.push((var, self.held[var]));
        self.held[var] = value.into();
    }

    /// What is known of an index.
    fn index(&mut self, index: Value, ty: Type) -> Index {
        if ty.lanes > 1 {
            return Index::Value(index);
        }
        if let Some(at) = self.body.int_constant(index) {
            return Index::Entry(0, at);
        }
        if let Some(known) = self.indices.get(&index) {
            return *known;
        }
        let linear = Linear::of(self.body, index);
        let next = self.terms.len() as u32;
        let terms = *self.terms.entry(linear.terms).or_insert(next);
        let known = Index::Entry(terms, linear.constant);
        self.indices.insert(index, known);
        known
    }

    /// What a load is known by.
    fn key(&mut self, place: &Place, index: Value, ty: Type) -> LoadKey {
        let index = self.index(index, ty);
        let state = self.states.get(&memory(place)).copied().unwrap_or_default();
        let is_apart = match index {
            Index::Entry(terms, _) => state.origin.is_none_or(|stored| stored == (*place, terms)),
            Index::Value(_) => false,
        };
        let state = if is_apart { state.entries } else { state.all };
        let inside = match place {
            Place::Array(array) if self.crowded[*array] => self.inside,
            _ => 0,
        };
        (*place, index, ty, state, inside)
    }

    fn new_state(&mut self, memory: Memory) {
        let state = State {
            all: self.next_state,
            entries: self.next_state,
            origin: None,
        };
        self.states.insert(memory, state);
        self.next_state += 1;
    }

    fn forget(&mut self, effects: &Effects) {
        for var in &effects.vars {
            self.hold(*var, None);
        }
        for memory in &effects.memory {
            self.new_state(*memory);
        }
    }

    /// Simplifies a block; `true` if its end is not reached.
    fn block(&mut self, block: &mut Block) -> bool {
        let mut kept = Block::with_capacity(block.len());
        let mut ends = false;
        for mut stmt in std::mem::take(block) {
            stmt.map_operands(|v| self.resolve(v));
            match stmt {
                Stmt::Let(value) => {
                    if self.instruction(value) {
                        kept.push(stmt);
                    }
                }
                Stmt::Set(var, value) => {
                    if self.held[var].expand() != Some(value) {
                        self.hold(var, Some(value));
                        kept.push(stmt);
                    }
                }
                Stmt::If { cond, then, other } => ends = self.branch(cond, then, other, &mut kept),
                other => ends = self.structured(other, &mut kept),
            }
            if ends {
                break;
            }
        }
        *block = kept;
        ends
    }

    /// Simplifies an instruction; `false` if it is not needed any more.
    fn instruction(&mut self, value: Value) -> bool {
        let mut op = std::mem::replace(&mut self.body.values[value].op, Op::Const(0));
        op.map_operands(|v| self.resolve(v));
        let ty = self.body.ty(value);
        let folded = match &op {
            Op::Get(var) => self.held[*var].expand().map(Folded::Same),
            Op::Load { place, index, .. } => self.load(place, *index, ty),
            _ => fold(self.body, &op, ty),
        };
        match folded {
            Some(Folded::Same(other)) => {
                self.same[value] = other.into();
                return false;
            }
            Some(Folded::Const(bits)) => op = Op::Const(bits),
            Some(Folded::Op(simpler)) => op = simpler,
            None => {}
        }
        let learned = match &op {
            Op::Get(var) => {
                let var = *var;
                self.hold(var, Some(value));
                false
            }
            Op::Load { place, index, .. } => {
                let key = self.key(place, *index, ty);
                self.remember_load(key, value);
                false
            }
            op => op.is_pure() || op.can_fail(),
        };
        self.body.values[value].op = op;
        !learned || self.first(value)
    }

    /// Notes an instruction; `false` if it was computed before, and is the same as that.
    fn first(&mut self, value: Value) -> bool {
        let values = &self.body.values;
        let hash = hash_of(&values[value]);
        let is_same = |known: &Value| is_same_work(&values[*known], &values[value]);
        let rehash = |known: &Value| hash_of(&values[*known]);
        match self.known.entry(hash, is_same, rehash) {
            Entry::Occupied(earlier) => {
                self.same[value] = (*earlier.get()).into();
                false
            }
            Entry::Vacant(place) => {
                place.insert(value);
                self.known_log.push((hash, value));
                true
            }
        }
    }

    fn load(&mut self, place: &Place, index: Value, ty: Type) -> Option<Folded> {
        if let (Place::Table(table), Some(at), 1) = (place, self.body.int_constant(index), ty.lanes)
        {
            let entry = self.body.tables[*table].bits.get(usize::try_from(at).ok()?);
            return entry.map(|bits| Folded::Const(*bits));
        }
        let key = self.key(place, index, ty);
        self.loads.get(&key).map(|known| Folded::Same(*known))
    }

    fn remember_load(&mut self, key: LoadKey, value: Value) {
        let old = self.loads.insert(key, value);
        self.loads_log.push((key, old));
    }

    fn branch(&mut self, cond: Value, mut then: Block, mut other: Block, kept: &mut Block) -> bool {
        if let Some(bits) = self.body.constant(cond) {
            let mut taken = if bits != 0 { then } else { other };
            let ends = self.block(&mut taken);
            kept.append(&mut taken);
            return ends;
        }
        let changed = effects(&then);
        let states = self.states.clone();
        let mark = self.mark();
        let then_ends = self.block(&mut then);
        self.rewind(mark);
        self.states = states.clone();
        let other_changed = effects(&other);
        let mark = self.mark();
        let other_ends = self.block(&mut other);
        self.rewind(mark);
        self.states = states;
        if self.is_choice(&then, &other) {
            self.choose(cond, [then, other], kept);
            return false;
        }
        if !then_ends {
            self.forget(&changed);
        }
        if !other_ends {
            self.forget(&other_changed);
        }
        if !(then.is_empty() && other.is_empty()) {
            kept.push(Stmt::If { cond, then, other });
        }
        then_ends && other_ends
    }

    fn structured(&mut self, mut stmt: Stmt, kept: &mut Block) -> bool {
        let mut ends = false;
        match &mut stmt {
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => self.store(*place, *index, *value),
            Stmt::Clear(array) => self.new_state(Memory::Array(array.index() as u32)),
            Stmt::Exit(label) | Stmt::Continue(label) => {
                self.left.insert(*label);
                ends = true;
            }
            Stmt::For(it) => self.repeated(&mut it.body),
            Stmt::Loop { body, .. } => self.repeated(body),
            Stmt::Block { label, body } => {
                let changed = effects(body);
                let mark = self.mark();
                let body_ends = self.block(body);
                if !self.left.contains(label) {
                    kept.append(body);
                    return body_ends;
                }
                self.rewind(mark);
                self.forget(&changed);
            }
            Stmt::Let(_) | Stmt::Set(..) | Stmt::If { .. } => {}
        }
        kept.push(stmt);
        ends
    }

    fn repeated(&mut self, body: &mut Block) {
        let changed = effects(body);
        self.forget(&changed);
        let mark = self.mark();
        self.loops += 1;
        let around = std::mem::replace(&mut self.inside, self.loops);
        self.block(body);
        self.inside = around;
        self.rewind(mark);
        self.forget(&changed);
    }

    fn store(&mut self, place: Place, index: Value, value: Value) {
        let kind = memory(&place);
        let ty = self.body.ty(value);
        let before = self.states.get(&kind).copied().unwrap_or_default();
        self.new_state(kind);
        // One entry leaves what is known of the others that count from where it does.
        let entry = self.index(index, ty);
        if let (Index::Entry(terms, _), Some(state)) = (entry, self.states.get_mut(&kind)) {
            let origin = (place, terms);
            if before.origin.is_none_or(|other| other == origin) {
                state.entries = before.entries;
            }
            state.origin = Some(origin);
        }
        let key = self.key(&place, index, ty);
        self.remember_load(key, value);
    }
}

fn restore<K: Hash + Eq>(map: &mut HashMap<K, Value>, key: K, old: Option<Value>) {
    match old {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

/// Whether two instructions compute the same: of two checks of one thing the earlier reports.
fn is_same_work(a: &Inst, b: &Inst) -> bool {
    let is_same = match (&a.op, &b.op) {
        (
            Op::CheckIndex { index, len, .. },
            Op::CheckIndex {
                index: other,
                len: end,
                ..
            },
        ) => (index, len) == (other, end),
        (Op::CheckDivisor { divisor, .. }, Op::CheckDivisor { divisor: other, .. }) => {
            divisor == other
        }
        (a, b) => a == b,
    };
    is_same && a.ty == b.ty
}

/// Equal where [`is_same_work`] holds.
fn hash_of(inst: &Inst) -> u64 {
    let mut hasher = FxHasher::default();
    match &inst.op {
        Op::CheckIndex { index, len, .. } => (index, len).hash(&mut hasher),
        Op::CheckDivisor { divisor, .. } => divisor.hash(&mut hasher),
        op => op.hash(&mut hasher),
    }
    hasher.finish()
}
