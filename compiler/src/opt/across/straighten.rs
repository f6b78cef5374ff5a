//! Statements without control flow that do what some with branches do: both sides are computed, and selects choose.
//!
//! Only where both sides do nothing but compute, set variables, load what is there for every element and store to the element's
//! own rows: no calls, no rows that partial maps lead to, and not too much of it. Variables, and the entries of rows that
//! branches store to, become values on the way; only those that carry something to the next element, or behind the last, are set,
//! and only those entries are stored that change, at the end.

use super::alike::Sides;
use crate::ir::{Block, Body, Inst, Loop, Op, Place, Site, Stmt, Type, Value, Var, for_each_stmt};
use crate::opt::alias::access;
use crate::opt::simplify::{Memory, memory};
use crate::opt::unroll::Copy;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::collections::{BTreeMap, BTreeSet};

/// The most instructions that are computed whether they count or not.
const SPECULATED_MAX: usize = 256;

/// A copy of a loop's statements without branches, if they can do without.
pub(super) fn straightened(it: &mut Loop) -> Option<Block> {
    let root = std::mem::take(&mut it.body.root);
    let found = Speculation::of(it, &root);
    let copy = found
        .is_some()
        .then(|| Copy::new(&mut it.body).block(&root));
    it.body.root = root;
    let (copy, found) = (copy?, found?);
    let mut pass = Straighten {
        kept: variables_read(&it.body, &it.after)
            .into_iter()
            .map(Slot::Var)
            .collect(),
        body: &mut it.body,
        promoted: found.stored,
        same: SecondaryMap::new(),
        begun: BTreeMap::new(),
        held: BTreeMap::new(),
        sites: BTreeMap::new(),
        out: Block::new(),
    };
    pass.block(copy);
    Some(pass.finish())
}

/// What branches do that are both taken.
#[derive(Default)]
struct Speculation {
    /// How much is computed.
    instructions: usize,
    /// Memory that is stored to in branches: the element's own rows.
    stored: BTreeSet<Memory>,
}

impl Speculation {
    /// What both sides of the branches among some statements do, if they may be taken both.
    fn of(it: &Loop, root: &Block) -> Option<Speculation> {
        let mut found = Speculation::default();
        let may = root.iter().all(|stmt| match stmt {
            Stmt::If { then, other, .. } => found.may_take(it, then) && found.may_take(it, other),
            stmt => !stmt.has_blocks(),
        });
        let few = found.instructions <= SPECULATED_MAX;
        (may && few && found.are_slots(it, root)).then_some(found)
    }

    /// Whether a block does nothing that has to be left out.
    fn may_take(&mut self, it: &Loop, block: &Block) -> bool {
        self.instructions += block.len();
        block.iter().all(|stmt| match stmt {
            Stmt::Let(value) => match &it.body.values[*value].op {
                Op::Get(_) => true,
                Op::Call(..) => false,
                Op::Load { place, index, .. } => is_there(it, place, *index),
                op => op.is_pure(),
            },
            Stmt::Set(..) => true,
            Stmt::Store { place, index, .. } => {
                self.stored.insert(memory(place));
                is_own_row(it, place) && it.body.int_constant(*index).is_some()
            }
            Stmt::If { then, other, .. } => self.may_take(it, then) && self.may_take(it, other),
            _ => false,
        })
    }

    /// Whether all accesses of what branches store to are of known entries of one row.
    fn are_slots(&self, it: &Loop, root: &Block) -> bool {
        let mut rows: BTreeMap<Memory, (Place, Type)> = BTreeMap::new();
        let mut sound = true;
        for_each_stmt(root, &mut |stmt| {
            let Some((place, index, value, _)) = access(&it.body, stmt) else {
                return;
            };
            if self.stored.contains(&memory(&place)) {
                let row = (place, it.body.ty(value));
                sound &= *rows.entry(memory(&place)).or_insert(row) == row;
                sound &= it.body.int_constant(index).is_some();
            }
        });
        sound
    }
}

/// Whether a place is the element's own row.
fn is_own_row(it: &Loop, place: &Place) -> bool {
    let row_of = |addr: Value| match it.body.values[addr].op {
        Op::RowAddr { row, .. } => it.body.values[row].op == Op::Element,
        _ => false,
    };
    matches!(place, Place::Row { addr, .. } if row_of(*addr))
}

/// Whether an entry is there for every element: constant indices were checked against the row when the loop was made, and
/// only partial maps lead nowhere.
fn is_there(it: &Loop, place: &Place, index: Value) -> bool {
    let Place::Row { addr, .. } = place else {
        return false;
    };
    let Op::RowAddr { row, .. } = it.body.values[*addr].op else {
        return false;
    };
    let leads_there = match it.body.values[row].op {
        Op::Element => true,
        Op::MapEntry { arg, .. } => {
            let map = it.signature.args[usize::from(arg)].source.map();
            map.is_some_and(|map| !map.partial)
        }
        _ => false,
    };
    leads_there && it.body.int_constant(index).is_some()
}

/// The variables that a block reads.
fn variables_read(body: &Body, block: &Block) -> BTreeSet<Var> {
    let mut found = BTreeSet::new();
    for_each_stmt(block, &mut |stmt| {
        if let Stmt::Let(value) = stmt
            && let Op::Get(var) = body.values[*value].op
        {
            found.insert(var);
        }
    });
    found
}

/// What holds a value that branches may change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Var(Var),
    /// An entry of an own row.
    Entry(Place, i64),
}

pub(super) struct Straighten<'a> {
    pub(super) body: &'a mut Body,
    /// Memory of which entries are slots.
    promoted: BTreeSet<Memory>,
    /// Variables whose value is needed behind the element.
    kept: BTreeSet<Slot>,
    /// What to use in place of a value.
    same: SecondaryMap<Value, PackedOption<Value>>,
    /// What slots hold when the element begins, as far as anything asks.
    begun: BTreeMap<Slot, Value>,
    /// What those that are set hold.
    held: BTreeMap<Slot, Value>,
    /// Where entries are accessed first.
    sites: BTreeMap<Slot, (Site, Type)>,
    out: Block,
}

impl Straighten<'_> {
    fn resolve(&self, value: Value) -> Value {
        self.same[value].expand().unwrap_or(value)
    }

    fn block(&mut self, block: Block) {
        for mut stmt in block {
            stmt.map_operands(|value| self.resolve(value));
            match stmt {
                Stmt::Let(value) => self.instruction(value),
                Stmt::Set(var, value) => drop(self.held.insert(Slot::Var(var), value)),
                Stmt::If { cond, then, other } => self.branch(cond, then, other),
                Stmt::Store {
                    place,
                    index,
                    value,
                    site,
                } => match self.entry(place, index, site, self.body.ty(value)) {
                    Some(slot) => drop(self.held.insert(slot, value)),
                    None => self.out.push(stmt),
                },
                other => self.out.push(other),
            }
        }
    }

    /// The slot that an access is of, if it is one.
    fn entry(&mut self, place: Place, index: Value, site: Site, ty: Type) -> Option<Slot> {
        if !self.promoted.contains(&memory(&place)) {
            return None;
        }
        let slot = Slot::Entry(place, self.body.int_constant(index)?);
        self.sites.entry(slot).or_insert((site, ty));
        Some(slot)
    }

    fn instruction(&mut self, value: Value) {
        let Inst { mut op, ty } = self.body.values[value].clone();
        op.map_operands(|operand| self.resolve(operand));
        let slot = match op {
            Op::Get(var) => Some(Slot::Var(var)),
            Op::Load { place, index, site } => self.entry(place, index, site, ty),
            _ => None,
        };
        self.body.values[value].op = op;
        match slot {
            Some(slot) => self.same[value] = self.holds(slot).into(),
            None => self.out.push(Stmt::Let(value)),
        }
    }

    /// What a slot holds here.
    fn holds(&mut self, slot: Slot) -> Value {
        let known = self.held.get(&slot).or_else(|| self.begun.get(&slot));
        if let Some(known) = known {
            return *known;
        }
        // Slots are set at the end, so that reading one gives what was there when the element began.
        let value = match slot {
            Slot::Var(var) => {
                self.kept.insert(slot);
                self.push(Op::Get(var), self.body.vars[var])
            }
            Slot::Entry(place, at) => {
                let index = self.push(Op::Const(at as u64), Type::I64);
                let (site, ty) = self.sites[&slot];
                self.push(Op::Load { place, index, site }, ty)
            }
        };
        self.begun.insert(slot, value);
        value
    }

    fn branch(&mut self, cond: Value, then: Block, other: Block) {
        let before = self.held.clone();
        let begun = self.out.len();
        self.block(then);
        let met = self.out.len();
        let taken = std::mem::replace(&mut self.held, before.clone());
        self.block(other);
        let left = std::mem::replace(&mut self.held, before);
        let mut sides = Sides::new(cond, &self.out[begun..met], &self.out[met..]);
        let slots: BTreeSet<Slot> = taken.keys().chain(left.keys()).copied().collect();
        for slot in slots {
            let mut after = |side: &BTreeMap<Slot, Value>| match side.get(&slot) {
                Some(value) => *value,
                None => self.holds(slot),
            };
            let (a, b) = (after(&taken), after(&left));
            let chosen = self.choice(&mut sides, a, b);
            self.held.insert(slot, chosen);
        }
    }

    pub(super) fn push(&mut self, op: Op, ty: Type) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        self.out.push(Stmt::Let(value));
        value
    }

    fn finish(mut self) -> Block {
        for (slot, value) in std::mem::take(&mut self.held) {
            if self.begun.get(&slot) == Some(&value) {
                continue;
            }
            match slot {
                Slot::Var(var) if self.kept.contains(&slot) => self.out.push(Stmt::Set(var, value)),
                Slot::Var(_) => {}
                Slot::Entry(place, at) => {
                    let index = self.push(Op::Const(at as u64), Type::I64);
                    let (site, _) = self.sites[&slot];
                    self.out.push(Stmt::Store {
                        place,
                        index,
                        value,
                        site,
                    });
                }
            }
        }
        self.out
    }
}
