//! Arrays that hold a table's row times a factor for one nest, `t[j] = w * table[q][j]`, are computed where they are used, so that an
//! update reads the table itself.

use super::RankUpdate;
use super::writer::Writer;
use crate::ir::{Array, BinaryOp, Block, Body, For, Op, Place, Stmt, Value, for_each_stmt};
use crate::opt::linear::Linear;
use crate::opt::unroll::Copy;
use crate::target::Target;
use rustc_hash::FxHashMap;

/// Forwards what such arrays hold, and drops the loops that fill them.
pub(in crate::opt) fn forward(body: &mut Body, target: &Target) {
    if !has_update(body, &body.root, target, 1) {
        return;
    }
    let uses = count_accesses(body);
    let mut root = std::mem::take(&mut body.root);
    block(body, &uses, &mut root, target, 1);
    body.root = root;
}

/// How often arrays are loaded from and stored to, in the text.
type Accesses = FxHashMap<Array, (usize, usize)>;

fn count_accesses(body: &Body) -> Accesses {
    let mut counts = Accesses::default();
    for_each_stmt(&body.root, &mut |stmt| match stmt {
        Stmt::Store {
            place: Place::Array(array),
            ..
        } => counts.entry(*array).or_default().1 += 1,
        Stmt::Let(value) => {
            if let Some((array, _)) = array_load(body, *value) {
                counts.entry(array).or_default().0 += 1;
            }
        }
        _ => {}
    });
    counts
}

fn array_load(body: &Body, value: Value) -> Option<(Array, Value)> {
    match body.values[value].op {
        Op::Load {
            place: Place::Array(array),
            index,
            ..
        } => Some((array, index)),
        _ => None,
    }
}

/// How often the blocks of a statement run, as far as that is known.
fn own_trips(body: &Body, stmt: &Stmt) -> u64 {
    match stmt {
        Stmt::For(it) => body.trips(it).unwrap_or(1),
        _ => 1,
    }
}

/// Whether a block or one inside has an update.
fn has_update(body: &Body, block: &Block, target: &Target, trips: u64) -> bool {
    block.iter().any(|stmt| {
        let own = own_trips(body, stmt);
        let is_update =
            matches!(stmt, Stmt::For(it) if RankUpdate::inside(body, it, target, trips).is_some());
        is_update
            || stmt
                .blocks()
                .any(|inner| has_update(body, inner, target, own))
    })
}

fn block(body: &mut Body, uses: &Accesses, statements: &mut Block, target: &Target, trips: u64) {
    let mut arrays = Vec::new();
    let mut is_update = Vec::with_capacity(statements.len());
    for stmt in statements.iter_mut() {
        let update = match stmt {
            Stmt::For(it) => RankUpdate::inside(body, it, target, trips),
            _ => None,
        };
        is_update.push(update.is_some());
        match update {
            Some(update) => arrays_of(&update, &mut arrays),
            None => {
                let own = own_trips(body, stmt);
                for inner in stmt.blocks_mut() {
                    block(body, uses, inner, target, own);
                }
            }
        }
    }
    for array in arrays {
        // One that can't be forwarded stays as it is.
        let _ = forward_array(body, uses, statements, &is_update, array);
    }
    let is_idle = |it: &For| it.body.is_empty() && body.trips(it).is_some();
    statements.retain(|stmt| !matches!(stmt, Stmt::For(it) if is_idle(it)));
}

/// The arrays whose rows an update reads.
fn arrays_of(update: &RankUpdate, arrays: &mut Vec<Array>) {
    for term in &update.terms {
        match term.factors.place {
            Place::Array(array) if term.scale.is_none() && !arrays.contains(&array) => {
                arrays.push(array);
            }
            _ => {}
        }
    }
}

/// A loop that fills an array with a row of a table times a factor.
struct Fill<'a> {
    it: &'a For,
    /// The entry is this far from the counter.
    offset: i64,
    /// The counter's first value and the one past its last.
    counters: (i64, i64),
    /// The factors of what is stored.
    product: (Value, Value),
}

impl<'a> Fill<'a> {
    fn of(body: &Body, stmt: &'a Stmt, array: Array) -> Option<Fill<'a>> {
        let Stmt::For(it) = stmt else {
            return None;
        };
        let (
            Stmt::Store {
                place,
                index,
                value,
                ..
            },
            lets,
        ) = it.body.split_last()?
        else {
            return None;
        };
        let is_ours = *place == Place::Array(array) && it.step == 1;
        let offset = offset_from(body, *index, it.counter)?;
        let Op::Binary(BinaryOp::Mul, a, b) = body.values[*value].op else {
            return None;
        };
        let computes = |wanted: Value| lets.contains(&Stmt::Let(wanted));
        let is_one_loaded = computes(a) != computes(b);
        let is_plain = lets.iter().all(|stmt| match stmt {
            Stmt::Let(v) if v == value => true,
            Stmt::Let(v) => body.values[*v].op.is_pure() || is_table_load(body, *v),
            _ => false,
        });
        let loaded = if computes(a) { a } else { b };
        let fits = is_ours && is_one_loaded && is_plain && is_table_load(body, loaded);
        fits.then_some(Fill {
            it,
            offset,
            counters: counters(body, it)?,
            product: (a, b),
        })
    }

    /// Whether all entries are filled that a loop with such counters reads, so far from its counter.
    fn covers(&self, offset: i64, counters: (i64, i64)) -> bool {
        let by = offset.wrapping_sub(self.offset);
        self.counters.0 <= counters.0.wrapping_add(by)
            && counters.1.wrapping_add(by) <= self.counters.1
    }
}

fn is_table_load(body: &Body, value: Value) -> bool {
    matches!(
        body.values[value].op,
        Op::Load {
            place: Place::Table(_),
            ..
        }
    )
}

fn counters(body: &Body, it: &For) -> Option<(i64, i64)> {
    Some((body.int_constant(it.lo)?, body.int_constant(it.hi)?))
}

/// How far an index is from a counter, if that is all there is to it.
fn offset_from(body: &Body, index: Value, counter: Value) -> Option<i64> {
    let sum = Linear::of(body, index);
    (sum.terms[..] == [(counter, 1)]).then_some(sum.constant)
}

/// Computes what updates read of an array, if a loop before them has filled the array for nothing else; empties that loop.
fn forward_array(
    body: &mut Body,
    uses: &Accesses,
    statements: &mut Block,
    is_update: &[bool],
    array: Array,
) -> Option<()> {
    let is_store =
        |stmt: &Stmt| matches!(stmt, Stmt::Store { place, .. } if *place == Place::Array(array));
    let fills = |stmt: &Stmt| matches!(stmt, Stmt::For(it) if it.body.last().is_some_and(is_store));
    let at = statements.iter().position(fills)?;
    let (before, after) = statements.split_at_mut(at + 1);
    let fill = Fill::of(body, before.last()?, array)?;
    let mut loads = Vec::new();
    for (nest, stmt) in after.iter_mut().enumerate() {
        if is_update[at + 1 + nest] {
            let columns = innermost(stmt)?;
            loads_of(body, columns, array, nest, &mut loads)?;
        }
    }
    let are_all = uses.get(&array) == Some(&(loads.len(), 1));
    let is_cleared = after.contains(&Stmt::Clear(array));
    if is_cleared
        || !are_all
        || !loads
            .iter()
            .all(|load| fill.covers(load.offset, load.counters))
    {
        return None;
    }
    for load in loads.iter().rev() {
        let columns = innermost(&mut after[load.nest])?;
        let computed = compute(body, &fill, load, columns.counter);
        columns.body.splice(load.position..load.position, computed);
    }
    if let Some(Stmt::For(filling)) = before.last_mut() {
        filling.body.clear();
    }
    Some(())
}

/// A load from an array in the loop over an update's columns.
struct ArrayLoad {
    /// Which nest it is in, and its place in the loop.
    nest: usize,
    position: usize,
    value: Value,
    /// How far the entry is from the counter, and what that begins and ends with.
    offset: i64,
    counters: (i64, i64),
}

/// Finds the loads of an array in a loop; `None` if one is not of an entry at a fixed distance from the counter.
fn loads_of(
    body: &Body,
    columns: &For,
    array: Array,
    nest: usize,
    loads: &mut Vec<ArrayLoad>,
) -> Option<()> {
    let counters = counters(body, columns)?;
    for (position, stmt) in columns.body.iter().enumerate() {
        if let Stmt::Let(value) = *stmt
            && let Some((_, index)) = array_load(body, value).filter(|load| load.0 == array)
        {
            loads.push(ArrayLoad {
                nest,
                position,
                value,
                offset: offset_from(body, index, columns.counter)?,
                counters,
            });
        }
    }
    Some(())
}

/// The loop over an update's columns.
fn innermost(nest: &mut Stmt) -> Option<&mut For> {
    let Stmt::For(it) = nest else {
        return None;
    };
    match it.body.last() {
        Some(Stmt::For(_)) => innermost(it.body.last_mut()?),
        _ => Some(it),
    }
}

/// Makes a load the product that a fill stores; what comes before it.
fn compute(body: &mut Body, fill: &Fill<'_>, load: &ArrayLoad, counter: Value) -> Block {
    let by = load.offset.wrapping_sub(fill.offset);
    let mut computed = Block::new();
    let at = Writer::new(body, &mut computed).plus(counter, by);
    let mut copy = Copy::new(body);
    copy.values.insert(fill.it.counter, at);
    let (_, lets) = fill.it.body.split_last().expect("a fill stores");
    computed.extend(copy.block(&lets.to_vec()));
    let (a, b) = fill.product;
    let [a, b] = [a, b].map(|factor| copy.values.get(&factor).copied().unwrap_or(factor));
    body.values[load.value].op = Op::Binary(BinaryOp::Mul, a, b);
    computed
}
