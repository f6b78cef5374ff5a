//! Checks of neighbouring indices become one.
//!
//! Checks in a row of indices that differ by constants are one check of the lowest with room for the highest, and their accesses
//! count from what it returns. Which check fails first, and of what value, is told as before: if the one check would fail, all of
//! them are made in their order first. A check may come before stores that it stood behind: what a failure leaves in memory is
//! unspecified. It never passes another operation that can fail, nor a branch or a loop.

mod ahead;

use super::linear::{Linear, Terms};
use super::runs::is_control;
use crate::ir::{
    BinaryOp, Block, Body, Builder, CompareOp, Op, Scalar, Site, Stmt, Type, Value, for_each_stmt,
};
pub(super) use ahead::check_ahead;
use rustc_hash::{FxHashMap as HashMap, FxHashSet};

/// Fewer checks are not worth joining: the one costs two.
const CHECKS_MIN: u32 = 3;

/// Joins the checks of a body's root and the blocks inside; `false` if there are too few.
pub(super) fn join_checks(body: &mut Body) -> bool {
    let mut checks = 0;
    for_each_stmt(&body.root, &mut |stmt| {
        if let Stmt::Let(value) = stmt {
            checks += u32::from(matches!(body.values[*value].op, Op::CheckIndex { .. }));
        }
    });
    if checks < CHECKS_MIN {
        return false;
    }
    let mut taken = std::mem::take(body);
    let root = std::mem::take(&mut taken.root);
    let mut pass = Join {
        builder: Builder::new(taken),
        joined: HashMap::default(),
    };
    pass.block(root);
    *body = pass.builder.finish();
    true
}

/// A check, as a part of a group.
struct Check {
    result: Value,
    terms: Terms,
    constant: i64,
    len: u64,
    site: Site,
}

/// Checks of indices with the same terms against one length.
struct Family {
    terms: Terms,
    len: u64,
    low: i64,
    high: i64,
    site: Site,
}

impl Family {
    /// How far the lowest index may go, if all of them can be in range.
    fn room(&self) -> Option<u64> {
        let span = self.high.checked_sub(self.low)?;
        let room = self.len.checked_sub(u64::try_from(span).ok()?)?;
        (room > 0).then_some(room)
    }
}

struct Join {
    builder: Builder,
    /// What to use for the result of a check that has been joined to others.
    joined: HashMap<Value, Value>,
}

impl Join {
    fn block(&mut self, block: Block) {
        self.builder.reserve(block.len());
        let mut run = Block::new();
        for mut stmt in block {
            if !is_control(&stmt) {
                run.push(stmt);
                continue;
            }
            self.run(std::mem::take(&mut run));
            stmt.map_operands(|value| renamed(&self.joined, value));
            for inner in stmt.blocks_mut() {
                self.builder.open();
                self.block(std::mem::take(inner));
                *inner = self.builder.close();
            }
            self.builder.push(stmt);
        }
        self.run(run);
    }

    fn run(&mut self, run: Block) {
        let mut groups = self.groups(&run).into_iter().peekable();
        for (at, mut stmt) in run.into_iter().enumerate() {
            if let Some((_, group)) = groups.next_if(|(first, _)| *first == at) {
                self.join(group);
            }
            let joined = &self.joined;
            if let Stmt::Let(value) = stmt {
                if joined.contains_key(&value) {
                    continue;
                }
                let op = &mut self.builder.body.values[value].op;
                op.map_operands(|value| renamed(joined, value));
            }
            stmt.map_operands(|value| renamed(joined, value));
            self.builder.push(stmt);
        }
    }

    /// Groups of checks that nothing that can fail stands between, with the statement of their first.
    fn groups(&self, run: &Block) -> Vec<(usize, Vec<Check>)> {
        let mut groups: Vec<(usize, Vec<Check>)> = Vec::new();
        let mut defined: HashMap<Value, usize> = HashMap::default();
        let mut is_open = false;
        for (at, stmt) in run.iter().enumerate() {
            let Stmt::Let(value) = stmt else { continue };
            defined.insert(*value, at);
            let op = &self.builder.body.values[*value].op;
            let Op::CheckIndex { index, len, site } = *op else {
                is_open &= !op.can_fail();
                continue;
            };
            let Linear { terms, constant } = Linear::of(&self.builder.body, index);
            let check = Check {
                result: *value,
                terms,
                constant,
                len,
                site,
            };
            let first = groups.last().map_or(at, |(first, _)| *first);
            let is_there = |value: &Value| defined.get(value).is_none_or(|at| *at < first);
            match groups.last_mut() {
                Some((_, group)) if is_open && check.terms.iter().all(|(v, _)| is_there(v)) => {
                    group.push(check);
                }
                _ => groups.push((at, vec![check])),
            }
            is_open = true;
        }
        groups
    }

    /// A sum of terms as they are now.
    fn sum(&mut self, terms: &Terms, constant: i64) -> Value {
        let renamed = |term: &(Value, i64)| (renamed(&self.joined, term.0), term.1);
        let terms = terms.iter().map(renamed).collect();
        sum(&mut self.builder, &terms, constant)
    }

    fn join(&mut self, group: Vec<Check>) {
        let families = families(&group);
        let rooms: Option<Vec<u64>> = families.iter().map(Family::room).collect();
        let Some(rooms) = rooms.filter(|rooms| 2 * rooms.len() < distinct(&group)) else {
            return;
        };
        let lowest = families.iter();
        let lowest: Vec<Value> = lowest.map(|f| self.sum(&f.terms, f.low)).collect();
        let mut fails = None;
        for (index, room) in lowest.iter().zip(&rooms) {
            let one = is_beyond(&mut self.builder, *index, *room);
            fails = Some(match fails {
                Some(others) => self.builder.binary(BinaryOp::Or, others, one),
                None => one,
            });
        }
        let cond = fails.expect("a group has a family");
        self.builder.open();
        for check in &group {
            let index = self.sum(&check.terms, check.constant);
            let (len, site) = (check.len, check.site);
            let op = Op::CheckIndex { index, len, site };
            self.builder.emit(op, Type::I64);
        }
        let then = self.builder.close();
        let other = Block::new();
        self.builder.push(Stmt::If { cond, then, other });
        let mut checked: HashMap<(Terms, u64), (Value, i64)> = HashMap::default();
        for ((family, index), len) in families.into_iter().zip(lowest).zip(rooms) {
            let site = family.site;
            let op = Op::CheckIndex { index, len, site };
            let index = self.builder.emit(op, Type::I64);
            checked.insert((family.terms, family.len), (index, family.low));
        }
        for check in group {
            let (lowest, low) = checked[&(check.terms, check.len)];
            let index = plus(&mut self.builder, lowest, check.constant - low);
            self.joined.insert(check.result, index);
        }
    }
}

/// Whether an index is negative, or `room` or more.
fn is_beyond(builder: &mut Builder, index: Value, room: u64) -> Value {
    let index = builder.convert(index, Scalar::U64);
    let room = builder.constant(room, Scalar::U64);
    builder.compare(CompareOp::Ge, index, room)
}

/// Computes a sum.
fn sum(builder: &mut Builder, terms: &Terms, constant: i64) -> Value {
    let mut sum = None;
    for (value, factor) in terms {
        let product = match factor {
            1 => *value,
            _ => {
                let factor = builder.i64(*factor);
                builder.binary(BinaryOp::Mul, *value, factor)
            }
        };
        sum = Some(match sum {
            Some(rest) => builder.binary(BinaryOp::Add, rest, product),
            None => product,
        });
    }
    match sum {
        Some(sum) => plus(builder, sum, constant),
        None => builder.i64(constant),
    }
}

fn plus(builder: &mut Builder, value: Value, constant: i64) -> Value {
    if constant == 0 {
        return value;
    }
    let constant = builder.i64(constant);
    builder.binary(BinaryOp::Add, value, constant)
}

fn renamed(joined: &HashMap<Value, Value>, value: Value) -> Value {
    joined.get(&value).copied().unwrap_or(value)
}

/// How many checks of a group are no repetitions.
fn distinct(group: &[Check]) -> usize {
    let keys = group.iter().map(|c| (&c.terms, c.constant, c.len));
    keys.collect::<FxHashSet<_>>().len()
}

/// The families of a group, in the order of their first checks.
fn families(group: &[Check]) -> Vec<Family> {
    let mut places: HashMap<(&Terms, u64), usize> = HashMap::default();
    let mut families: Vec<Family> = Vec::new();
    for check in group {
        let place = *places
            .entry((&check.terms, check.len))
            .or_insert(families.len());
        match families.get_mut(place) {
            Some(family) => {
                family.low = family.low.min(check.constant);
                family.high = family.high.max(check.constant);
            }
            None => families.push(Family {
                terms: check.terms.clone(),
                len: check.len,
                low: check.constant,
                high: check.constant,
                site: check.site,
            }),
        }
    }
    families
}
