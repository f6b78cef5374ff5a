//! Finds out whether a nest of loops is a rank-k update.

use super::{Factor, RankUpdate, Room, Rows, TERMS_MAX, Term, is_address};
use crate::ir::{BinaryOp, Block, Body, For, Op, Place, Stmt, Type, Value};
use crate::opt::linear::Linear;
use crate::opt::simplify::memory;
use rustc_hash::FxHashSet;

/// Loops over trips, rows and columns; the last is always there.
const LOOPS_MAX: usize = 3;

/// Loops of which each is all that the one around it does, with the values computed inside.
pub(super) struct Nest<'a> {
    body: &'a Body,
    /// The loop that adds all terms again, if there is one.
    trips: Option<&'a For>,
    rows: Option<&'a For>,
    columns: &'a For,
    inside: FxHashSet<Value>,
}

impl<'a> Nest<'a> {
    pub(super) fn of(body: &'a Body, outer: &'a For) -> Option<Nest<'a>> {
        let mut loops = vec![outer];
        let mut inside = FxHashSet::default();
        let columns = loop {
            let it = *loops.last()?;
            let trips = body.trips(it)?;
            if it.step != 1 || trips == 0 || loops.len() > LOOPS_MAX {
                return None;
            }
            inside.insert(it.counter);
            match it.body.split_last()? {
                (Stmt::For(inner), before) => {
                    note(body, before, &mut inside, false)?;
                    loops.push(inner);
                }
                _ => break it,
            }
        };
        note(body, &columns.body, &mut inside, true)?;
        let mut nest = Nest {
            body,
            trips: None,
            rows: None,
            columns,
            inside,
        };
        let (_, index, _) = nest.stored(&columns.body)?;
        let entry = Linear::of(body, index);
        (nest.trips, nest.rows) = match loops[..loops.len() - 1] {
            [] => (None, None),
            [it] if step_of(&entry, Some(it)) == 0 => (Some(it), None),
            [it] => (None, Some(it)),
            [trips, rows] => (Some(trips), Some(rows)),
            _ => return None,
        };
        Some(nest)
    }

    pub(super) fn update(&self) -> Option<RankUpdate> {
        let (place, index, value) = self.stored(&self.columns.body)?;
        let scalar = self.body.ty(value).scalar;
        let count = |it: Option<&For>| it.and_then(|it| self.body.trips(it)).unwrap_or(1);
        let (rows, columns) = (count(self.rows), self.body.trips(self.columns)?);
        let trips = count(self.trips);
        if [rows, columns, trips]
            .into_iter()
            .any(|count| count > u64::from(u32::MAX))
        {
            return None;
        }
        let (entries, sum) = self.entries(place, index)?;
        let column_step = self.column_step(&sum);
        let width = u64::try_from(column_step).ok()?.checked_mul(columns - 1)?;
        let is_apart = rows == 1 || entries.row_step.unsigned_abs() > width;
        let is_block = is_apart && entries.trip_step == 0 && column_step > 0;
        if !is_block || self.body.ty(value) != Type::of(scalar) {
            return None;
        }
        let (terms, is_fused) = self.terms(value, (place, &sum))?;
        Some(RankUpdate {
            scalar,
            is_fused,
            trips,
            rows,
            columns,
            entries,
            column_step,
            terms,
            room: Room::of(self.body),
        })
    }

    fn column_step(&self, sum: &Linear) -> i64 {
        step_of(sum, Some(self.columns))
    }

    /// The one entry that a trip stores to, and what it holds in the end.
    fn stored(&self, block: &Block) -> Option<(Place, Value, Value)> {
        let mut stores = block.iter().filter_map(|stmt| match stmt {
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => Some((*place, *index, *value)),
            _ => None,
        });
        let last = stores.next_back()?;
        let entry = Linear::of(self.body, last.1);
        let is_same = |store: (Place, Value, Value)| {
            store.0 == last.0 && Linear::of(self.body, store.1) == entry
        };
        stores.all(is_same).then_some(last)
    }

    /// What an index walks over. Nothing in it is computed inside but from the counters.
    fn entries(&self, place: Place, index: Value) -> Option<(Rows, Linear)> {
        let sum = Linear::of(self.body, index);
        let counters = [Some(self.columns), self.rows, self.trips];
        let is_counter = |value: Value| counters.iter().flatten().any(|it| it.counter == value);
        let mut terms = sum.terms.iter();
        let mut is_known = terms.all(|(value, _)| is_counter(*value) || self.is_fixed(*value));
        place.for_each_operand(|value| is_known = is_known && self.is_fixed(value));
        let rows = Rows {
            place,
            index,
            first: self.first(&sum),
            row_step: step_of(&sum, self.rows),
            trip_step: step_of(&sum, self.trips),
        };
        is_known.then_some((rows, sum))
    }

    /// What a sum is in the first trip of all loops, if that is a number.
    fn first(&self, sum: &Linear) -> Option<i64> {
        let mut sum = sum.clone();
        for it in [Some(self.columns), self.rows, self.trips]
            .into_iter()
            .flatten()
        {
            sum.substitute(it.counter, self.body.int_constant(it.lo)?);
        }
        sum.terms.is_empty().then_some(sum.constant)
    }

    /// Whether a value is the same in all trips, and can be computed before the first.
    fn is_fixed(&self, value: Value) -> bool {
        if !self.inside.contains(&value) {
            return true;
        }
        let mut is_fixed = is_address(self.body, value);
        let op = &self.body.values[value].op;
        op.for_each_operand(|operand| is_fixed = is_fixed && self.is_fixed(operand));
        is_fixed && !matches!(op, Op::Counter)
    }

    /// The products that make `value` of the entry, and whether each addition is fused with its product.
    fn terms(&self, value: Value, entry: (Place, &Linear)) -> Option<(Vec<Term>, bool)> {
        let mut terms = Vec::new();
        let (mut value, mut is_fused) = (value, None);
        loop {
            let (factors, rest, fused) = match self.body.values[value].op {
                Op::Load { place, index, .. } => {
                    let found = Linear::of(self.body, index);
                    let is_entry = place == entry.0 && found == *entry.1;
                    terms.reverse();
                    let is_before = is_entry && self.is_before_stores(value);
                    return is_before.then_some((terms, is_fused?));
                }
                Op::Fma(a, b, rest) => ((a, b), rest, true),
                Op::Binary(BinaryOp::Add, a, b) => match (self.product(a), self.product(b)) {
                    (Some(factors), None) => (factors, b, false),
                    (None, Some(factors)) => (factors, a, false),
                    _ => return None,
                },
                _ => return None,
            };
            if terms.len() == TERMS_MAX || is_fused.is_some_and(|before| before != fused) {
                return None;
            }
            is_fused = Some(fused);
            terms.push(self.term(factors, entry.0)?);
            value = rest;
        }
    }

    /// Whether a load is of what the trip before has left.
    fn is_before_stores(&self, load: Value) -> bool {
        let mut block = self.columns.body.iter();
        let first =
            block.find(|stmt| **stmt == Stmt::Let(load) || matches!(stmt, Stmt::Store { .. }));
        matches!(first, Some(Stmt::Let(_)))
    }

    fn product(&self, value: Value) -> Option<(Value, Value)> {
        match self.body.values[value].op {
            Op::Binary(BinaryOp::Mul, a, b) if self.inside.contains(&value) => Some((a, b)),
            _ => None,
        }
    }

    fn term(&self, (a, b): (Value, Value), entry: Place) -> Option<Term> {
        let term = |factors, row_factor| {
            let (scale, factors) = self.scaled(factors, entry)?;
            let row_factor = self.factor(row_factor, entry)?;
            Some(Term {
                row_factor,
                scale,
                factors,
            })
        };
        term(a, b).or_else(|| term(b, a))
    }

    /// Factors of a row's entries, maybe times one of all of them.
    fn scaled(&self, value: Value, entry: Place) -> Option<(Option<Factor>, Rows)> {
        if let Some(factors) = self.columns_of(value, entry) {
            return Some((None, factors));
        }
        let (a, b) = self.product(value)?;
        let of = |scale, factors| {
            let factors = self.columns_of(factors, entry)?;
            let scale = self.factor(scale, entry)?;
            let is_one = |rows: &Rows| rows.row_step == 0;
            let is_scale = match &scale {
                Factor::Value(_) => true,
                Factor::Entries(rows) => is_one(rows),
            };
            is_scale.then_some((Some(scale), factors))
        };
        of(a, b).or_else(|| of(b, a))
    }

    /// Neighbouring values, one for each entry of a row, the same ones for all rows.
    fn columns_of(&self, value: Value, entry: Place) -> Option<Rows> {
        let (rows, sum) = self.loaded(value, entry)?;
        (rows.row_step == 0 && self.column_step(&sum) == 1).then_some(rows)
    }

    fn factor(&self, value: Value, entry: Place) -> Option<Factor> {
        if !self.inside.contains(&value) || matches!(self.body.values[value].op, Op::Const(_)) {
            return Some(Factor::Value(value));
        }
        let (rows, sum) = self.loaded(value, entry)?;
        (self.column_step(&sum) == 0).then_some(Factor::Entries(rows))
    }

    /// What a load inside reads, from memory that the nest does not store to.
    fn loaded(&self, value: Value, entry: Place) -> Option<(Rows, Linear)> {
        match self.body.values[value].op {
            Op::Load { place, index, .. }
                if self.inside.contains(&value) && !may_meet(&place, &entry) =>
            {
                self.entries(place, index)
            }
            _ => None,
        }
    }
}

/// Whether two places may share memory. A kernel's parameters are taken not to, which is seen when it is a loop: nothing depends
/// on it before.
fn may_meet(a: &Place, b: &Place) -> bool {
    let param = |place: &Place| match *place {
        Place::Param(param) | Place::ParamRow { param, .. } => Some(param),
        _ => None,
    };
    match (param(a), param(b)) {
        (Some(a), Some(b)) => a == b,
        _ => memory(a) == memory(b),
    }
}

/// Notes what statements compute; `None` if they do more than compute and, where they may, store.
fn note(body: &Body, block: &[Stmt], inside: &mut FxHashSet<Value>, may_store: bool) -> Option<()> {
    for stmt in block {
        match stmt {
            Stmt::Let(value) if !body.values[*value].op.can_fail() => drop(inside.insert(*value)),
            Stmt::Store { .. } if may_store => {}
            _ => return None,
        }
    }
    Some(())
}

/// How much an index grows with a loop's trip.
fn step_of(sum: &Linear, it: Option<&For>) -> i64 {
    it.map_or(0, |it| sum.factor(it.counter))
}
