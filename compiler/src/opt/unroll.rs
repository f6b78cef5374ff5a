//! Short counted loops become straight-line code, so that arrays become values and nothing is counted; longer ones do several
//! trips at a time, so that neighbouring accesses can be paired.
//!
//! Innermost loops first; a loop is copied while its trip count and the copies' size stay within limits. The order of what
//! runs does not change.

use super::alias::{Touch, touch};
use super::has_loops;
use super::linear::Linear;
use super::pack::vector_of;
use super::rank_update::{Points, RankUpdate};
use crate::ir::{BinaryOp, Block, Body, For, Inst, Label, Op, Scalar, Stmt, Type, Value};
use crate::target::Target;
use rustc_hash::FxHashMap as HashMap;

/// The most statements that the copies of one loop may have.
const COPIES_SIZE_MAX: usize = 1024;

/// The most statements that all copies of one body may have.
const TOTAL_SIZE_MAX: usize = 8192;

/// A loop that has become short once its body was simplified is unrolled if all its trips store to no more entries than registers
/// hold: more would be held and spilled, and rows of a block are better stored as vectors.
const ENTRIES_MAX: u64 = 24;

/// How many trips are put in one, and the most statements that the body may have then.
const WIDE_SIZE_MAX: [(u64, usize); 2] = [(4, 128), (2, 4096)];

/// The same of loops that store floats, of which four make a vector.
const FLOATS_SIZE_MAX: [(u64, usize); 2] = [(4, 4096), (2, 4096)];

/// Unrolls the loops of a body's root of at most `trips_max` trips; not those that are updates, or may become one with the loop
/// around them if `may_join`.
pub(super) fn unroll(body: &mut Body, trips_max: u16, target: &Target, may_join: bool) {
    if !has_loops(&body.root) {
        return;
    }
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Unroll {
        body,
        trips_max: u64::from(trips_max),
        budget: TOTAL_SIZE_MAX,
        target,
        may_join,
    };
    pass.block(&mut root, None);
    body.root = root;
}

/// Puts several trips of each innermost loop of known length into one.
pub(super) fn unroll_partly(body: &mut Body, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    let mut budget = TOTAL_SIZE_MAX;
    put_together(body, &mut budget, &mut root, target);
    body.root = root;
}

fn put_together(body: &mut Body, budget: &mut usize, block: &mut Block, target: &Target) {
    let mut kept = Block::with_capacity(block.len());
    for mut stmt in std::mem::take(block) {
        if is_update(body, &stmt, target, None) {
            kept.push(stmt);
            continue;
        }
        for inner in stmt.blocks_mut() {
            put_together(body, budget, inner, target);
        }
        match stmt {
            Stmt::For(mut it) => match trips_at_a_time(body, &it, budget) {
                Some((trips, factor)) => several(body, &mut it, trips, factor, &mut kept),
                None => kept.push(Stmt::For(it)),
            },
            other => kept.push(other),
        }
    }
    *block = kept;
}

/// Whether a host function runs a loop, or would for all trips of the loop around it.
fn is_update(body: &Body, stmt: &Stmt, target: &Target, around: Option<Points>) -> bool {
    let trips = around.map_or(1, |points| points.count);
    matches!(stmt, Stmt::For(it) if RankUpdate::inside(body, it, target, trips).is_some())
        || around.is_some_and(|points| points.have_sums(body, stmt, target))
}

/// How many trips a loop makes, and how many of them to make in one.
fn trips_at_a_time(body: &Body, it: &For, budget: &mut usize) -> Option<(u64, u64)> {
    let trips = body.trips(it)?;
    if changes_nothing(&it.body) || it.body.iter().any(|stmt| !is_simple(stmt)) {
        return None;
    }
    if has_neighbours(body, &it.body) {
        return None;
    }
    let size = it.body.len();
    let fits =
        |(factor, most): &(u64, usize)| trips >= *factor && size * (*factor as usize) <= *most;
    let floats = it.body.iter().any(|stmt| stores_float(body, stmt));
    let limits = if floats {
        FLOATS_SIZE_MAX
    } else {
        WIDE_SIZE_MAX
    };
    let (factor, _) = limits.into_iter().find(fits)?;
    let copies = size * (factor + trips % factor) as usize;
    *budget = budget.checked_sub(copies)?;
    Some((trips, factor))
}

/// Whether two thirds of what a trip stores can be stored as vectors already.
fn has_neighbours(body: &Body, block: &Block) -> bool {
    let touches = block.iter().filter_map(|stmt| touch(body, stmt));
    let mut stores: Vec<Touch> = touches.filter(|touch| touch.is_store).collect();
    stores.sort_by_cached_key(|store| (store.origin(), store.index.constant));
    let (mut covered, mut chain) = (0, 0);
    for (at, store) in stores.iter().enumerate() {
        let follows = at > 0 && stores[at - 1].is_before(store);
        chain = if follows { chain + 1 } else { 1 };
        if let Some(vector) = vector_of(store.ty) {
            let lanes = usize::from(vector.lanes);
            covered += if chain % lanes == 0 { lanes } else { 0 };
        }
    }
    covered > 0 && 3 * covered >= 2 * stores.len()
}

fn stores_float(body: &Body, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Store { value, .. } => body.ty(*value) == Type::of(Scalar::F32),
        _ => false,
    }
}

fn is_simple(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Let(_) | Stmt::Set(..) | Stmt::Store { .. })
}

/// Makes `factor` trips one, and puts what is left over behind the loop.
fn several(body: &mut Body, it: &mut For, trips: u64, factor: u64, kept: &mut Block) {
    let lo = body.int_constant(it.lo).expect("bounds are constant");
    let counter_at = |trip: u64| lo.wrapping_add(it.step.wrapping_mul(trip as i64));
    let rest = trips % factor;
    let mut left_over = Block::new();
    for trip in trips - rest..trips {
        copy_with(body, it, Op::Const(counter_at(trip) as u64), &mut left_over);
    }
    let mut wide = Block::new();
    for trip in 1..factor {
        let step = Op::Const(it.step.wrapping_mul(trip as i64) as u64);
        let step = body.values.push(Inst {
            op: step,
            ty: Type::I64,
        });
        wide.push(Stmt::Let(step));
        let counter = Op::Binary(BinaryOp::Add, it.counter, step);
        copy_with(body, it, counter, &mut wide);
    }
    let hi = body.values.push(Inst {
        op: Op::Const(counter_at(trips - rest) as u64),
        ty: Type::I64,
    });
    kept.push(Stmt::Let(hi));
    it.hi = hi;
    it.step = it.step.wrapping_mul(factor as i64);
    it.body.extend(wide);
    kept.push(Stmt::For(Box::new(it.clone())));
    kept.extend(left_over);
}

/// Appends a copy of a loop's body with another counter.
fn copy_with(body: &mut Body, it: &For, counter: Op, to: &mut Block) {
    let ty = body.ty(it.counter);
    let at = body.values.push(Inst { op: counter, ty });
    to.push(Stmt::Let(at));
    let mut copy = Copy::new(body);
    copy.values.reserve(it.body.len() + 1);
    copy.values.insert(it.counter, at);
    to.extend(copy.block(&it.body));
}

struct Unroll<'a> {
    body: &'a mut Body,
    trips_max: u64,
    budget: usize,
    target: &'a Target,
    may_join: bool,
}

impl Unroll<'_> {
    /// Unrolls the loops of a block, which a loop of known length may be around.
    fn block(&mut self, block: &mut Block, around: Option<Points>) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if is_update(self.body, &stmt, self.target, around) {
                kept.push(stmt);
                continue;
            }
            let own = self.points(&stmt);
            for inner in stmt.blocks_mut() {
                self.block(inner, own);
            }
            match stmt {
                Stmt::For(it) if self.is_short(&it) => self.copies(&it, &mut kept),
                other => kept.push(other),
            }
        }
        *block = kept;
    }

    /// What a loop of known length goes over, if that matters.
    fn points(&self, stmt: &Stmt) -> Option<Points> {
        match stmt {
            Stmt::For(it) if self.may_join => Points::of(self.body, it),
            _ => None,
        }
    }

    /// How many entries a loop stores to, about: one for each trip where the index follows the counter.
    fn entries(&self, it: &For) -> u64 {
        let trips = self.body.trips(it).unwrap_or(1);
        let mut entries = 0;
        crate::ir::for_each_stmt(&it.body, &mut |stmt| {
            if let Stmt::Store { index, .. } = stmt {
                let index = Linear::of(self.body, *index);
                let follows = index.factor(it.counter) != 0;
                entries += if follows { trips } else { 1 };
            }
        });
        entries
    }

    fn is_short(&mut self, it: &For) -> bool {
        let Some(trips) = self.body.trips(it) else {
            return false;
        };
        let size = size(&it.body).saturating_mul(trips as usize);
        let fits = trips <= self.trips_max && size <= COPIES_SIZE_MAX && size <= self.budget;
        let short = trips <= 1 || fits && !changes_nothing(&it.body);
        // Leaving a loop early would need a block around all copies; such loops stay loops.
        let short = short && !names(&it.body, it.label);
        // Updates are done for all trips at once.
        let around = Points::of(self.body, it).filter(|_| self.may_join);
        let is_update = |stmt| is_update(self.body, stmt, self.target, around);
        let short = short && (trips <= 1 || !it.body.iter().any(is_update));
        let short = short && (trips <= 1 || self.may_join || self.entries(it) <= ENTRIES_MAX);
        if short {
            self.budget = self.budget.saturating_sub(size);
        }
        short
    }

    fn copies(&mut self, it: &For, kept: &mut Block) {
        let lo = self.body.int_constant(it.lo).expect("bounds are constant");
        let trips = self.body.trips(it).expect("bounds are constant");
        for trip in 0..trips {
            let counter = lo.wrapping_add(it.step.wrapping_mul(trip as i64));
            copy_with(self.body, it, Op::Const(counter as u64), kept);
        }
    }
}

/// Whether statements do nothing but fail: they tell which check of many does, and hardly ever run.
fn changes_nothing(block: &Block) -> bool {
    block.iter().all(|stmt| match stmt {
        Stmt::Let(_) => true,
        Stmt::For(it) => changes_nothing(&it.body),
        _ => false,
    })
}

fn size(block: &Block) -> usize {
    let mut count = 0;
    crate::ir::for_each_stmt(block, &mut |_| count += 1);
    count
}

fn names(block: &Block, label: Label) -> bool {
    let mut found = false;
    crate::ir::for_each_stmt(block, &mut |stmt| {
        found |= matches!(stmt, Stmt::Exit(l) | Stmt::Continue(l) if *l == label);
    });
    found
}

/// Copies statements, giving each copy its own values and labels.
pub(super) struct Copy<'a> {
    body: &'a mut Body,
    /// What a value has become in the copy.
    pub(super) values: HashMap<Value, Value>,
    labels: Vec<(Label, Label)>,
}

impl<'a> Copy<'a> {
    pub(super) fn new(body: &'a mut Body) -> Copy<'a> {
        Copy {
            body,
            values: HashMap::default(),
            labels: Vec::new(),
        }
    }

    fn value(&self, value: Value) -> Value {
        self.values.get(&value).copied().unwrap_or(value)
    }

    fn define(&mut self, value: Value) -> Value {
        let mut inst = self.body.values[value].clone();
        inst.op.map_operands(|v| self.value(v));
        let copy = self.body.values.push(inst);
        self.values.insert(value, copy);
        copy
    }

    fn open(&mut self, label: Label) -> Label {
        let copy = self.body.label();
        self.labels.push((label, copy));
        copy
    }

    fn label(&self, label: Label) -> Label {
        let own = self.labels.iter().rev().find(|(from, _)| *from == label);
        own.map_or(label, |(_, to)| *to)
    }

    pub(super) fn block(&mut self, block: &Block) -> Block {
        block.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        match stmt {
            Stmt::Let(value) => Stmt::Let(self.define(*value)),
            Stmt::Exit(label) => Stmt::Exit(self.label(*label)),
            Stmt::Continue(label) => Stmt::Continue(self.label(*label)),
            Stmt::Set(..) | Stmt::Store { .. } | Stmt::Clear(_) => {
                let mut copy = stmt.clone();
                copy.map_operands(|v| self.value(v));
                copy
            }
            Stmt::If { cond, then, other } => Stmt::If {
                cond: self.value(*cond),
                then: self.block(then),
                other: self.block(other),
            },
            Stmt::For(it) => {
                let label = self.open(it.label);
                let (lo, hi) = (self.value(it.lo), self.value(it.hi));
                let counter = self.define(it.counter);
                let body = self.block(&it.body);
                self.labels.pop();
                Stmt::For(Box::new(For {
                    label,
                    counter,
                    lo,
                    hi,
                    body,
                    ..**it
                }))
            }
            Stmt::Loop { label, site, body } => {
                let label = self.open(*label);
                let body = self.block(body);
                self.labels.pop();
                let site = *site;
                Stmt::Loop { label, site, body }
            }
            Stmt::Block { label, body } => {
                let label = self.open(*label);
                let body = self.block(body);
                self.labels.pop();
                Stmt::Block { label, body }
            }
        }
    }
}
