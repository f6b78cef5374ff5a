//! Several elements, or several times as many, in one trip of short statements: what a trip costs by itself is shared.
//!
//! Copies follow each other in the order of elements, so that nothing else changes.

use crate::ir::{BinaryOp, Block, Body, Inst, Loop, Op, Place, Stmt, Type, Value, Wide};
use crate::opt::unroll::Copy;
use crate::signature::Iteration;
use rustc_hash::FxHashMap;

/// The most instructions that accesses and arithmetic of a trip may have to be done twice in one.
const WORK_MAX: usize = 12;

/// Doubles the elements of a trip while it stays short and they are not too many; whether that was done.
pub(in crate::opt) fn repeat(it: &mut Loop, elements_max: u8) -> bool {
    let in_order = it.signature.iteration == Iteration::Elements && !it.signature.allow_conflicts;
    let covers_rest = it.wide.as_ref().is_some_and(|wide| wide.covers_rest);
    if !in_order || covers_rest || !is_straight(&it.body, &it.body.root) {
        return false;
    }
    let mut is_done = false;
    let mut wide = it.wide.take();
    loop {
        let (elements, block) = match &wide {
            Some(wide) => (wide.elements, &wide.block),
            None => (1, &it.body.root),
        };
        if 2 * elements > elements_max || work(&it.body, block) > WORK_MAX {
            break;
        }
        let block = match wide {
            Some(wide) => wide.block,
            None => {
                let root = std::mem::take(&mut it.body.root);
                let copy = own_copy(&mut it.body, &root);
                it.body.root = root;
                copy
            }
        };
        wide = Some(Wide {
            elements: 2 * elements,
            covers_rest: false,
            is_strip: false,
            block: twice(&mut it.body, block, elements),
        });
        is_done = true;
    }
    it.wide = wide;
    is_done
}

/// Whether statements have no branches, loops and local arrays, and nothing that fails.
fn is_straight(body: &Body, block: &Block) -> bool {
    let array = |place: &Place| matches!(place, Place::Array(_));
    block.iter().all(|stmt| match stmt {
        Stmt::Let(value) => match &body.values[*value].op {
            Op::Load { place, .. } => !array(place),
            op => !op.can_fail(),
        },
        Stmt::Set(..) => true,
        Stmt::Store { place, .. } => !array(place),
        _ => false,
    })
}

/// How many instructions access or compute something.
pub(in crate::opt) fn work(body: &Body, block: &Block) -> usize {
    let counts = |stmt: &&Stmt| match stmt {
        Stmt::Let(value) => !matches!(
            body.values[*value].op,
            Op::Const(_) | Op::Element | Op::ArgBase(_) | Op::RowAddr { .. } | Op::Get(_)
        ),
        _ => true,
    };
    block.iter().filter(counts).count()
}

/// Statements with values of their own.
pub(in crate::opt) fn own_copy(body: &mut Body, block: &Block) -> Block {
    Copy::new(body).block(block)
}

/// Statements for some elements, and then for as many that follow.
pub(in crate::opt) fn twice(body: &mut Body, mut whole: Block, elements: u8) -> Block {
    let mut copy = Copy::new(body);
    let second = copy.block(&whole);
    let copies = copy.values;
    let rows = rows(body, &copies, elements);
    for mut stmt in second {
        match &mut stmt {
            Stmt::Let(value) => match body.values[*value].op {
                Op::Element => follow(body, *value, elements, &mut whole),
                Op::Load { place, index, site } => {
                    if let Some((place, index)) =
                        moved(body, &rows, (place, index), *value, &mut whole)
                    {
                        body.values[*value].op = Op::Load { place, index, site };
                    }
                }
                _ => {}
            },
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                if let Some(found) = moved(body, &rows, (*place, *index), *value, &mut whole) {
                    (*place, *index) = found;
                }
            }
            _ => {}
        }
        whole.push(stmt);
    }
    whole
}

/// Makes an element's number one of those that follow.
fn follow(body: &mut Body, element: Value, elements: u8, to: &mut Block) {
    let ty = Type::I64;
    let mut push = |op| {
        let value = body.values.push(Inst { op, ty });
        to.push(Stmt::Let(value));
        value
    };
    let first = push(Op::Element);
    let by = push(Op::Const(u64::from(elements)));
    body.values[element].op = Op::Binary(BinaryOp::Add, first, by);
}

/// Rows of the elements that follow, with those of the first ones and how many bytes lie between.
fn rows(
    body: &Body,
    copies: &FxHashMap<Value, Value>,
    elements: u8,
) -> FxHashMap<Value, (Value, u64)> {
    let distance = |addr: Value| match body.values[addr].op {
        // The row of the element alone, not of one that follows it.
        Op::RowAddr { row, stride, .. } if body.values[row].op == Op::Element => {
            Some(stride * u64::from(elements))
        }
        _ => None,
    };
    copies
        .iter()
        .filter_map(|(addr, copy)| Some((*copy, (*addr, distance(*addr)?))))
        .collect()
}

/// Where an access of a row that follows is, counted from the first one's, if that can be.
fn moved(
    body: &mut Body,
    rows: &FxHashMap<Value, (Value, u64)>,
    (place, index): (Place, Value),
    value: Value,
    to: &mut Block,
) -> Option<(Place, Value)> {
    let Place::Row { addr, region } = place else {
        return None;
    };
    let (addr, distance) = *rows.get(&addr)?;
    let at = body.int_constant(index)?;
    let bytes = u64::from(body.ty(value).scalar.bytes());
    if distance % bytes != 0 {
        return None;
    }
    let at = at.wrapping_add((distance / bytes) as i64);
    let (op, ty) = (Op::Const(at as u64), Type::I64);
    let index = body.values.push(Inst { op, ty });
    to.push(Stmt::Let(index));
    Some((Place::Row { addr, region }, index))
}
