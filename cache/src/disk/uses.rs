//! How often entries are used, and asked for in vain: two tables of small counters by key, in memory and, as a hint, in one file.
//!
//! The record is the cache's own: it needs no access times of the file system. Invariant: it is only ever a hint;
//! missing or damaged it reads as zeros, and keys that share a counter share their luck. Written in batches, when
//! entries are published and when the store is dropped, never on a hit.

use crate::disk::path;
use crate::disk::tree::Tree;
use crate::key::Key;
use crate::worth::{self, Asked, COUNTERS};
use rustix::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What this process saw and has not yet written.
#[derive(Default)]
pub(crate) struct Uses {
    hits: Asked,
    vain: Asked,
    any: AtomicBool,
}

/// The counters of the file, all processes together: those of hits, then those of misses.
pub(crate) struct Counts(Vec<u8>);

impl Uses {
    /// Counts one use.
    pub(crate) fn note(&self, key: &Key, slot: u8) {
        self.hits.note(key, slot);
        self.any.store(true, Relaxed);
    }

    /// Counts one time that a key was asked for and not found.
    pub(crate) fn note_in_vain(&self, key: &Key) {
        self.vain.note(key, 0);
        self.any.store(true, Relaxed);
    }

    /// Leaves all to the process that counted it.
    pub(crate) fn forget(&self) {
        self.any.store(false, Relaxed);
        self.hits.forget();
        self.vain.forget();
    }

    /// Adds what this process saw to the file.
    pub(crate) fn write(&self, tree: &Tree) -> io::Result<()> {
        if !self.any.swap(false, Relaxed) {
            return Ok(());
        }
        let mut counts = Counts::read(tree);
        let (hits, vain) = counts.0.split_at_mut(COUNTERS);
        self.hits.move_to(hits);
        self.vain.move_to(vain);
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
            .and_then(|fd| tree.sys.read(&fd, 2 * COUNTERS));
        let mut counts = file.unwrap_or_default();
        counts.resize(2 * COUNTERS, 0);
        Self(counts)
    }

    /// How often an entry was used.
    pub(crate) fn of(&self, key: &Key, slot: u8) -> u8 {
        self.0[worth::index(key, slot)]
    }

    /// How often it was asked for, found or not.
    pub(crate) fn asked(&self, key: &Key, slot: u8) -> u8 {
        let vain = self.0[COUNTERS + worth::index(key, slot)];
        self.of(key, slot).saturating_add(vain)
    }

    /// Halves every counter: what is no longer used loses its past.
    pub(crate) fn age(&mut self) {
        self.0.chunks_mut(COUNTERS).for_each(worth::age);
    }

    pub(crate) fn write(&self, tree: &Tree) -> io::Result<()> {
        let fd = tree.open_file(path::VERSION_DIR, path::USES)?;
        tree.sys.write_at(&fd, &self.0, 0)
    }
}
