//! Adjacent doubles that are stored together are loaded, computed and stored two at a time.
//!
//! Within a run of statements without control flow: two stores to neighbouring entries of one row are one store of two lanes
//! if their values can be packed (equal operations on packed operands, neighbouring loads, one value twice) and that saves
//! work. Each lane computes what its scalar did, in the same order: results are the same bits.

use crate::ir::{Block, Body, Inst, Op, Place, Region, Scalar, Site, Stmt, Type, Value};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeMap;

/// How deep a packed expression may be.
const DEPTH_MAX: u32 = 16;

/// The type of two doubles.
const PAIR: Type = Type::of(Scalar::F64).with_lanes(2);

/// Packs the stores of a body's root and the blocks inside.
pub(super) fn pack_pairs(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    let mut uses: SecondaryMap<Value, u32> = SecondaryMap::new();
    crate::ir::for_each_stmt(&root, &mut |stmt| {
        stmt.for_each_operand(|v| uses[v] += 1);
        if let Stmt::Let(value) = stmt {
            body.values[*value].op.for_each_operand(|v| uses[v] += 1);
        }
    });
    block(body, &uses, &mut root);
    body.root = root;
}

fn block(body: &mut Body, uses: &SecondaryMap<Value, u32>, statements: &mut Block) {
    let mut done = Block::with_capacity(statements.len());
    let mut run = Block::new();
    for mut stmt in std::mem::take(statements) {
        let mut control = matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_));
        for inner in stmt.blocks_mut() {
            control = true;
            block(body, uses, inner);
        }
        if control {
            done.extend(Run::new(body, uses, std::mem::take(&mut run)).pack());
            done.push(stmt);
        } else {
            run.push(stmt);
        }
    }
    done.extend(Run::new(body, uses, run).pack());
    *statements = done;
}

/// An access of one double of a row: where in the run, and at which entry.
#[derive(Clone, Copy)]
struct Access {
    at: usize,
    addr: Value,
    region: Region,
    index: i64,
    value: Value,
    site: Site,
}

/// A run of statements without control flow.
struct Run<'a> {
    body: &'a mut Body,
    uses: &'a SecondaryMap<Value, u32>,
    statements: Block,
    /// Loads of the run, by the value they define.
    loads: BTreeMap<Value, Access>,
    stores: Vec<Access>,
    /// Where in the run a value is defined.
    defined: BTreeMap<Value, usize>,
    /// What goes in front of a statement.
    inserted: BTreeMap<usize, Vec<Stmt>>,
    removed: Vec<bool>,
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
    /// The same operation on pairs; the first lane's instruction stands for both.
    Each(Value, Vec<Packed>),
}

impl<'a> Run<'a> {
    fn new(body: &'a mut Body, uses: &'a SecondaryMap<Value, u32>, statements: Block) -> Run<'a> {
        let removed = vec![false; statements.len()];
        let mut run = Run {
            body,
            uses,
            statements,
            loads: BTreeMap::new(),
            stores: Vec::new(),
            defined: BTreeMap::new(),
            inserted: BTreeMap::new(),
            removed,
        };
        run.find_accesses();
        run
    }

    fn find_accesses(&mut self) {
        for (at, stmt) in self.statements.iter().enumerate() {
            let (place, index, value, site, is_load) = match stmt {
                Stmt::Let(value) => {
                    self.defined.insert(*value, at);
                    match self.body.values[*value].op {
                        Op::Load { place, index, site } => (place, index, *value, site, true),
                        _ => continue,
                    }
                }
                Stmt::Store {
                    place,
                    index,
                    value,
                    site,
                } => (*place, *index, *value, *site, false),
                _ => continue,
            };
            let Place::Row { addr, region } = place else {
                continue;
            };
            let double = self.body.ty(value) == Type::of(Scalar::F64);
            let Some(index) = self.body.int_constant(index).filter(|_| double) else {
                continue;
            };
            let access = Access {
                at,
                addr,
                region,
                index,
                value,
                site,
            };
            if is_load {
                self.loads.insert(value, access);
            } else {
                self.stores.push(access);
            }
        }
    }

    fn pack(mut self) -> Block {
        for (first, second) in self.neighbours() {
            self.pack_stores(first, second);
        }
        let mut packed = Block::with_capacity(self.statements.len());
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
        sorted.sort_by_key(|store| (store.addr, store.index, store.at));
        let mut pairs = Vec::new();
        let mut rest = &sorted[..];
        while let [first, second, ..] = rest {
            let adjacent = first.addr == second.addr && first.index + 1 == second.index;
            // A third store to either entry would have to keep its place among them.
            let again = rest
                .get(2)
                .is_some_and(|third| third.addr == second.addr && third.index == second.index);
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
        let Some((packed, gain)) = self.plan(first.value, second.value, 0) else {
            return;
        };
        if gain + 1 <= 0 {
            return;
        }
        let value = self.build(&packed, late.at);
        let index = self.body.values.push(Inst {
            op: Op::Const(first.index as u64),
            ty: Type::I64,
        });
        let place = Place::Row {
            addr: first.addr,
            region: first.region,
        };
        let site = first.site;
        let store = Stmt::Store {
            place,
            index,
            value,
            site,
        };
        let before = self.inserted.entry(late.at).or_default();
        before.extend([Stmt::Let(index), store]);
        self.removed[early.at] = true;
        self.removed[late.at] = true;
    }

    /// Whether nothing between a store and position `to` touches what it stores to.
    fn may_sink(&self, store: Access, to: usize) -> bool {
        let between = &self.statements[store.at + 1..to];
        between.iter().all(|stmt| match stmt {
            Stmt::Let(value) => match &self.body.values[*value].op {
                Op::Load { place, index, .. } => !self.touches(place, *index, *value, store),
                _ => true,
            },
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => !self.touches(place, *index, *value, store),
            _ => true,
        })
    }

    /// Whether no store from a load's place on to position `to` touches what it loads.
    fn may_rise(&self, load: Access, from: usize) -> bool {
        let between = &self.statements[from..load.at];
        between.iter().all(|stmt| match stmt {
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => !self.touches(place, *index, *value, load),
            _ => true,
        })
    }

    fn touches(&self, place: &Place, index: Value, value: Value, access: Access) -> bool {
        let Place::Row { addr, region } = *place else {
            return false;
        };
        if region.slot != access.region.slot {
            return false;
        }
        let known = self
            .body
            .int_constant(index)
            .filter(|_| addr == access.addr);
        let lanes = i64::from(self.body.ty(value).lanes);
        known.is_none_or(|index| (index..index + lanes).contains(&access.index))
    }

    /// How to pack two values, and how many instructions that saves.
    fn plan(&self, a: Value, b: Value, depth: u32) -> Option<(Packed, i32)> {
        if a == b {
            let constant = self.body.constant(a).is_some();
            return Some((Packed::Same(a), if constant { 0 } else { -1 }));
        }
        if let (Some(x), Some(y)) = (self.body.constant(a), self.body.constant(b)) {
            let same = (x == y).then_some((Packed::Same(a), 0));
            return same.or(Some((Packed::Joined(a, b), -2)));
        }
        if let Some(loaded) = self.plan_loads(a, b) {
            return Some(loaded);
        }
        let single = self.uses[a] == 1 && self.uses[b] == 1;
        let operations = (single && depth < DEPTH_MAX).then(|| self.plan_each(a, b, depth));
        operations.flatten().or(Some((Packed::Joined(a, b), -1)))
    }

    fn plan_loads(&self, a: Value, b: Value) -> Option<(Packed, i32)> {
        let (first, second) = (*self.loads.get(&a)?, *self.loads.get(&b)?);
        let adjacent = first.addr == second.addr && first.index + 1 == second.index;
        let (early, late) = match first.at < second.at {
            true => (first, second),
            false => (second, first),
        };
        let unused_else = self.uses[a] == 1 && self.uses[b] == 1;
        let movable = adjacent && self.may_rise(late, early.at);
        movable.then_some((Packed::Loaded(a, b), if unused_else { 1 } else { -1 }))
    }

    fn plan_each(&self, a: Value, b: Value, depth: u32) -> Option<(Packed, i32)> {
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
        let here = |v: &Value| self.defined.contains_key(v);
        if !here(&a) || !here(&b) {
            return None;
        }
        let mut gain = 1;
        let mut operands = Vec::new();
        for (a, b) in pairs {
            let (packed, saved) = self.plan(a, b, depth + 1)?;
            gain += saved;
            operands.push(packed);
        }
        Some((Packed::Each(a, operands), gain))
    }

    /// Emits a pair in front of statement `at`.
    fn build(&mut self, packed: &Packed, at: usize) -> Value {
        match packed {
            Packed::Same(value) => match self.body.constant(*value) {
                Some(bits) => self.emit(Op::Const(bits), at),
                None => self.emit(Op::Splat(*value), at),
            },
            Packed::Joined(a, b) => {
                let a = self.emit(Op::Splat(*a), at);
                let b = self.emit(Op::Splat(*b), at);
                self.emit(Op::Shuffle(a, b, [0, 2, 0, 0]), at)
            }
            Packed::Loaded(a, b) => self.build_load(*a, *b),
            Packed::Each(first, operands) => {
                let operands: Vec<Value> = operands.iter().map(|p| self.build(p, at)).collect();
                let mut op = self.body.values[*first].op.clone();
                let mut next = operands.into_iter();
                op.map_operands(|old| next.next().unwrap_or(old));
                self.emit(op, at)
            }
        }
    }

    fn build_load(&mut self, a: Value, b: Value) -> Value {
        let (first, second) = (self.loads[&a], self.loads[&b]);
        let at = first.at.min(second.at);
        let op = Op::Const(first.index as u64);
        let index = self.body.values.push(Inst { op, ty: Type::I64 });
        self.inserted.entry(at).or_default().push(Stmt::Let(index));
        let place = Place::Row {
            addr: first.addr,
            region: first.region,
        };
        let site = first.site;
        self.emit(Op::Load { place, index, site }, at)
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
