//! Which accesses of rows may touch the same memory.

use crate::ir::{Body, Op, Place, Stmt, Value};

/// An access of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Touch {
    pub(super) is_store: bool,
    pub(super) addr: Value,
    slot: u16,
    /// First entry, if known.
    index: Option<i64>,
    lanes: i64,
}

impl Touch {
    /// Whether both may touch one value. Rows at different addresses of one dat may be one row.
    pub(super) fn overlaps(&self, other: &Touch) -> bool {
        if self.slot != other.slot {
            return false;
        }
        match (self.index, other.index) {
            (Some(a), Some(b)) if self.addr == other.addr => {
                a < b + other.lanes && b < a + self.lanes
            }
            _ => true,
        }
    }
}

/// The row access of a statement, if it is one.
pub(super) fn touch(body: &Body, stmt: &Stmt) -> Option<Touch> {
    let (place, index, value, is_store) = match stmt {
        Stmt::Let(value) => match &body.values[*value].op {
            Op::Load { place, index, .. } => (place, *index, *value, false),
            _ => return None,
        },
        Stmt::Store {
            place,
            index,
            value,
            ..
        } => (place, *index, *value, true),
        _ => return None,
    };
    let Place::Row { addr, region } = *place else {
        return None;
    };
    Some(Touch {
        is_store,
        addr,
        slot: region.slot,
        index: body.int_constant(index),
        lanes: i64::from(body.ty(value).lanes),
    })
}
