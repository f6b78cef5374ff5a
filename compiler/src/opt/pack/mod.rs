//! Adjacent floats that are stored together are loaded, computed and stored as vectors: two doubles or four floats at a time.
//!
//! Within a run of statements without control flow: stores to neighbouring entries of a row or a local array are one store
//! of as many lanes if their values can be packed (equal operations on packed operands, neighbouring loads, one value throughout)
//! and that saves work. Each lane computes what its scalar did, in the same order: results are the same bits. Other uses of a
//! packed scalar take it from its lane, if the vector is computed early enough.
//!
//! Entries of a local array that a vector is loaded from are stored as vectors even if that saves nothing: what was stored as
//! scalars can't be forwarded to the load, which waits until they have reached the cache and keeps what follows waiting too.

mod alike;
mod build;
mod joined;
mod plan;

use super::alias::{Touch, access, touch};
use super::runs::{each_run, is_control};
use super::simplify::Memory;
use crate::ir::{
    Array, Block, Body, Op, Place, Scalar, Site, Stmt, Type, Value, any_stmt, count_uses,
    for_each_stmt, per_value,
};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use rustc_hash::FxHashMap as HashMap;
use smallvec::SmallVec;
use std::collections::BTreeSet;
use std::ops::Range;

/// Vectors that fill a register.
const VECTORS: [Type; 2] = [
    Type::of(Scalar::F64).with_lanes(2),
    Type::of(Scalar::F32).with_lanes(4),
];

/// The vector that values of a type are packed in, if they are.
pub(super) fn vector_of(ty: Type) -> Option<Type> {
    let mut vectors = VECTORS.into_iter();
    vectors.find(|vector| Type::of(vector.scalar) == ty)
}

/// Packs the stores of a body's root and the blocks inside.
pub(super) fn pack(body: &mut Body) {
    let vectors = vectors(body);
    pack_with(body, Seeds::Stores, &vectors);
    pack_with(body, Seeds::Weights, &vectors);
    let awaited = awaited(body);
    if !awaited.is_empty() {
        pack_with(body, Seeds::Awaited(&awaited), &vectors);
    }
}

/// The vectors whose scalars a body has.
fn vectors(body: &Body) -> SmallVec<[Type; 2]> {
    let has = |vector: &Type| {
        let scalar = Type::of(vector.scalar);
        body.values.values().any(|inst| inst.ty == scalar)
    };
    VECTORS.into_iter().filter(has).collect()
}

/// Packs the statements of a strip, of which vectors are of 256 bits: what is stored, or what so many elements divide.
pub(super) fn pack_doubles_by_four(body: &mut Body, block: Block, slow: Option<u8>) -> Block {
    let root = std::mem::replace(&mut body.root, block);
    let seeds = slow.map_or(Seeds::Stores, |elements| Seeds::Slow(elements.into()));
    pack_with(body, seeds, &[super::strip::VECTOR]);
    std::mem::replace(&mut body.root, root)
}

/// Packs what is computed for vectors that are joined of scalars: the loop that needs them had it done outside.
pub(super) fn pack_joined(body: &mut Body) {
    let vectors = vectors(body);
    pack_with(body, Seeds::Joined, &vectors);
}

/// The arrays that vectors are loaded from and scalars stored to.
fn awaited(body: &Body) -> BTreeSet<Array> {
    let (mut loaded, mut stored) = (BTreeSet::new(), BTreeSet::new());
    for_each_stmt(&body.root, &mut |stmt| {
        if let Some((Place::Array(array), _, value, is_store)) = access(body, stmt) {
            match (is_store, body.ty(value).lanes) {
                (false, 2..) => drop(loaded.insert(array)),
                (true, 1) => drop(stored.insert(array)),
                _ => {}
            }
        }
    });
    loaded.retain(|array| stored.contains(array));
    loaded
}

/// What is to become a vector.
#[derive(Clone, Copy)]
enum Seeds<'a> {
    /// Values stored to neighbouring entries.
    Stores,
    /// The same, of these arrays, even where nothing is saved.
    Awaited(&'a BTreeSet<Array>),
    /// Values brought together in a vector.
    Joined,
    /// Quotients and roots that are the same for each of so many elements, whose statements follow each other.
    Slow(usize),
    /// Scalars that vectors have in all lanes, alike in one point of a quadrature and the next.
    Weights,
}

fn pack_with(body: &mut Body, seeds: Seeds<'_>, vectors: &[Type]) {
    let mut wanted = vectors.iter().map(|vector| Wanted::of(seeds, *vector));
    if !wanted.any(|mut wanted| any_stmt(&body.root, &mut |stmt| wanted.is_met(body, stmt))) {
        return;
    }
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Pass {
        seeds,
        vectors,
        uses: count_uses(body, &root),
        defined: per_value(body),
        passed: 1,
        lanes: Lanes::new(),
    };
    pass.block(body, &mut root, false);
    if pass.lanes.values().any(|lane| lane.is_some()) {
        take_from_lanes(body, &pass.lanes, &mut root);
    }
    body.root = root;
}

/// What there has to be for something to become a vector.
struct Wanted<'a> {
    seeds: Seeds<'a>,
    vector: Type,
    /// How many scalars have to be stored, or have to be in all lanes, yet.
    scalars: u8,
}

impl Wanted<'_> {
    fn of(seeds: Seeds<'_>, vector: Type) -> Wanted<'_> {
        Wanted {
            seeds,
            vector,
            scalars: vector.lanes,
        }
    }

    /// Whether a statement, after those before it, is enough.
    fn is_met(&mut self, body: &Body, stmt: &Stmt) -> bool {
        let vector = self.vector;
        match (self.seeds, stmt) {
            (Seeds::Stores | Seeds::Awaited(_), Stmt::Store { value, .. }) => {
                self.scalars -= u8::from(body.ty(*value) == Type::of(vector.scalar));
                self.scalars == 0
            }
            (Seeds::Joined, Stmt::Let(value)) => joined::scalars(body, *value, vector).is_some(),
            (Seeds::Weights, Stmt::Let(value)) => {
                self.scalars -= u8::from(alike::weight(body, *value, vector).is_some());
                self.scalars == 0
            }
            (Seeds::Slow(_), _) => true,
            _ => false,
        }
    }
}

struct Pass<'a> {
    seeds: Seeds<'a>,
    vectors: &'a [Type],
    uses: SecondaryMap<Value, u32>,
    /// The number of the statement that defines a value, in the run that was looked at last; 0 for none.
    defined: SecondaryMap<Value, usize>,
    /// The number of the next statement.
    passed: usize,
    lanes: Lanes,
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

impl Pass<'_> {
    fn block(&mut self, body: &mut Body, statements: &mut Block, in_loop: bool) {
        for stmt in &mut *statements {
            let in_loop = in_loop || stmt.is_loop();
            for inner in stmt.blocks_mut() {
                self.block(body, inner, in_loop);
            }
        }
        each_run(statements, is_control, |run| {
            self.packed(body, run, in_loop)
        });
    }

    /// A run, packed.
    fn packed(&mut self, body: &mut Body, mut run: Block, in_loop: bool) -> Block {
        for vector in self.vectors.iter().copied() {
            let mut wanted = Wanted::of(self.seeds, vector);
            if run.iter().any(|stmt| wanted.is_met(body, stmt)) {
                let start = self.number(&run);
                let known = (&self.uses, &self.defined, start);
                let mut packing = Run::new(body, known, run, in_loop, vector);
                match self.seeds {
                    Seeds::Stores => packing.pack_all_stores(None),
                    Seeds::Awaited(arrays) => packing.pack_all_stores(Some(arrays)),
                    Seeds::Joined => packing.pack_joined(),
                    Seeds::Slow(elements) => packing.pack_slow(elements),
                    Seeds::Weights => packing.pack_weights(),
                }
                run = packing.finish(&mut self.lanes);
            }
        }
        run
    }

    /// Numbers the statements of a run, and says where that starts.
    fn number(&mut self, run: &Block) -> usize {
        let start = self.passed;
        self.passed += run.len();
        for (stmt, number) in run.iter().zip(start..) {
            if let Stmt::Let(value) = stmt {
                self.defined[*value] = number;
            }
        }
        start
    }
}

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
    /// The number of the statement that defines a value, if it is in the run, whose first statement has the number `start`.
    defined: &'a SecondaryMap<Value, usize>,
    start: usize,
    /// What goes in front of a statement.
    inserted: Vec<(usize, Stmt)>,
    removed: Vec<bool>,
    /// Constants of indices, each once: at the beginning, so that all statements see them.
    indices: HashMap<u64, Value>,
    /// Vectors already built, and in front of which statement.
    built: HashMap<Group, (Value, usize)>,
    /// Vectors of the low or high lanes of two others in turn, and in front of which statement they are.
    halves: HashMap<(Value, Value, u8), (Value, usize)>,
    /// Scalars taken from lanes, with their lane, and vectors that others stand for.
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

impl<'a> Run<'a> {
    fn new(
        body: &'a mut Body,
        (uses, defined, start): (
            &'a SecondaryMap<Value, u32>,
            &'a SecondaryMap<Value, usize>,
            usize,
        ),
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
            defined,
            start,
            inserted: Vec::new(),
            indices: HashMap::default(),
            removed,
            built: HashMap::default(),
            halves: HashMap::default(),
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
                Stmt::Let(value) => match self.body.values[*value].op {
                    Op::Load { site, .. } => site,
                    _ => continue,
                },
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

    /// Packs neighbouring stores where that saves something, or those to some arrays in any case.
    fn pack_all_stores(&mut self, arrays: Option<&BTreeSet<Array>>) {
        for stores in self.neighbours() {
            let Some(arrays) = arrays else {
                self.pack_stores(&stores, 0);
                continue;
            };
            let place = self.touched(stores[0]).place;
            if matches!(place, Place::Array(array) if arrays.contains(&array)) {
                self.pack_stores(&stores, i32::MIN);
            }
        }
    }

    /// The statements with all that was packed.
    fn finish(mut self, lanes: &mut Lanes) -> Block {
        for (scalar, lane) in self.taken {
            lanes[scalar] = lane.into();
        }
        if self.inserted.is_empty() && !self.removed.contains(&true) {
            return self.statements;
        }
        self.inserted.sort_by_key(|(at, _)| *at);
        let mut packed = Block::with_capacity(self.statements.len() + self.inserted.len());
        let mut inserted = self.inserted.into_iter().peekable();
        let removed = self.removed;
        for (at, stmt) in self.statements.into_iter().enumerate() {
            while let Some((_, stmt)) = inserted.next_if(|(to, _)| *to == at) {
                packed.push(stmt);
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

    /// Makes one store of some unless that gains less than `gain`.
    fn pack_stores(&mut self, stores: &[Access], gain: i32) {
        let late = last(stores).at;
        let early = || stores.iter().filter(|store| store.at != late);
        if !early().all(|store| self.may_sink(*store, late)) {
            return;
        }
        self.work = 0;
        let values: Group = stores.iter().map(|store| store.value).collect();
        let plan = self.plan(&values, 0);
        if plan.gain < gain || plan.at > late {
            return;
        }
        let first = stores[0];
        let value = self.build(&plan);
        let store = Stmt::Store {
            place: self.touched(first).place,
            index: self.index(first),
            value,
            site: first.site,
        };
        self.inserted.push((late, store));
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

    /// Where in the run a value is defined.
    fn defined_at(&self, value: Value) -> Option<usize> {
        self.defined[value].checked_sub(self.start)
    }

    /// In front of which statement a value can be used first.
    fn ready(&self, value: Value) -> usize {
        self.defined_at(value).map_or(0, |at| at + 1)
    }

    /// In front of which statement all of some values can be used.
    fn all_ready(&self, values: &[Value]) -> usize {
        let ready = values.iter().map(|value| self.ready(*value));
        ready.max().unwrap_or(0)
    }
}

/// The store that comes last in the run.
fn last(stores: &[Access]) -> Access {
    let last = stores.iter().max_by_key(|store| store.at);
    *last.expect("a group of stores has some")
}
