//! Read-only data of a function: tables and floating-point constants, all in one object.
//!
//! One object has one base address, so that a load from any table needs one register besides its index, and the pooled
//! constants share it.

use crate::ir::{Scalar, Table, TableData, Type};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeMap;

/// Where tables start: what a vector register holds.
const TABLE_ALIGN: usize = 16;

/// Constants and tables, and where they lie; each constant is there once for its bits and lanes.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    constants: BTreeMap<(u64, u8, Scalar), i32>,
    tables: SecondaryMap<Table, Option<i32>>,
    bytes: Vec<u8>,
}

impl Pool {
    /// Adds a table.
    pub(crate) fn table(&mut self, table: Table, data: &TableData) {
        let width = data.scalar.bytes() as usize;
        let offset = self.align(TABLE_ALIGN);
        self.bytes.reserve(data.bits.len() * width);
        for bits in &data.bits {
            self.bytes.extend_from_slice(&bits.to_le_bytes()[..width]);
        }
        self.tables[table] = Some(offset);
    }

    /// Offset of a table that was added.
    pub(crate) fn table_offset(&self, table: Table) -> i32 {
        self.tables[table].expect("used tables are added first")
    }

    /// Offset of a constant, whose lanes are all alike.
    pub(crate) fn offset(&mut self, bits: u64, ty: Type) -> i32 {
        let key = (bits, ty.lanes, ty.scalar);
        if let Some(offset) = self.constants.get(&key) {
            return *offset;
        }
        let offset = self.align(ty.bytes() as usize);
        let lane = &bits.to_le_bytes()[..ty.scalar.bytes() as usize];
        for _ in 0..ty.lanes {
            self.bytes.extend_from_slice(lane);
        }
        self.constants.insert(key, offset);
        offset
    }

    fn align(&mut self, to: usize) -> i32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
        i32::try_from(self.bytes.len()).expect("read-only data is smaller than 2 GB")
    }

    /// The pool's content.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
