//! Which accesses of memory may touch the same values.

use super::linear::{Linear, Terms};
use super::simplify::{Memory, memory};
use crate::ir::{Body, Op, Place, Stmt, Type, Value};

/// An access of memory that can be stored to, or of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Touch {
    pub(super) is_store: bool,
    pub(super) place: Place,
    pub(super) index: Linear,
    /// Of the value that is loaded or stored.
    pub(super) ty: Type,
}

/// Where indices count from, and the part of an index that is not constant: accesses that share both differ by a constant.
pub(super) type Origin = (Place, Terms);

impl Touch {
    /// Whether both may touch one value. Rows at different addresses of one dat may be one row.
    pub(super) fn overlaps(&self, other: &Touch) -> bool {
        if memory(&self.place) != memory(&other.place) {
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
