//! Kernels that only copy rows copy them as doubles, whatever they hold: strips are of doubles, and moving changes no bit.

use super::alias::access;
use super::simplify::{Memory, memory};
use crate::ir::{Block, Body, Inst, Loop, Op, Place, Scalar, Site, Stmt, Type, Value, any_stmt};
use crate::signature::Iteration;
use std::collections::{BTreeMap, BTreeSet};

/// What one store copies.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Copy {
    from: Place,
    from_entry: i64,
    to: Place,
    to_entry: i64,
    scalar: Scalar,
    sites: [Site; 2],
}

/// Rewrites what elements do if all that they store is what they load from other memory, in whole doubles.
pub(super) fn copy_doubles(it: &mut Loop) {
    if it.signature.iteration != Iteration::Elements {
        return;
    }
    let body = &mut it.body;
    let Some(copies) = copies(body) else {
        return;
    };
    if copies.is_empty() || copies.iter().all(|copy| copy.scalar == Scalar::F64) {
        return;
    }
    // What is read before all elements or stored after them is no double.
    let around = [&it.before, &it.after];
    let accessed = |place| touches(body, &around, memory(&place));
    if copies
        .iter()
        .any(|copy| accessed(copy.from) || accessed(copy.to))
    {
        return;
    }
    let Some(doubles) = in_doubles(&copies) else {
        return;
    };
    let is_address = |stmt: &Stmt| match stmt {
        Stmt::Let(value) => !matches!(body.values[*value].op, Op::Load { .. }),
        _ => false,
    };
    let mut root: Block = body
        .root
        .iter()
        .filter(|stmt| is_address(stmt))
        .cloned()
        .collect();
    for copy in doubles {
        let [from, to] = [copy.from_entry, copy.to_entry].map(|entry| {
            let (op, ty) = (Op::Const(entry as u64), Type::I64);
            let index = body.values.push(Inst { op, ty });
            root.push(Stmt::Let(index));
            index
        });
        let [site, stored] = copy.sites;
        let (place, index) = (copy.from, from);
        let op = Op::Load { place, index, site };
        let value = body.values.push(Inst { op, ty: Type::F64 });
        root.push(Stmt::Let(value));
        root.push(Stmt::Store {
            place: copy.to,
            index: to,
            value,
            site: stored,
        });
    }
    body.root = root;
}

/// Whether some statements access a kind of memory.
fn touches(body: &Body, blocks: &[&Block], kind: Memory) -> bool {
    let touches =
        |stmt: &Stmt| access(body, stmt).is_some_and(|(place, ..)| memory(&place) == kind);
    blocks
        .iter()
        .any(|block| any_stmt(block, &mut |stmt| touches(stmt)))
}

/// What is copied by a root that does nothing else.
fn copies(body: &Body) -> Option<Vec<Copy>> {
    let (mut copies, mut read, mut written) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
    for stmt in &body.root {
        match stmt {
            Stmt::Let(value) => match body.values[*value].op {
                Op::Const(_) | Op::Element | Op::RowAddr { .. } => {}
                Op::Load { place, .. } => drop(read.insert(memory(&place))),
                _ => return None,
            },
            Stmt::Store { place, .. } => {
                // Rows of one dat may be one row: then the order of stores is not to be changed.
                let only = *written.entry(memory(place)).or_insert(*place);
                if only != *place {
                    return None;
                }
                copies.push(copy(body, stmt)?);
            }
            _ => return None,
        }
    }
    let is_read = |memory| read.contains(memory);
    (!written.keys().any(is_read)).then_some(copies)
}

/// What a store of something that was loaded copies.
fn copy(body: &Body, stmt: &Stmt) -> Option<Copy> {
    let Stmt::Store {
        place: to,
        index,
        value,
        site: stored,
    } = *stmt
    else {
        return None;
    };
    let (from, from_index, site) = loaded(body, value)?;
    let of_rows = [from, to].map(|place| matches!(place, Place::Row { .. }));
    let ty = body.ty(value);
    (of_rows == [true; 2] && ty.lanes == 1).then_some(Copy {
        from,
        from_entry: body.int_constant(from_index)?,
        to,
        to_entry: body.int_constant(index)?,
        scalar: ty.scalar,
        sites: [site, stored],
    })
}

fn loaded(body: &Body, value: Value) -> Option<(Place, Value, Site)> {
    match body.values[value].op {
        Op::Load { place, index, site } => Some((place, index, site)),
        _ => None,
    }
}

/// The same copies, each of a whole double.
fn in_doubles(copies: &[Copy]) -> Option<Vec<Copy>> {
    let by_entry: BTreeMap<(Place, i64), &Copy> = copies
        .iter()
        .map(|copy| ((copy.to, copy.to_entry), copy))
        .collect();
    // An entry that is stored twice is none of these.
    if by_entry.len() != copies.len() {
        return None;
    }
    let mut doubles = Vec::new();
    for copy in by_entry.values() {
        let width = 8 / i64::from(copy.scalar.bytes());
        let is_first = copy.to_entry % width == 0;
        let begins = |at: i64| Copy {
            from_entry: copy.from_entry + at,
            to_entry: copy.to_entry + at,
            ..**copy
        };
        let follows = |at: i64| {
            let other = by_entry.get(&(copy.to, copy.to_entry + at));
            other.is_some_and(|other| {
                Copy {
                    sites: copy.sites,
                    ..**other
                } == begins(at)
            })
        };
        match is_first {
            true if copy.from_entry % width == 0 && (1..width).all(follows) => doubles.push(Copy {
                from_entry: copy.from_entry / width,
                to_entry: copy.to_entry / width,
                ..**copy
            }),
            true => return None,
            // It goes with the first of its double, which must be there.
            false if !by_entry.contains_key(&(copy.to, copy.to_entry - copy.to_entry % width)) => {
                return None;
            }
            false => {}
        }
    }
    Some(doubles)
}
