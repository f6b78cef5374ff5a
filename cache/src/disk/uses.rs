//! How often entries are used: a table of small counters by key, in memory and, as a hint, in one file.
//!
//! The record is the cache's own: it needs no access times of the file system. Invariant: it is only ever a hint;
//! missing or damaged it reads as zeros, and keys that share a counter share their luck. Written in batches, when
//! entries are published and when the store is dropped, never on a hit.

use crate::disk::path;
use crate::disk::tree::Tree;
use crate::key::Key;
use rustix::io;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Number of counters, one byte each, in memory and in the file.
pub(crate) const COUNTERS: usize = 1 << 15;

/// Uses seen by this process and not yet written.
pub(crate) struct Uses {
    fresh: Box<[AtomicU8]>,
    any: AtomicU8,
}

/// The counters of the file, all processes together.
pub(crate) struct Counts(Vec<u8>);

fn index(key: &Key, slot: u8) -> usize {
    let bytes = key.as_bytes();
    (usize::from(bytes[30]) | usize::from(bytes[31]) << 8).wrapping_add(usize::from(slot))
        % COUNTERS
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            fresh: (0..COUNTERS).map(|_| AtomicU8::new(0)).collect(),
            any: AtomicU8::new(0),
        }
    }
}

impl Uses {
    /// Counts one use. Losing one to a race is fine.
    pub(crate) fn note(&self, key: &Key, slot: u8) {
        let counter = &self.fresh[index(key, slot)];
        counter.store(counter.load(Relaxed).saturating_add(1), Relaxed);
        self.any.store(1, Relaxed);
    }

    /// Adds what this process saw to the file.
    pub(crate) fn write(&self, tree: &Tree) -> io::Result<()> {
        if self.any.swap(0, Relaxed) == 0 {
            return Ok(());
        }
        let mut counts = Counts::read(tree);
        for (count, fresh) in counts.0.iter_mut().zip(&self.fresh) {
            *count = count.saturating_add(fresh.swap(0, Relaxed));
        }
        if counts.0.contains(&u8::MAX) {
            counts.age();
        }
        counts.write(tree)
    }
}

impl Counts {
    /// The counters as they are in the file; zeros if there is none.
    pub(crate) fn read(tree: &Tree) -> Self {
        let file = tree
            .sys
            .open_read(tree.root(), path::USES)
            .and_then(|fd| tree.sys.read(&fd, COUNTERS));
        let mut counts = file.unwrap_or_default();
        counts.resize(COUNTERS, 0);
        Self(counts)
    }

    pub(crate) fn of(&self, key: &Key, slot: u8) -> u8 {
        self.0[index(key, slot)]
    }

    /// Halves every counter: what is no longer used loses its past.
    pub(crate) fn age(&mut self) {
        self.0.iter_mut().for_each(|count| *count /= 2);
    }

    pub(crate) fn write(&self, tree: &Tree) -> io::Result<()> {
        let fd = tree.sys.open_or_create(tree.root(), path::USES)?;
        tree.sys.write_at(&fd, &self.0, 0)
    }
}
