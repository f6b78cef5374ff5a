//! How much the directory holds: a hint in one small file, kept by adding what each process writes.
//!
//! Invariant: totals are only ever a hint. Missing, damaged or old they are counted anew by the collector; a crash
//! between a rename and an addition makes them wrong by one entry until then. No reader of entries looks at them.

use crate::disk::path;
use crate::disk::tree::Tree;
use rustix::io;
use std::fs::{File, TryLockError};
use std::time::Duration;

pub(crate) const USAGE_MAGIC: [u8; 8] = *b"paruse\x1a\x01";
pub(crate) const USAGE_LEN: usize = 40;
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(1);

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

    /// `magic | entries u64 | bytes u64 | writes since count u64 | first 8 bytes of the BLAKE3 hash of those`.
    fn encode(self) -> [u8; USAGE_LEN] {
        let mut file = [0; USAGE_LEN];
        file[..8].copy_from_slice(&USAGE_MAGIC);
        file[8..16].copy_from_slice(&self.entries.to_le_bytes());
        file[16..24].copy_from_slice(&self.bytes.to_le_bytes());
        file[24..32].copy_from_slice(&self.writes_since_count.to_le_bytes());
        let check = blake3::hash(&file[..32]);
        file[32..].copy_from_slice(&check.as_bytes()[..8]);
        file
    }

    fn decode(file: &[u8; USAGE_LEN]) -> Option<Self> {
        let number = |at: usize| {
            file[at..]
                .first_chunk::<8>()
                .map(|b| u64::from_le_bytes(*b))
        };
        let totals = Self {
            entries: number(8)?,
            bytes: number(16)?,
            writes_since_count: number(24)?,
        };
        (totals.encode() == *file).then_some(totals)
    }
}

/// The totals file, open and, where locks work, locked.
pub(crate) struct UsageFile {
    file: File,
}

impl Drop for UsageFile {
    fn drop(&mut self) {
        // A child forked meanwhile holds the same lock open: closing alone would not give it up.
        let _closing_gives_it_up_too = self.file.unlock();
    }
}

impl UsageFile {
    /// Opens and locks the file; `None` if another process keeps the lock.
    pub(crate) fn open(tree: &Tree) -> io::Result<Option<Self>> {
        let file = File::from(tree.sys.open_or_create(tree.root(), path::USAGE)?);
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                // Without locks an addition may be lost; the next count finds it.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Some(Self { file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            }
        }
        Ok(None)
    }

    /// The totals, if the file holds sound ones.
    pub(crate) fn read(&self, tree: &Tree) -> Option<Totals> {
        tree.sys
            .read_at(&self.file, 0)
            .ok()
            .and_then(|file| Totals::decode(&file))
    }

    pub(crate) fn write(&self, tree: &Tree, totals: Totals) -> io::Result<()> {
        tree.sys.write_at(&self.file, &totals.encode(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_41_damaged_totals_are_not_believed() {
        let totals = Totals {
            entries: 3,
            bytes: 4096,
            writes_since_count: 1,
        };
        let good = totals.encode();
        assert_eq!(Totals::decode(&good), Some(totals));
        for bit in 0..USAGE_LEN * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Totals::decode(&bad), None, "bit {bit}");
        }
    }
}
