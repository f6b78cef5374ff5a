//! How much the directory holds: a hint in one small file, kept by adding what each process writes.
//!
//! Invariant: totals are only ever a hint. Missing, damaged or old they are counted anew by the collector; a crash
//! between a rename and an addition makes them wrong by one entry until then. No reader of entries looks at them.

use crate::disk::hint::{self, HintFile};
use crate::disk::path;
use crate::disk::tree::Tree;
use rustix::io;

pub(crate) const USAGE_MAGIC: [u8; 8] = *b"paruse\x1a\x01";

/// Totals of both tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    /// Entries written since the totals were last counted.
    pub(crate) writes_since_count: u64,
}

/// What a process has changed and not yet added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) entries: i64,
    pub(crate) bytes: i64,
    pub(crate) writes: u64,
}

impl Totals {
    pub(crate) fn plus(self, delta: Delta) -> Self {
        Self {
            entries: self.entries.saturating_add_signed(delta.entries),
            bytes: self.bytes.saturating_add_signed(delta.bytes),
            writes_since_count: self.writes_since_count.saturating_add(delta.writes),
        }
    }
}

/// The totals file, open and, where locks work, locked.
pub(crate) struct UsageFile(HintFile<3>);

/// The totals as they are, without a lock.
pub(crate) fn peek(tree: &Tree) -> Option<Totals> {
    hint::peek(tree, path::USAGE, USAGE_MAGIC).map(Totals::from_numbers)
}

impl Totals {
    fn from_numbers([entries, bytes, writes_since_count]: [u64; 3]) -> Self {
        Self {
            entries,
            bytes,
            writes_since_count,
        }
    }
}

impl UsageFile {
    /// Opens and locks the file; `None` if another process keeps the lock.
    pub(crate) fn open(tree: &Tree) -> io::Result<Option<Self>> {
        HintFile::open(tree, path::USAGE, USAGE_MAGIC).map(|file| file.map(Self))
    }

    /// The totals, if the file holds sound ones.
    pub(crate) fn read(&self, tree: &Tree) -> Option<Totals> {
        self.0.read(tree).map(Totals::from_numbers)
    }

    pub(crate) fn write(&self, tree: &Tree, totals: Totals) -> io::Result<()> {
        let Totals {
            entries,
            bytes,
            writes_since_count,
        } = totals;
        self.0.write(tree, [entries, bytes, writes_since_count])
    }
}
