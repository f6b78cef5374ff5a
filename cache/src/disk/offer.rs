//! An entry that was found, until whoever asked says whether it is of use.
//!
//! Invariant: what is refused was never a hit: it is a rejection, and a miss unless that was told already. What is left is a miss
//! alone.

use crate::disk::Table;
use crate::disk::read::Entry;
use crate::disk::store::Store;
use crate::event::Event;
use crate::key::Key;
use std::time::Duration;

/// A sound entry, to be taken or refused.
#[must_use]
#[derive(Debug)]
pub struct Offer<'a> {
    pub(crate) store: &'a Store,
    pub(crate) table: Table,
    pub(crate) key: Key,
    pub(crate) entry: Entry,
    /// How long it took to find.
    pub(crate) duration: Duration,
    /// Whether the miss of this key has been told.
    pub(crate) missed: bool,
}

impl Offer<'_> {
    /// The entry, to be looked at.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// A hit. One on an object saved the time that it took to make.
    pub fn take(self) -> Entry {
        let saved = match self.table {
            Table::Objects => Duration::from_nanos(self.entry.cost_ns()),
            Table::Shortcuts => Duration::ZERO,
        };
        self.hit(saved)
    }

    /// A hit that saves no time, for what was found is made again and compared.
    pub fn take_to_compare(self) -> Entry {
        self.hit(Duration::ZERO)
    }

    fn hit(self, saved: Duration) -> Entry {
        let shared = &self.store.shared;
        shared.uses.note(&self.key, self.entry.slot());
        shared.event(&Event::Hit {
            layer: self.table.layer(),
            key: self.key,
            saved,
            duration: self.duration,
        });
        self.entry
    }

    /// The entry is not to blame, but of no use here and now: the key is missed for this reason, and what is kept stays.
    pub fn leave(self, reason: &'static str) {
        self.miss(reason);
    }

    /// The entry is no good: it is rejected and removed, and the key missed, for this reason.
    pub fn refuse(self, reason: &'static str) {
        self.store.reject(self.table, &self.key, reason);
        self.miss(reason);
    }

    fn miss(&self, reason: &'static str) {
        if !self.missed {
            self.store.shared.event(&Event::Miss {
                layer: self.table.layer(),
                key: self.key,
                reason,
            });
        }
    }
}
