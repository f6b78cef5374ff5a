//! Sums over the values of a coefficient that are made anew in each point of a quadrature, `for q { s = 0; for k { s += w[k] * T[q][k]; } .. }`,
//! are made for all points at once before the loop, as rank-k updates of one row: `for k { for q { s[q] += w[k] * T'[k][q]; } }`.
//!
//! Each sum is of the same terms in the same order. `T'` is the table turned, as far as it is used; where a number that is known when the
//! kernel runs chooses a part of it, that of a facet, all parts. Sums with one table, of the components of a
//! coefficient, are the rows of one update.

use super::means::{Size, has_means, pays};
use super::writer::Writer;
use crate::ir::{
    Array, ArrayData, BinaryOp, Block, Body, For, Op, Place, Scalar, Site, Stmt, Table, TableData,
    Type, Value, Var, for_each_stmt,
};
use crate::opt::effects::effects;
use crate::opt::linear::Linear;
use crate::opt::simplify::memory;
use crate::target::Target;
use rustc_hash::FxHashSet;

/// Fewer points fill no vector.
const POINTS_MIN: u64 = 4;

/// Tables that would be larger are not turned.
const TURNED_MAX: usize = 1 << 16;

/// The largest factor of a number that chooses a part of a table.
const FACTOR_MAX: u64 = 1 << 24;

/// The loop over points, as far as its sums depend on it.
#[derive(Clone, Copy)]
pub(in crate::opt) struct Points {
    counter: Value,
    first: i64,
    pub(in crate::opt) count: u64,
}

impl Points {
    /// What a loop of known length goes over.
    pub(in crate::opt) fn of(body: &Body, it: &For) -> Option<Points> {
        let (first, count) = (body.int_constant(it.lo)?, body.trips(it)?);
        (it.step == 1).then_some(Points {
            counter: it.counter,
            first,
            count,
        })
    }

    /// Whether a loop makes sums in each point that are better made for all.
    pub(in crate::opt) fn have_sums(self, body: &Body, stmt: &Stmt, target: &Target) -> bool {
        matches!(stmt, Stmt::For(it) if self.sums(body, it, target).is_some())
    }

    fn sums(self, body: &Body, it: &For, target: &Target) -> Option<Vec<Group>> {
        let terms = body.trips(it)?;
        if self.count < POINTS_MIN || it.step != 1 {
            return None;
        }
        let mut sums: Vec<Sum> = Vec::new();
        for stmt in &it.body {
            match stmt {
                Stmt::Let(value) if !body.values[*value].op.can_fail() => {}
                Stmt::Set(var, value) => {
                    let sum = self.sum(body, it, *var, *value)?;
                    has_means(sum.scalar, target.level).then_some(())?;
                    if sums.iter().any(|other| other.var == *var) {
                        return None;
                    }
                    sums.push(sum);
                }
                _ => return None,
            }
        }
        let groups = Group::all(sums);
        let is_long = |group: &Group| {
            let size = Size {
                trips: terms,
                rows: group.vars.len() as u64,
                columns: self.count,
                terms: 1,
            };
            pays(group.scalar, size, target.level)
        };
        groups.iter().any(is_long).then_some(groups)
    }

    /// What is added to a variable in each trip.
    fn sum(self, body: &Body, it: &For, var: Var, value: Value) -> Option<Sum> {
        let scalar = body.ty(value).scalar;
        let Op::Binary(BinaryOp::Add, a, b) = body.values[value].op else {
            return None;
        };
        let is_sum = |value: Value| {
            body.values[value].op == Op::Get(var) && it.body.contains(&Stmt::Let(value))
        };
        let product = match (is_sum(a), is_sum(b)) {
            (true, false) => b,
            (false, true) => a,
            _ => return None,
        };
        let Op::Binary(BinaryOp::Mul, x, y) = body.values[product].op else {
            return None;
        };
        let of = |coefficient: Value, entry: Value| {
            let entries = self.table_entry(body, it, entry)?;
            let Op::Load { place, index, .. } = body.values[coefficient].op else {
                return None;
            };
            let index = Linear::of(body, index);
            let varies = index.factor(self.counter) != 0;
            let is_ours = !varies && it.body.contains(&Stmt::Let(coefficient));
            (is_ours && body.ty(value) == Type::of(scalar)).then_some(Sum {
                var,
                scalar,
                coefficient: (place, index),
                entries,
            })
        };
        of(x, y).or_else(|| of(y, x))
    }

    /// What a load of a table's entry reads in all points and terms.
    fn table_entry(self, body: &Body, it: &For, value: Value) -> Option<Entries> {
        let Op::Load {
            place: Place::Table(table),
            index,
            ..
        } = body.values[value].op
        else {
            return None;
        };
        let mut sum = Linear::of(body, index);
        let (by_point, by_term) = (sum.factor(self.counter), sum.factor(it.counter));
        sum.substitute(self.counter, self.first);
        sum.substitute(it.counter, body.int_constant(it.lo)?);
        let is_ours = by_point != 0 && it.body.contains(&Stmt::Let(value));
        let part = part(body, &sum, table).filter(|_| is_ours)?;
        Some(Entries {
            table,
            by_point,
            by_term,
            part,
            first: sum.unchecked(body)?.constant.rem_euclid(part),
            start: sum,
        })
    }
}

/// Entries of a table: that of a point and a term is `start`, which is that of the first ones, a number for each point and one for
/// each term.
#[derive(Clone, PartialEq, Eq)]
struct Entries {
    table: Table,
    by_point: i64,
    by_term: i64,
    /// May depend on what is known when the kernel runs, as the number of a facet, which chooses one of the table's parts.
    start: Linear,
    /// Entries of a part, and which of its own the first is.
    part: i64,
    first: i64,
}

/// Entries of the parts of a table that a start chooses from; all of the table if it has no choice.
fn part(body: &Body, start: &Linear, table: Table) -> Option<i64> {
    let all = body.tables[table].bits.len() as u64;
    let mut part = 0;
    for (value, factor) in start.unchecked(body)?.terms {
        if !is_short(body, value, factor) {
            return None;
        }
        part = gcd(part, factor.unsigned_abs());
    }
    let part = if part == 0 { all } else { part };
    let is_whole = part > 0 && all.is_multiple_of(part);
    i64::try_from(part).ok().filter(|_| is_whole)
}

/// Whether a value is an integer of at most 32 bits, and a multiple of it far from what wraps: an index that is in range chooses a part
/// that is there.
fn is_short(body: &Body, value: Value, factor: i64) -> bool {
    let is_narrow = match body.values[value].op {
        Op::Convert(from) => {
            let scalar = body.ty(from).scalar;
            !scalar.is_float() && scalar.bytes() <= 4
        }
        _ => false,
    };
    is_narrow && factor.unsigned_abs() <= FACTOR_MAX
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A sum of products that a loop makes.
struct Sum {
    var: Var,
    scalar: Scalar,
    /// The one factor, the same in all points.
    coefficient: (Place, Linear),
    /// The other.
    entries: Entries,
}

/// Sums with the same entries of a table; their other factors lie equally far apart.
struct Group {
    vars: Vec<Var>,
    scalar: Scalar,
    /// That of the first sum.
    coefficient: (Place, Linear),
    /// How far the next sum's is.
    step: i64,
    entries: Entries,
}

impl Group {
    fn all(mut sums: Vec<Sum>) -> Vec<Group> {
        sums.sort_by_key(|sum| sum.coefficient.1.constant);
        let mut groups: Vec<Group> = Vec::new();
        for sum in sums {
            match groups.iter_mut().find(|group| group.goes_on_with(&sum)) {
                Some(group) => {
                    group.step = group.distance(&sum) / group.vars.len() as i64;
                    group.vars.push(sum.var);
                }
                None => groups.push(Group {
                    vars: vec![sum.var],
                    scalar: sum.scalar,
                    coefficient: sum.coefficient,
                    step: 0,
                    entries: sum.entries,
                }),
            }
        }
        groups
    }

    fn distance(&self, sum: &Sum) -> i64 {
        let (from, to) = (&self.coefficient.1, &sum.coefficient.1);
        to.constant.wrapping_sub(from.constant)
    }

    fn goes_on_with(&self, sum: &Sum) -> bool {
        let (from, to) = (&self.coefficient, &sum.coefficient);
        let is_alike = from.0 == to.0 && from.1.terms == to.1.terms && self.scalar == sum.scalar;
        let expected = self.step.checked_mul(self.vars.len() as i64);
        let follows = self.vars.len() == 1 || Some(self.distance(sum)) == expected;
        is_alike && self.entries == sum.entries && follows
    }
}

/// Makes the sums of a body's root.
pub(in crate::opt) fn evaluate(body: &mut Body, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    block(body, &mut root, target);
    body.root = root;
}

fn block(body: &mut Body, statements: &mut Block, target: &Target) {
    let mut kept = Block::with_capacity(statements.len());
    for mut stmt in std::mem::take(statements) {
        if let Stmt::For(it) = &mut stmt {
            evaluate_in(body, it, target, &mut kept);
        }
        for inner in stmt.blocks_mut() {
            block(body, inner, target);
        }
        kept.push(stmt);
    }
    *statements = kept;
}

/// Takes the sums of a loop over points out of it, to `before`.
fn evaluate_in(body: &mut Body, it: &mut For, target: &Target, before: &mut Block) {
    let Some(points) = Points::of(body, it) else {
        return;
    };
    let mut at = 0;
    while at < it.body.len() {
        let found = match &it.body[at] {
            Stmt::For(inner) => points
                .sums(body, inner, target)
                .map(|sums| (inner.clone(), sums)),
            _ => None,
        };
        let Some((inner, sums)) = found.filter(|(_, sums)| may_leave(body, it, at, sums)) else {
            at += 1;
            continue;
        };
        let Some(made) = made(body, points, &inner, &sums, before) else {
            at += 1;
            continue;
        };
        let next = at + made.len();
        it.body.splice(at..=at, made);
        at = next;
    }
}

/// Whether sums start from zero in each point, and what they are of does not depend on the point.
fn may_leave(body: &Body, points: &For, at: usize, sums: &[Group]) -> bool {
    let mut inside = FxHashSet::default();
    for_each_stmt(&points.body, &mut |stmt| match stmt {
        Stmt::Let(value) => drop(inside.insert(*value)),
        Stmt::For(it) => drop(inside.insert(it.counter)),
        _ => {}
    });
    let changed = effects(&points.body).memory;
    let Stmt::For(it) = &points.body[at] else {
        return false;
    };
    is_reached(body, &points.body[..at])
        && sums.iter().all(|sum| {
            let (place, index) = &sum.coefficient;
            let is_outside = |value: Value| value == it.counter || !inside.contains(&value);
            let mut terms = index.terms.iter().chain(&sum.entries.start.terms);
            let mut stays = terms.all(|(value, _)| is_outside(*value));
            place.for_each_operand(|value| stays = stays && is_outside(value));
            let before = &points.body[..at];
            let mut vars = sum.vars.iter();
            stays
                && !changed.contains(&memory(place))
                && vars.all(|var| starts_from_zero(body, before, *var))
        })
}

/// Whether what follows some statements runs in each trip: what it loads is there then.
fn is_reached(body: &Body, before: &[Stmt]) -> bool {
    let mut is_reached = true;
    let mut visit = |stmt: &Stmt| {
        is_reached &= match stmt {
            Stmt::Let(value) => !body.values[*value].op.can_fail(),
            Stmt::For(it) => body.trips(it).is_some(),
            Stmt::Exit(_) | Stmt::Continue(_) | Stmt::Loop { .. } | Stmt::Block { .. } => false,
            _ => true,
        };
    };
    for stmt in before {
        visit(stmt);
        stmt.blocks()
            .for_each(|inner| for_each_stmt(inner, &mut visit));
    }
    is_reached
}

fn starts_from_zero(body: &Body, before: &[Stmt], var: Var) -> bool {
    let sets = |stmt: &Stmt| {
        let mut found = matches!(stmt, Stmt::Set(set, _) if *set == var);
        for inner in stmt.blocks() {
            found |= effects(inner).vars.contains(&var);
        }
        found
    };
    match before.iter().rev().find(|stmt| sets(stmt)) {
        Some(Stmt::Set(_, value)) => body.constant(*value) == Some(0),
        _ => false,
    }
}

/// Makes sums before the loop over points; what stands in their place there. `None` if a table has not all that they name.
fn made(
    body: &mut Body,
    points: Points,
    it: &For,
    sums: &[Group],
    before: &mut Block,
) -> Option<Block> {
    let count = body.trips(it)?;
    let mut tables = Vec::with_capacity(sums.len());
    for sum in sums {
        tables.push(turned(body, points, count, sum)?);
    }
    let mut inside = Block::new();
    for (sum, table) in sums.iter().zip(tables) {
        let table = body.tables.push(table);
        let array = body.arrays.push(ArrayData {
            scalar: sum.scalar,
            len: points.count * sum.vars.len() as u64,
        });
        before.push(Stmt::Clear(array));
        let nest = nest(body, points, (it, sum), (table, array), before);
        before.push(Stmt::For(Box::new(nest)));
        let mut start = points.first.wrapping_neg();
        for var in &sum.vars {
            let mut write = Writer::new(body, &mut inside);
            let index = write.plus(points.counter, start);
            let value = write.load(Place::Array(array), index, sum.scalar);
            inside.push(Stmt::Set(*var, value));
            start = start.wrapping_add(points.count as i64);
        }
    }
    Some(inside)
}

/// The parts of a table, turned: in each a row for each term, with an entry for each point. Where there are several they are as long as
/// before, so that what chooses one, as far as it was checked, chooses the same.
fn turned(body: &Body, points: Points, terms: u64, sum: &Group) -> Option<TableData> {
    let entries = &sum.entries;
    let table = &body.tables[entries.table];
    let used = usize::try_from(points.count.checked_mul(terms)?).ok()?;
    let has_choice = !entries.start.terms.is_empty();
    let length = if has_choice {
        entries.part as usize
    } else {
        used
    };
    if table.scalar != sum.scalar || used > length || used.max(table.bits.len()) > TURNED_MAX {
        return None;
    }
    let mut bits = Vec::with_capacity(table.bits.len());
    for part in table.bits.chunks(entries.part as usize) {
        for term in 0..terms as i64 {
            for point in 0..points.count as i64 {
                let by_point = entries.by_point.checked_mul(point)?;
                let by_term = entries.by_term.checked_mul(term)?;
                let at = entries.first.checked_add(by_point)?.checked_add(by_term)?;
                bits.push(*part.get(usize::try_from(at).ok()?)?);
            }
        }
        bits.resize(bits.len() + length - used, 0);
    }
    let scalar = table.scalar;
    Some(TableData { scalar, bits })
}

/// The loop over terms that adds each to the sums of all points.
fn nest(
    body: &mut Body,
    points: Points,
    (it, sum): (&For, &Group),
    (table, array): (Table, Array),
    before: &mut Block,
) -> For {
    let width = points.count as i64;
    let first = body.int_constant(it.lo).expect("bounds are constant");
    let count = body.trips(it).expect("bounds are constant") as i64;
    let mut write = Writer::new(body, before);
    let [term, row, point] = [(); 3].map(|()| write.counter());
    let terms = write.range(first, first.wrapping_add(count));
    let rows = write.range(0, sum.vars.len() as i64);
    let columns = write.range(0, width);
    // What is added in a row: the coefficient, and where the row of the table and that of the sums start.
    let mut added = Block::new();
    let mut write = Writer::new(body, &mut added);
    let (place, index) = &sum.coefficient;
    let index = write.sum(index, it.counter, term);
    let step = write.times(row, sum.step);
    let index = write.binary(BinaryOp::Add, index, step, Scalar::I64);
    let coefficient = write.load(*place, index, sum.scalar);
    let entries = write.times(term, width);
    let entries = write.plus(entries, first.wrapping_mul(width).wrapping_neg());
    let entries = write.plus(entries, sum.entries.first.wrapping_neg());
    let part = write.sum(&sum.entries.start, it.counter, term);
    let entries = write.binary(BinaryOp::Add, entries, part, Scalar::I64);
    let held = write.times(row, width);
    let mut each = Block::new();
    let mut write = Writer::new(body, &mut each);
    let held = write.binary(BinaryOp::Add, held, point, Scalar::I64);
    let entry = write.binary(BinaryOp::Add, entries, point, Scalar::I64);
    let entry = write.load(Place::Table(table), entry, sum.scalar);
    let product = write.binary(BinaryOp::Mul, coefficient, entry, sum.scalar);
    write.add_to(Place::Array(array), held, product, sum.scalar);
    let site = it.site;
    added.push(counted(body, point, columns, site, each));
    let rows = counted(body, row, rows, site, added);
    match counted(body, term, terms, site, vec![rows]) {
        Stmt::For(nest) => *nest,
        _ => unreachable!("a counted loop is one"),
    }
}

fn counted(
    body: &mut Body,
    counter: Value,
    (lo, hi): (Value, Value),
    site: Site,
    block: Block,
) -> Stmt {
    Stmt::For(Box::new(For {
        label: body.label(),
        counter,
        lo,
        hi,
        step: 1,
        site,
        body: block,
    }))
}
