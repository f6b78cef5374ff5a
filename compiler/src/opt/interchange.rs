//! Two loops of which the outer one walks through memory in smaller steps are turned, so that the inner one does.
//!
//! `for j { for i { a[c*i + s*j] op= .. } }` becomes `for i { for j { .. } }`: neighbours can then be paired. Done only where every
//! entry that is stored to belongs to one pair of counters and is loaded only there, so that each entry sees the same operations
//! in the same order.

use super::alias::{Touch, touch};
use super::has_loops;
use super::simplify::memory;
use crate::ir::{Block, Body, For, Op, Place, Stmt, Value};
use rustc_hash::FxHashSet;

/// Turns the nests of a body's root where that helps.
pub(super) fn interchange(body: &mut Body) {
    if !has_loops(&body.root) {
        return;
    }
    let mut root = std::mem::take(&mut body.root);
    block(body, &mut root);
    body.root = root;
}

/// Turns the nests of a block.
pub(super) fn block(body: &Body, statements: &mut Block) {
    let mut kept = Block::with_capacity(statements.len());
    for mut stmt in std::mem::take(statements) {
        match &mut stmt {
            Stmt::For(outer) if Nest::of(body, outer).is_some_and(|nest| nest.may_turn()) => {
                turn(outer, &mut kept);
            }
            stmt => stmt.blocks_mut().for_each(|inner| block(body, inner)),
        }
        kept.push(stmt);
    }
    *statements = kept;
}

/// Makes the inner loop the outer one. What stood between the loops moves inside, save the inner loop's bounds, which are
/// constants and move in front.
fn turn(outer: &mut For, kept: &mut Block) {
    let Some(Stmt::For(mut inner)) = outer.body.pop() else {
        unreachable!("a nest ends with its inner loop");
    };
    let is_bound = |stmt: &Stmt| defines(stmt).is_some_and(|v| v == inner.lo || v == inner.hi);
    let between = std::mem::take(&mut outer.body).into_iter();
    let (bounds, mut between): (Block, Block) = between.partition(is_bound);
    kept.extend(bounds);
    between.append(&mut inner.body);
    outer.body = between;
    std::mem::swap(outer, &mut inner);
    outer.body = vec![Stmt::For(inner)];
}

/// Two loops, the inner one last in the outer, with nothing but computation and accesses around and inside.
struct Nest<'a> {
    body: &'a Body,
    outer: &'a For,
    inner: &'a For,
    outer_trips: u64,
    inner_trips: u64,
    stores: Vec<Touch>,
}

impl<'a> Nest<'a> {
    fn of(body: &'a Body, outer: &'a For) -> Option<Nest<'a>> {
        let (last, between) = outer.body.split_last()?;
        let Stmt::For(inner) = last else {
            return None;
        };
        let (outer_trips, inner_trips) = (body.trips(outer)?, body.trips(inner)?);
        if inner.step != 1 {
            return None;
        }
        let mut stores = Vec::new();
        for stmt in between.iter().chain(&inner.body) {
            match stmt {
                Stmt::Let(value) if body.values[*value].op.can_fail() => return None,
                Stmt::Let(value) if matches!(body.values[*value].op, Op::Get(_)) => return None,
                Stmt::Let(_) => {}
                Stmt::Store { .. } => stores.extend(touch(body, stmt)),
                _ => return None,
            }
        }
        Some(Nest {
            body,
            outer,
            inner,
            outer_trips,
            inner_trips,
            stores,
        })
    }

    fn may_turn(&self) -> bool {
        let Some(first) = self.stores.first() else {
            return false;
        };
        let may_meet = |touch: &Touch| memory(&touch.place) == memory(&first.place);
        let is_first = |touch: &Touch| touch.place == first.place && touch.index == first.index;
        let stores_stay_apart = self.stores.iter().all(|store| {
            may_meet(store) && is_first(store) && self.walks(store) && self.stays(store)
        });
        stores_stay_apart
            && self
                .loads()
                .all(|load| (!may_meet(&load) || is_first(&load)) && !self.is_worse(&load))
    }

    fn loads(&self) -> impl Iterator<Item = Touch> {
        let inside = self.outer.body.iter().chain(&self.inner.body);
        inside
            .filter(|stmt| matches!(stmt, Stmt::Let(_)))
            .filter_map(|stmt| touch(self.body, stmt))
    }

    fn factors(&self, touch: &Touch) -> (i64, i64) {
        let factor = |it: &For| touch.index.factor(it.counter);
        (factor(self.outer), factor(self.inner))
    }

    /// Whether a store goes on less far with the outer counter than with the inner one, and to its own entry for each pair of counters.
    fn walks(&self, store: &Touch) -> bool {
        let (outer, inner) = self.factors(store);
        let width = outer.unsigned_abs().saturating_mul(self.outer_trips);
        let apart = inner.unsigned_abs() >= width && self.outer.step == 1;
        !matches!(store.place, Place::ParamRow { .. })
            && self.varies_with_counters_alone(store)
            && outer > 0
            && inner.unsigned_abs() > outer.unsigned_abs()
            && apart
            && self.inner_trips > 1
    }

    fn varies_with_counters_alone(&self, store: &Touch) -> bool {
        let counters = [self.outer.counter, self.inner.counter];
        let inside = self.outer.body.iter().chain(&self.inner.body);
        let computed: FxHashSet<Value> = inside.filter_map(defines).collect();
        let mut terms = store.index.terms.iter();
        terms.all(|(value, _)| counters.contains(value) || !computed.contains(value))
    }

    /// Whether a store is to one row throughout: others may overlap it in any way.
    fn stays(&self, store: &Touch) -> bool {
        let Place::Row { addr, .. } = store.place else {
            return true;
        };
        match &self.body.values[addr].op {
            Op::Load {
                place: Place::RowPointers(_),
                index,
                ..
            } => self.body.int_constant(*index).is_some(),
            _ => true,
        }
    }

    /// Whether a load that now walks entry by entry would no longer.
    fn is_worse(&self, load: &Touch) -> bool {
        let (outer, inner) = self.factors(load);
        inner == 1 && outer != 0 && outer != 1
    }
}

fn defines(stmt: &Stmt) -> Option<Value> {
    match stmt {
        Stmt::Let(value) => Some(*value),
        _ => None,
    }
}
