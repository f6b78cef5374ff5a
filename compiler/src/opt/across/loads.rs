//! Neighbouring floats of each element's row, loaded as vectors and turned, so that each vector has one float of all elements.

use super::plan::Plan;
use crate::ir::{Body, Op, Place, Stmt, Value};
use crate::opt::simplify::{Memory, memory};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Entries of a row that are loaded together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// A load of the row.
    pub(super) like: Value,
    /// The first entry.
    pub(super) entry: i64,
    /// By place in the group: the load of that entry, if there is one.
    pub(super) members: Vec<Option<Value>>,
    /// How many elements' rows one vector holds: short rows stand next to each other.
    pub(super) elements_in_row: usize,
}

/// All groups.
pub(super) struct Groups {
    groups: Vec<Group>,
    by_value: FxHashMap<Value, usize>,
}

/// What a row's loads are, by entry.
type Entries = BTreeMap<i64, Value>;

impl Groups {
    /// Finds the loads of neighbouring entries.
    pub(super) fn of(body: &Body, plan: &Plan) -> Groups {
        let mut groups = Groups {
            groups: Vec::new(),
            by_value: FxHashMap::default(),
        };
        for (place, entries) in rows(body, plan) {
            groups.of_row(body, plan, place, entries);
        }
        groups
    }

    /// The group that a load is in.
    pub(super) fn of_value(&self, value: Value) -> Option<&Group> {
        self.by_value.get(&value).map(|at| &self.groups[*at])
    }

    fn of_row(&mut self, body: &Body, plan: &Plan, place: Place, entries: Entries) {
        let lanes = plan.elements() as i64;
        let own = row_distance(body, plan, place);
        let (width, elements_in_row) = match own {
            Some(bytes) if lanes == 4 && bytes == 8 => (2, 2),
            _ => (lanes, 1),
        };
        let spare = spare(body, place, u64::from(plan.vector.scalar.bytes()));
        let mut left = entries.clone();
        while let Some((first, like)) = left.pop_first() {
            // The last window of a row ends with it.
            let latest = spare.map_or(i64::MAX, |len| len - width);
            let entry = first.min(latest);
            let there = |at: i64| entries.contains_key(&at) || spare.is_some();
            if entry < 0 || !(entry..entry + width).all(there) {
                continue;
            }
            let members: Vec<Option<Value>> = (entry..entry + width)
                .map(|at| {
                    if at == first {
                        Some(like)
                    } else {
                        left.remove(&at)
                    }
                })
                .collect();
            self.add(Group {
                like,
                entry,
                members,
                elements_in_row,
            });
        }
    }

    /// Keeps a group that has more than one load.
    fn add(&mut self, group: Group) {
        if group.members.iter().flatten().count() < 2 {
            return;
        }
        for member in group.members.iter().flatten() {
            self.by_value.insert(*member, self.groups.len());
        }
        self.groups.push(group);
    }
}

/// How many entries a row has, if all of them may be loaded: nothing of it is written.
fn spare(body: &Body, place: Place, bytes: u64) -> Option<i64> {
    let Place::Row { addr, region } = place else {
        return None;
    };
    match body.values[addr].op {
        Op::RowAddr { stride, .. } if region.readonly => i64::try_from(stride / bytes).ok(),
        _ => None,
    }
}

/// The loads of floats for each element by itself, by row and entry, of what is not stored to before.
fn rows(body: &Body, plan: &Plan) -> BTreeMap<Place, Entries> {
    let mut rows: BTreeMap<Place, Entries> = BTreeMap::new();
    let mut stored: FxHashMap<Memory, Vec<(Place, Option<i64>)>> = FxHashMap::default();
    for stmt in &body.root {
        match stmt {
            Stmt::Store { place, index, .. } => {
                let entry = (*place, body.int_constant(*index));
                stored.entry(memory(place)).or_default().push(entry);
            }
            Stmt::Let(value) => {
                if let Some((place, entry)) = entry(body, plan, *value)
                    && !may_be_stored(&stored, place, entry)
                {
                    rows.entry(place)
                        .or_default()
                        .entry(entry)
                        .or_insert(*value);
                }
            }
            _ => {}
        }
    }
    rows
}

/// Whether one of some stores may be to an entry.
fn may_be_stored(
    stored: &FxHashMap<Memory, Vec<(Place, Option<i64>)>>,
    place: Place,
    entry: i64,
) -> bool {
    let mut stores = stored.get(&memory(&place)).into_iter().flatten();
    stores.any(|(other, at)| *other != place || at.is_none_or(|at| at == entry))
}

/// The row and entry of a float that is loaded for each element by itself.
fn entry(body: &Body, plan: &Plan, value: Value) -> Option<(Place, i64)> {
    let Op::Load { place, index, .. } = body.values[value].op else {
        return None;
    };
    let own = !plan.serial[value] && !plan.uniform[value] && body.ty(value) == plan.float();
    let is_row = matches!(place, Place::Row { .. });
    let at = body.int_constant(index)?;
    (own && is_row && !is_next_door(body, plan, place)).then_some((place, at))
}

/// Whether the next element's row begins one float after an element's.
pub(super) fn is_next_door(body: &Body, plan: &Plan, place: Place) -> bool {
    let bytes = u64::from(plan.vector.scalar.bytes());
    row_distance(body, plan, place) == Some(bytes)
}

/// How many bytes the next element's row begins after an element's, where that is known.
pub(super) fn row_distance(body: &Body, plan: &Plan, place: Place) -> Option<u64> {
    let Place::Row { addr, .. } = place else {
        return None;
    };
    match body.values[addr].op {
        // The last element may run in the place of the next.
        _ if plan.covers_rest => None,
        Op::RowAddr { base, row, stride } => {
            let own = plan.uniform[base] && body.values[row].op == Op::Element;
            own.then_some(stride)
        }
        _ => None,
    }
}
