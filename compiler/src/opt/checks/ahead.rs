//! Checks of indices that only a loop's counter changes are made once, before the loop.
//!
//! The counter's values are known, so one check of the lowest index with room for the highest does for all trips. It fails if and
//! only if one of theirs would: then they are all made first, trip by trip, and the first to fail tells what it always told. A loop that
//! does anything else that can fail, or that may be left early, keeps its checks.

use super::{is_beyond, sum};
use crate::ir::{BinaryOp, Block, Body, Builder, For, Inst, Op, Site, Stmt, Type, Value};
use crate::opt::linear::{Linear, Terms};
use rustc_hash::{FxHashMap as HashMap, FxHashSet};

/// Puts checks before loops where that can be done; whether there was one.
pub(in crate::opt) fn check_ahead(body: &mut Body) -> bool {
    let mut taken = std::mem::take(body);
    let root = std::mem::take(&mut taken.root);
    let mut pass = Ahead {
        builder: Builder::new(taken),
        found: false,
    };
    pass.block(root);
    let found = pass.found;
    *body = pass.builder.finish();
    found
}

struct Ahead {
    builder: Builder,
    found: bool,
}

impl Ahead {
    fn block(&mut self, block: Block) {
        for mut stmt in block {
            if let Stmt::For(it) = &mut stmt
                && let Some(plan) = Plan::of(&self.builder.body, it)
            {
                self.check(it, &plan);
                self.found = true;
            } else {
                for inner in stmt.blocks_mut() {
                    self.builder.open();
                    self.block(std::mem::take(inner));
                    *inner = self.builder.close();
                }
            }
            self.builder.push(stmt);
        }
    }

    /// Makes the checks of a loop here, in front of it.
    fn check(&mut self, it: &mut For, plan: &Plan) {
        let lowest = plan.families.iter();
        let lowest: Vec<Value> = lowest
            .map(|family| sum(&mut self.builder, &family.terms, family.low))
            .collect();
        if !plan.is_one_index() {
            self.check_all_if_one_fails(it, plan, &lowest);
        }
        let checked = lowest.into_iter().zip(&plan.families);
        let checked: Vec<Value> = checked
            .map(|(index, family)| {
                let (len, site) = (family.room, family.site);
                let op = Op::CheckIndex { index, len, site };
                self.builder.emit(op, Type::I64)
            })
            .collect();
        it.body = self.unchecked(std::mem::take(&mut it.body), plan, &checked);
    }

    /// Makes all checks of a loop if one of them is to fail, so that the first one tells.
    fn check_all_if_one_fails(&mut self, it: &For, plan: &Plan, lowest: &[Value]) {
        let beyond = lowest.iter().zip(&plan.families);
        let beyond: Vec<Value> = beyond
            .map(|(index, family)| is_beyond(&mut self.builder, *index, family.room))
            .collect();
        let or = |fails, one| self.builder.binary(BinaryOp::Or, fails, one);
        let cond = beyond.into_iter().reduce(or);
        let cond = cond.expect("there is a check");
        self.builder.open();
        self.all(it, plan, &mut HashMap::default());
        let then = self.builder.close();
        let other = Block::new();
        self.builder.push(Stmt::If { cond, then, other });
    }

    /// Writes a loop that does nothing but its checks.
    fn all(&mut self, it: &For, plan: &Plan, counters: &mut HashMap<Value, Value>) {
        let (op, ty) = (Op::Counter, Type::I64);
        let counter = self.builder.body.values.push(Inst { op, ty });
        counters.insert(it.counter, counter);
        let bound = |pass: &mut Self, value| {
            let bound = pass.builder.body.int_constant(value);
            pass.builder.i64(bound.expect("the loop's trips are known"))
        };
        let (lo, hi) = (bound(self, it.lo), bound(self, it.hi));
        let label = self.builder.body.label();
        self.builder.open();
        for stmt in &it.body {
            match stmt {
                Stmt::Let(value) => {
                    if let Some(check) = plan.check(*value) {
                        let own = |term: &(Value, i64)| {
                            let value = counters.get(&term.0).copied();
                            (value.unwrap_or(term.0), term.1)
                        };
                        let terms: Terms = check.index.terms.iter().map(own).collect();
                        let index = sum(&mut self.builder, &terms, check.index.constant);
                        let (len, site) = (check.len, check.site);
                        let op = Op::CheckIndex { index, len, site };
                        self.builder.emit(op, Type::I64);
                    }
                }
                Stmt::For(inner) => self.all(inner, plan, counters),
                _ => {}
            }
        }
        let body = self.builder.close();
        if body.is_empty() {
            return;
        }
        let own = For {
            label,
            counter,
            lo,
            hi,
            body,
            ..*it
        };
        self.builder.push(Stmt::For(Box::new(own)));
    }

    /// Statements whose checks have been made: their indices count from what is checked.
    fn unchecked(&mut self, block: Block, plan: &Plan, checked: &[Value]) -> Block {
        self.builder.open();
        for mut stmt in block {
            if let Stmt::Let(value) = stmt
                && let Some(check) = plan.check(value)
            {
                let family = &plan.families[check.family];
                let counters = check.index.terms.iter();
                let counters = counters.filter(|(value, _)| plan.counters.contains_key(value));
                let mut terms: Terms = counters.copied().collect();
                terms.insert(0, (checked[check.family], 1));
                let counted = sum(&mut self.builder, &terms, 0);
                let rest = self
                    .builder
                    .i64(check.index.constant.wrapping_sub(family.low));
                let op = Op::Binary(BinaryOp::Add, counted, rest);
                self.builder.body.values[value].op = op;
            }
            for inner in stmt.blocks_mut() {
                let own = std::mem::take(inner);
                *inner = self.unchecked(own, plan, checked);
            }
            self.builder.push(stmt);
        }
        self.builder.close()
    }
}

/// A loop's checks, and what is to be checked before it.
#[derive(Default)]
struct Plan {
    checks: Vec<Check>,
    /// By result of a check: which it is.
    by_result: HashMap<Value, usize>,
    families: Vec<Family>,
    /// The first and the last value of its counter and of those inside.
    counters: HashMap<Value, (i64, i64)>,
    /// What is computed in the loop.
    defined: FxHashSet<Value>,
}

struct Check {
    index: Linear,
    len: u64,
    site: Site,
    /// Which family it is of.
    family: usize,
}

/// Checks of indices with the same terms, counters aside, against one length.
struct Family {
    terms: Terms,
    len: u64,
    /// The lowest and the highest constant over all trips.
    low: i64,
    high: i64,
    /// How far the lowest index may go, if all of them can be in range.
    room: u64,
    site: Site,
}

impl Plan {
    /// The checks of a loop, if all of them can be made before it and there are some.
    fn of(body: &Body, it: &For) -> Option<Plan> {
        let mut plan = Plan::default();
        plan.note(body, it)?;
        plan.find_families()?;
        (!plan.checks.is_empty()).then_some(plan)
    }

    /// Whether all checks are of one index.
    fn is_one_index(&self) -> bool {
        matches!(&self.families[..], [family] if family.low == family.high)
    }

    fn check(&self, result: Value) -> Option<&Check> {
        self.by_result.get(&result).map(|at| &self.checks[*at])
    }

    /// Notes a loop; `None` if its checks can't go before it.
    fn note(&mut self, body: &Body, it: &For) -> Option<()> {
        let trips = i64::try_from(body.trips(it)?).ok()?;
        let first = body.int_constant(it.lo)?;
        let way = it.step.checked_mul(trips.checked_sub(1)?)?;
        let last = first.checked_add(way).filter(|_| trips > 0)?;
        self.counters.insert(it.counter, (first, last));
        let mut statements = it.body.iter();
        statements.try_for_each(|stmt| self.note_stmt(body, stmt))
    }

    fn note_stmt(&mut self, body: &Body, stmt: &Stmt) -> Option<()> {
        match stmt {
            Stmt::Let(value) => {
                self.defined.insert(*value);
                let Op::CheckIndex { index, len, site } = body.values[*value].op else {
                    return is_quiet(body, stmt).then_some(());
                };
                self.by_result.insert(*value, self.checks.len());
                self.checks.push(Check {
                    index: Linear::of(body, index),
                    len,
                    site,
                    family: 0,
                });
                Some(())
            }
            Stmt::For(inner) => self.note(body, inner),
            _ => is_quiet(body, stmt).then_some(()),
        }
    }

    /// Finds the families; `None` if an index depends on what is computed in the loop, or can't be in range.
    fn find_families(&mut self) -> Option<()> {
        let mut places: HashMap<(Terms, u64), usize> = HashMap::default();
        for at in 0..self.checks.len() {
            let Check {
                ref index,
                len,
                site,
                ..
            } = self.checks[at];
            let (terms, low, high) = self.span(index)?;
            let next = self.families.len();
            let place = *places.entry((terms.clone(), len)).or_insert(next);
            self.checks[at].family = place;
            match self.families.get_mut(place) {
                Some(family) => {
                    family.low = family.low.min(low);
                    family.high = family.high.max(high);
                }
                None => self.families.push(Family {
                    terms,
                    len,
                    low,
                    high,
                    room: 0,
                    site,
                }),
            }
        }
        for family in &mut self.families {
            let span = u64::try_from(family.high.checked_sub(family.low)?).ok()?;
            family.room = family.len.checked_sub(span).filter(|room| *room > 0)?;
        }
        Some(())
    }

    /// An index without counters: its terms, and the lowest and highest of the rest over all trips.
    fn span(&self, index: &Linear) -> Option<(Terms, i64, i64)> {
        let (mut terms, mut low, mut high) = (Terms::new(), index.constant, index.constant);
        for &(value, factor) in &index.terms {
            if let Some((first, last)) = self.counters.get(&value) {
                let ends = (factor.checked_mul(*first)?, factor.checked_mul(*last)?);
                low = low.checked_add(ends.0.min(ends.1))?;
                high = high.checked_add(ends.0.max(ends.1))?;
            } else if self.defined.contains(&value) {
                return None;
            } else {
                terms.push((value, factor));
            }
        }
        Some((terms, low, high))
    }
}

/// Whether a statement can neither fail nor leave the loop.
fn is_quiet(body: &Body, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Let(value) => !body.values[*value].op.can_fail(),
        Stmt::Set(..) | Stmt::Store { .. } | Stmt::Clear(_) => true,
        Stmt::If { then, other, .. } => then.iter().chain(other).all(|stmt| is_quiet(body, stmt)),
        Stmt::For(it) => {
            body.trips(it).is_some() && it.body.iter().all(|stmt| is_quiet(body, stmt))
        }
        Stmt::Loop { .. } | Stmt::Block { .. } | Stmt::Exit(_) | Stmt::Continue(_) => false,
    }
}
