//! The pool of floating-point constants, in read-only data.

use crate::ir::{Scalar, Type};
use std::collections::BTreeMap;

/// Constants and where they lie; each is there once for its bits and lanes.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    offsets: BTreeMap<(u64, u8, Scalar), i32>,
    bytes: Vec<u8>,
}

impl Pool {
    /// Offset of a constant, whose lanes are all alike.
    pub(crate) fn offset(&mut self, bits: u64, ty: Type) -> i32 {
        let key = (bits, ty.lanes, ty.scalar);
        if let Some(offset) = self.offsets.get(&key) {
            return *offset;
        }
        let aligned = self.bytes.len().next_multiple_of(ty.bytes() as usize);
        self.bytes.resize(aligned, 0);
        let lane = &bits.to_le_bytes()[..ty.scalar.bytes() as usize];
        for _ in 0..ty.lanes {
            self.bytes.extend_from_slice(lane);
        }
        let offset = i32::try_from(aligned).expect("a pool is smaller than 2 GB");
        self.offsets.insert(key, offset);
        offset
    }

    /// The pool's content.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
