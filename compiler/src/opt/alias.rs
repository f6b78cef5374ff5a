//! Which accesses of memory may touch the same values.

use super::linear::{Linear, Terms};
use super::simplify::{Memory, memory};
use crate::ir::{BinaryOp, Body, Op, Place, Stmt, Type, Value};

/// An access of memory that can be stored to, or of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Touch {
    pub(super) is_store: bool,
    pub(super) place: Place,
    pub(super) index: Linear,
    /// Of the value that is loaded or stored.
    pub(super) ty: Type,
    /// Which of the rows of an argument it is in, as far as that is known.
    row: Option<Row>,
}

/// A row of an argument, by its number: a value and a constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Row {
    base: Value,
    counted_from: Value,
    number: i64,
    stride: u64,
}

impl Row {
    fn of(body: &Body, place: Place, ty: Type) -> Option<Row> {
        let Place::Row { addr, .. } = place else {
            return None;
        };
        let Op::RowAddr { base, row, stride } = body.values[addr].op else {
            return None;
        };
        let (counted_from, number) = match body.values[row].op {
            Op::Binary(BinaryOp::Add, from, by) => (from, body.int_constant(by)?),
            _ => (row, 0),
        };
        // What is longer than a row may reach into the next.
        let fits = u64::from(ty.bytes()) <= stride;
        fits.then_some(Row {
            base,
            counted_from,
            number,
            stride,
        })
    }

    /// Whether two are different rows of one argument.
    fn is_apart(self, other: Row) -> bool {
        let same_kind = Row { number: 0, ..self } == Row { number: 0, ..other };
        same_kind && self.number != other.number
    }
}

/// Where indices count from, and the part of an index that is not constant: accesses that share both differ by a constant.
pub(super) type Origin = (Place, Terms);

impl Touch {
    /// Whether both may touch one value. Rows at different addresses of one dat may be one row.
    pub(super) fn overlaps(&self, other: &Touch) -> bool {
        if memory(&self.place) != memory(&other.place) {
            return false;
        }
        if let (Some(row), Some(other)) = (self.row, other.row)
            && row.is_apart(other)
        {
            return false;
        }
        if self.place != other.place || self.index.terms != other.index.terms {
            return true;
        }
        let (a, b) = (self.index.constant, other.index.constant);
        let apart = b.wrapping_sub(a);
        match apart >= 0 {
            true => apart < i64::from(self.ty.lanes),
            false => apart.wrapping_neg() < i64::from(other.ty.lanes),
        }
    }

    /// Whether it is of the entry before another's.
    pub(super) fn is_before(&self, other: &Touch) -> bool {
        self.place == other.place
            && self.index.terms == other.index.terms
            && self.index.constant.wrapping_add(1) == other.index.constant
    }

    /// Where its index counts from.
    pub(super) fn origin(&self) -> Origin {
        (self.place, self.index.terms.clone())
    }

    /// The kind of memory.
    pub(super) fn memory(&self) -> Memory {
        memory(&self.place)
    }
}

/// The access of a statement, if it is one.
pub(super) fn touch(body: &Body, stmt: &Stmt) -> Option<Touch> {
    let (place, index, value, is_store) = access(body, stmt)?;
    Some(Touch {
        is_store,
        place,
        index: Linear::of(body, index),
        ty: body.ty(value),
        row: Row::of(body, place, body.ty(value)),
    })
}

/// The place, index and value of a statement that loads or stores, and whether it stores.
pub(super) fn access(body: &Body, stmt: &Stmt) -> Option<(Place, Value, Value, bool)> {
    match stmt {
        Stmt::Let(value) => match body.values[*value].op {
            Op::Load { place, index, .. } => Some((place, index, *value, false)),
            _ => None,
        },
        Stmt::Store {
            place,
            index,
            value,
            ..
        } => Some((*place, *index, *value, true)),
        _ => None,
    }
}
