//! A loop that computes something and then runs updates becomes one that computes and one for each update, so that an update is
//! done for all trips at once: `for q { w = ..; for i { for j { a[i][j] += w * .. } } }`.
//!
//! What the first loop computes for the others is kept in an array, one entry for each trip. Done only where nothing in the loop
//! but one update touches an entry: each entry sees the same operations in the same order.

use super::writer::Writer;
use super::{Factor, RankUpdate, Rows, is_address};
use crate::ir::{
    Array, ArrayData, Block, Body, For, Place, Scalar, Stmt, Type, Value, for_each_stmt,
};
use crate::opt::alias::touch;
use crate::opt::effects::effects;
use crate::opt::linear::Linear;
use crate::opt::simplify::{Memory, memory};
use crate::opt::unroll::Copy;
use crate::target::Target;
use rustc_hash::{FxHashMap, FxHashSet};

/// The most values that are kept for one update.
const KEPT_MAX: u64 = 4096;

/// Distributes the loops of a body's root.
pub(in crate::opt) fn distribute(body: &mut Body, target: &Target) {
    let mut root = std::mem::take(&mut body.root);
    block(body, &mut root, target);
    body.root = root;
}

fn block(body: &mut Body, statements: &mut Block, target: &Target) {
    let mut kept = Block::with_capacity(statements.len());
    for mut stmt in std::mem::take(statements) {
        let made = match &stmt {
            Stmt::For(it) => {
                Split::of(body, it, target).and_then(|split| split.made(body, it, target))
            }
            _ => None,
        };
        match made {
            Some(loops) => kept.extend(loops),
            None => {
                for inner in stmt.blocks_mut() {
                    block(body, inner, target);
                }
                kept.push(stmt);
            }
        }
    }
    *statements = kept;
}

/// A loop's statements, taken apart.
struct Split {
    trips: u64,
    first: i64,
    /// What is not an update, in order.
    rest: Block,
    updates: Vec<(For, RankUpdate)>,
    /// What the loop computes, outside of the loops there.
    computed: FxHashSet<Value>,
}

impl Split {
    fn of(body: &Body, it: &For, target: &Target) -> Option<Split> {
        let (trips, first) = (body.trips(it)?, body.int_constant(it.lo)?);
        if it.step != 1 || trips < 2 {
            return None;
        }
        let mut split = Split {
            trips,
            first,
            rest: Block::new(),
            updates: Vec::new(),
            computed: FxHashSet::default(),
        };
        for stmt in &it.body {
            let update = match stmt {
                Stmt::For(nest) => RankUpdate::inside(body, nest, target, trips).map(|u| (nest, u)),
                _ => None,
            };
            match update {
                Some((nest, update)) if update.trips == 1 => {
                    split.updates.push(((**nest).clone(), update));
                }
                _ => split.rest.push(stmt.clone()),
            }
        }
        if split.updates.is_empty() {
            return None;
        }
        split.computed = computed(it);
        let may_split = split.rest_is_apart(body) && split.are_apart(body, it);
        may_split.then_some(split)
    }

    /// Whether the rest neither leaves the loop nor touches what updates add to, nor changes what they read.
    fn rest_is_apart(&self, body: &Body) -> bool {
        let (mut stays, mut touched) = (true, FxHashSet::default());
        for_each_stmt(&self.rest, &mut |stmt| {
            stays &= !matches!(
                stmt,
                Stmt::Exit(_) | Stmt::Continue(_) | Stmt::Loop { .. } | Stmt::Block { .. }
            );
            touched.extend(touch(body, stmt).map(|touch| touch.memory()));
        });
        let changed = effects(&self.rest).memory;
        stays
            && self.updates.iter().all(|(_, update)| {
                let entries = memory(&update.entries.place);
                let is_apart = !touched.contains(&entries) && !changed.contains(&entries);
                is_apart && reads(update).all(|read| !changed.contains(&read))
            })
    }

    /// Whether updates add to entries of their own, the same ones in each trip, and read nothing that others add to.
    fn are_apart(&self, body: &Body, it: &For) -> bool {
        let mut blocks = Vec::with_capacity(self.updates.len());
        for (nest, update) in &self.updates {
            let block = Entries::of(body, nest, update);
            let varies = |value: Value| value == it.counter || self.computed.contains(&value);
            if block.start.terms.iter().any(|(value, _)| varies(*value)) {
                return false;
            }
            blocks.push(block);
        }
        let mut pairs = (0..blocks.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        pairs.all(|(a, b)| blocks[a].is_apart_from(&blocks[b]))
            && self.updates.iter().all(|(_, update)| {
                reads(update).all(|read| blocks.iter().all(|block| block.memory() != read))
            })
    }

    /// The loops that it becomes; `None` if an update would not be one of all trips.
    fn made(self, body: &mut Body, it: &For, target: &Target) -> Option<Block> {
        let mut computing = For {
            body: self.rest,
            ..it.clone()
        };
        let mut loops = Block::new();
        for (nest, update) in &self.updates {
            let needs = Needs::of(body, (it, &self.computed), nest, update.scalar)?;
            let count = self.trips * needs.kept.len() as u64;
            if count > KEPT_MAX {
                return None;
            }
            let array = (count > 0).then(|| {
                let (scalar, len) = (update.scalar, count);
                body.arrays.push(ArrayData { scalar, len })
            });
            let keep = Keep {
                scalar: update.scalar,
                first: self.first,
                values: needs.kept,
                array,
            };
            keep.stores(body, it.counter, &mut computing.body);
            let updating = keep.updating(body, it, nest, &needs.again);
            RankUpdate::of(body, &updating, target)?;
            loops.push(Stmt::For(Box::new(updating)));
        }
        let is_idle = |stmt: &Stmt| matches!(stmt, Stmt::Let(v) if !body.values[*v].op.can_fail());
        if !computing.body.iter().all(is_idle) {
            loops.insert(0, Stmt::For(Box::new(computing)));
        }
        Some(loops)
    }
}

/// Kinds of memory that an update reads and does not add to.
fn reads(update: &RankUpdate) -> impl Iterator<Item = Memory> {
    update.terms.iter().flat_map(|term| {
        let of = |factor: &Factor| match factor {
            Factor::Value(_) => None,
            Factor::Entries(rows) => Some(memory(&rows.place)),
        };
        let scale = term.scale.as_ref().and_then(of);
        let both = [
            Some(memory(&term.factors.place)),
            of(&term.row_factor),
            scale,
        ];
        both.into_iter().flatten()
    })
}

/// What a loop computes, outside of the loops there.
fn computed(it: &For) -> FxHashSet<Value> {
    let value = |stmt: &Stmt| match stmt {
        Stmt::Let(value) => Some(*value),
        _ => None,
    };
    it.body.iter().filter_map(value).collect()
}

/// The entries that an update adds to.
pub(super) struct Entries {
    place: Place,
    /// The index of the first.
    start: Linear,
    row_step: i64,
    column_step: i64,
    rows: i64,
    columns: i64,
}

impl Entries {
    pub(super) fn of(body: &Body, nest: &For, update: &RankUpdate) -> Entries {
        let Rows {
            place,
            index,
            row_step,
            ..
        } = update.entries;
        let mut start = Linear::of(body, index);
        let mut inner = Some(nest);
        while let Some(it) = inner {
            let lo = body
                .int_constant(it.lo)
                .expect("an update's bounds are constant");
            start.substitute(it.counter, lo);
            inner = match it.body.last() {
                Some(Stmt::For(inner)) => Some(inner),
                _ => None,
            };
        }
        Entries {
            place,
            start,
            row_step,
            column_step: update.column_step,
            rows: update.rows as i64,
            columns: update.columns as i64,
        }
    }

    fn memory(&self) -> Memory {
        memory(&self.place)
    }

    pub(super) fn is_apart_from(&self, other: &Entries) -> bool {
        if self.memory() != other.memory() {
            return true;
        }
        if self.place != other.place
            || self.start.terms != other.start.terms
            || self.row_step != other.row_step
            || self.row_step < 0
        {
            return false;
        }
        // A single row is one of a block that is as wide as can be.
        let width = if self.row_step > 0 {
            self.row_step
        } else {
            i64::MAX
        };
        let corner = |block: &Entries| {
            let start = block.start.constant;
            (start.div_euclid(width), start.rem_euclid(width))
        };
        let ((row, column), (other_row, other_column)) = (corner(self), corner(other));
        let step = self.column_step;
        let are_interleaved = step == other.column_step && (self.row_step % step == 0);
        if are_interleaved && (column - other_column) % step != 0 {
            return true;
        }
        let columns = |block: &Entries| (block.columns - 1).saturating_mul(block.column_step) + 1;
        let fits = |column: i64, block: &Entries| column.saturating_add(columns(block)) <= width;
        let columns_apart = are_apart((column, columns(self)), (other_column, columns(other)));
        let rows_apart = are_apart((row, self.rows), (other_row, other.rows));
        fits(column, self) && fits(other_column, other) && (rows_apart || columns_apart)
    }
}

/// Whether two ranges, by first and length, have nothing in common.
fn are_apart(a: (i64, i64), b: (i64, i64)) -> bool {
    a.0.saturating_add(a.1) <= b.0 || b.0.saturating_add(b.1) <= a.0
}

/// What the updates of a loop need of what it computes.
struct Needs {
    /// Indices and addresses, to be computed again, in order.
    again: Block,
    /// Values of the update's type, to be kept from each trip.
    kept: Vec<Value>,
}

impl Needs {
    /// What a nest needs; `None` if that is a value of another type.
    fn of(
        body: &Body,
        (it, computed): (&For, &FxHashSet<Value>),
        nest: &For,
        scalar: Scalar,
    ) -> Option<Needs> {
        let mut wanted = FxHashSet::default();
        let mut pending = Vec::new();
        let whole = vec![Stmt::For(Box::new(nest.clone()))];
        for_each_stmt(&whole, &mut |stmt| {
            stmt.for_each_operand(|value| pending.push(value));
            if let Stmt::Let(value) = stmt {
                body.values[*value]
                    .op
                    .for_each_operand(|value| pending.push(value));
            }
        });
        let mut kept = Vec::new();
        while let Some(value) = pending.pop() {
            if !computed.contains(&value) || !wanted.insert(value) {
                continue;
            }
            let inst = &body.values[value];
            if is_address(body, value) {
                inst.op.for_each_operand(|operand| pending.push(operand));
            } else if inst.ty == Type::of(scalar) {
                kept.push(value);
            } else {
                return None;
            }
        }
        kept.sort_unstable();
        let is_again = |stmt: &&Stmt| matches!(stmt, Stmt::Let(v) if wanted.contains(v) && is_address(body, *v));
        let again = it.body.iter().filter(is_again).cloned().collect();
        Some(Needs { again, kept })
    }
}

/// Values that one loop computes in each trip and another one needs.
struct Keep {
    scalar: Scalar,
    /// The counter's first value.
    first: i64,
    values: Vec<Value>,
    /// Where they are kept, those of a trip side by side, if there are any.
    array: Option<Array>,
}

impl Keep {
    /// The index of a value in the trip of a counter.
    fn index(&self, write: &mut Writer<'_>, counter: Value, at: usize) -> Value {
        let count = self.values.len() as i64;
        let row = write.times(counter, count);
        let offset = (at as i64).wrapping_sub(self.first.wrapping_mul(count));
        write.plus(row, offset)
    }

    fn place(&self) -> Place {
        Place::Array(self.array.expect("there is a value"))
    }

    fn stores(&self, body: &mut Body, counter: Value, to: &mut Block) {
        let mut write = Writer::new(body, to);
        for (at, value) in self.values.iter().enumerate() {
            let index = self.index(&mut write, counter, at);
            write.store(self.place(), index, *value);
        }
    }

    /// The loop that runs a nest for all trips.
    fn updating(&self, body: &mut Body, it: &For, nest: &For, again: &Block) -> For {
        let mut block = Block::new();
        let mut write = Writer::new(body, &mut block);
        let counter = write.counter();
        let mut known = FxHashMap::default();
        known.insert(it.counter, counter);
        for (at, value) in self.values.iter().enumerate() {
            let index = self.index(&mut write, counter, at);
            let load = write.load(self.place(), index, self.scalar);
            known.insert(*value, load);
        }
        let label = body.label();
        let mut copy = Copy::new(body);
        copy.values.extend(known);
        block.extend(copy.block(again));
        block.extend(copy.block(&vec![Stmt::For(Box::new(nest.clone()))]));
        For {
            label,
            counter,
            body: block,
            ..it.clone()
        }
    }
}
