//! Neighbouring doubles of each element's row, loaded as vectors and exchanged, so that each vector has one double of both.

use super::plan::Plan;
use crate::ir::{Body, Op, Place, Stmt, Type, Value};
use crate::opt::simplify::{Memory, memory};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Loads of an entry and the one after it, by either; the first entry's first.
pub(super) fn neighbours(body: &Body, plan: &Plan) -> FxHashMap<Value, (Value, Value)> {
    let mut rows: BTreeMap<Place, BTreeMap<i64, Value>> = BTreeMap::new();
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
    let mut pairs = FxHashMap::default();
    for entries in rows.values() {
        let mut rest = entries.iter().peekable();
        while let Some((entry, first)) = rest.next() {
            if let Some((_, second)) = rest.next_if(|(next, _)| **next == entry + 1) {
                pairs.insert(*first, (*first, *second));
                pairs.insert(*second, (*first, *second));
            }
        }
    }
    pairs
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

/// The row and entry of a double that is loaded for each element by itself.
fn entry(body: &Body, plan: &Plan, value: Value) -> Option<(Place, i64)> {
    let Op::Load { place, index, .. } = body.values[value].op else {
        return None;
    };
    let own = !plan.serial[value] && !plan.uniform[value] && body.ty(value) == Type::F64;
    let is_row = matches!(place, Place::Row { .. });
    let at = body.int_constant(index)?;
    (own && is_row && !is_next_door(body, plan, place)).then_some((place, at))
}

/// Whether the second element's row begins one double after the first's.
pub(super) fn is_next_door(body: &Body, plan: &Plan, place: Place) -> bool {
    row_distance(body, plan, place) == Some(8)
}

/// How many bytes the second element's row begins after the first's, where that is known.
pub(super) fn row_distance(body: &Body, plan: &Plan, place: Place) -> Option<u64> {
    let Place::Row { addr, .. } = place else {
        return None;
    };
    match body.values[addr].op {
        Op::RowAddr { base, row, stride } => {
            let own = plan.uniform[base] && body.values[row].op == Op::Element;
            own.then_some(stride)
        }
        _ => None,
    }
}
