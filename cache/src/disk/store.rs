//! The store: what the rest of the crate's users see of the disk.
//!
//! Invariants: no operation here fails the caller for the disk's sake; each load and each publication ends in events
//! that say what became of it; a hit waits for nobody and writes nothing.

use crate::config::{Mode, StoreConfig};
use crate::disk::Table;
use crate::disk::lock::{self, FlightGuard};
use crate::disk::offer::Offer;
use crate::disk::path;
use crate::disk::publisher::{Job, Publisher};
use crate::disk::read::{self, Entry, Expect, Failure};
use crate::disk::shared::{Shared, State};
use crate::disk::tree::Tree;
use crate::disk::write::Publication;
use crate::error::{Bypass, Miss};
use crate::event::{Event, Observer};
use crate::key::Key;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A cache directory: verified entries by key, in two tables.
///
/// Opening never fails: a directory that can't be used leaves a store that answers nothing, and one warning. Dropping
/// the store waits up to [`StoreConfig::drop_wait_max`] for what is still to be written.
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    publisher: Publisher,
    closed: bool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("config", &self.shared.config)
            .field("state", &self.state())
            .finish()
    }
}

impl Store {
    /// Opens the store. Lists no directory and starts no thread.
    pub fn open(config: StoreConfig, observer: Arc<dyn Observer>) -> Self {
        Self {
            shared: Arc::new(Shared::open(config, observer)),
            publisher: Publisher::new(),
            closed: false,
        }
    }

    /// What the store does at present.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// The configuration that the store was opened with.
    pub fn config(&self) -> &StoreConfig {
        &self.shared.config
    }

    /// The entry kept under `key`, if it is sound, was made from the expected preimage, and needs no CPU feature that
    /// `host_has` denies.
    ///
    /// A defective file is removed, so that the next publication heals it, and told as `Reject` before the `Miss`.
    pub fn load(
        &self,
        table: Table,
        key: &Key,
        expect: Expect<'_>,
        host_has: &dyn Fn(&str) -> bool,
    ) -> Result<Entry, Miss> {
        self.offer(table, key, expect, host_has).map(Offer::take)
    }

    /// As [`Store::load`], for who may still find the entry to be no good: it is a hit once it is [taken](Offer::take).
    pub fn offer(
        &self,
        table: Table,
        key: &Key,
        expect: Expect<'_>,
        host_has: &dyn Fn(&str) -> bool,
    ) -> Result<Offer<'_>, Miss> {
        let outcome = self.find_offer(table, key, expect, host_has, false);
        if let Err(miss) = &outcome {
            self.shared.uses.note_in_vain(key);
            self.shared.event(&Event::Miss {
                layer: table.layer(),
                key: *key,
                reason: miss.code(),
            });
        }
        outcome
    }

    /// As [`Store::offer`], for a key whose miss has been told already: another miss is the same one and makes no event.
    ///
    /// This is the look under [`Store::lock`], for what another process published while this one waited.
    pub fn offer_again(
        &self,
        table: Table,
        key: &Key,
        expect: Expect<'_>,
        host_has: &dyn Fn(&str) -> bool,
    ) -> Result<Offer<'_>, Miss> {
        self.find_offer(table, key, expect, host_has, true)
    }

    fn find_offer(
        &self,
        table: Table,
        key: &Key,
        expect: Expect<'_>,
        host_has: &dyn Fn(&str) -> bool,
        missed: bool,
    ) -> Result<Offer<'_>, Miss> {
        let start = Instant::now();
        let entry = self.find(table, key, expect)?;
        let duration = start.elapsed();
        if entry.lacks_feature(host_has) {
            return Err(Miss::FeatureMissing);
        }
        Ok(Offer {
            store: self,
            table,
            key: *key,
            entry,
            duration,
            missed,
        })
    }

    /// As [`Store::load`], only to see: counts nothing, sends no event, removes nothing.
    pub fn look(
        &self,
        table: Table,
        key: &Key,
        expect: Expect<'_>,
        host_has: &dyn Fn(&str) -> bool,
    ) -> Result<Entry, Miss> {
        let tree = self.shared.tree().ok_or(Miss::Disabled)?;
        let bytes_max = self.shared.config.entry_bytes_max;
        let found = read::find(&tree, table, key, expect, bytes_max);
        let entry = found.map_err(|(_, failure)| failure.miss)?;
        if entry.lacks_feature(host_has) {
            return Err(Miss::FeatureMissing);
        }
        Ok(entry)
    }

    fn find(&self, table: Table, key: &Key, expect: Expect<'_>) -> Result<Entry, Miss> {
        if self.shared.config.mode == Mode::Refresh {
            return Err(Miss::Refresh);
        }
        let tree = self.shared.tree().ok_or(Miss::Disabled)?;
        let bytes_max = self.shared.config.entry_bytes_max;
        read::find(&tree, table, key, expect, bytes_max).map_err(|(slot, failure)| {
            if failure.miss.is_defect() {
                self.take_away(&tree, table, key, slot, &failure);
            }
            failure.miss
        })
    }

    fn take_away(&self, tree: &Tree, table: Table, key: &Key, slot: u8, failure: &Failure) {
        self.shared.event(&Event::Reject {
            layer: table.layer(),
            key: *key,
            reason: failure.miss.code(),
        });
        if self.shared.is_writable() {
            // If it can't be removed, the next publication replaces it.
            let taken = tree.take_away(&path::entry(table, key, slot), failure.file);
            if taken.is_ok() {
                self.shared.made_room();
            }
        }
    }

    /// Says that an entry that was loaded is no good after all: counted under `reason`, and removed.
    pub fn reject(&self, table: Table, key: &Key, reason: &'static str) {
        self.shared.event(&Event::Reject {
            layer: table.layer(),
            key: *key,
            reason,
        });
        if self.shared.is_writable() && self.remove(table, key) {
            self.shared.made_room();
        }
    }

    /// As [`Store::reject`], of what was told to be a hit: that is taken back, and the key missed for this reason.
    pub fn retract(&self, table: Table, key: &Key, reason: &'static str) {
        let layer = table.layer();
        self.shared.event(&Event::Retract { layer, key: *key });
        self.reject(table, key, reason);
        self.shared.event(&Event::Miss {
            layer,
            key: *key,
            reason,
        });
    }

    /// Keeps a payload under `key`. Returns at once; the background thread writes, then gives up `guard`. If many publications wait it is
    /// given up at once, so that nobody waits for the queue.
    ///
    /// What becomes of it is told by one `Publish` or `Bypass` event.
    pub fn publish(
        &self,
        table: Table,
        key: &Key,
        publication: Publication,
        guard: Option<FlightGuard>,
    ) {
        let bypass = |why: Bypass| {
            self.shared.event(&Event::Bypass {
                layer: table.layer(),
                key: *key,
                reason: why.code(),
            })
        };
        self.shared.try_again();
        if self.shared.is_disabled() {
            return bypass(Bypass::Disabled);
        }
        if !self.shared.is_writable() {
            return bypass(Bypass::ReadOnly);
        }
        self.publisher.submit(
            &self.shared,
            Job {
                table,
                key: *key,
                publication,
                guard,
            },
        );
    }

    /// Waits until what was published is in place or given up, for `timeout` at most; whether that came in time.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.publisher.flush(&self.shared, timeout)
    }

    /// Does what dropping the store does, which then has nothing left to do: waits up to [`StoreConfig::drop_wait_max`] for what is
    /// still to be written, and adds to the hints what was counted. Nothing is kept from then on.
    pub fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.publisher.stop(&self.shared);
            self.shared.flush_hints();
        }
    }

    /// The right to compile `key` while other processes wait; `None` if there is no lock to be had in
    /// [`StoreConfig::lock_wait_max`], and then one compiles without.
    ///
    /// Ask only after a miss, and load again then, whether it was granted or waited for in vain: another process may have published meanwhile.
    pub fn lock(&self, key: &Key) -> Option<FlightGuard> {
        if !self.shared.is_writable() {
            return None;
        }
        let tree = self.shared.tree()?;
        lock::take(&tree, key, self.shared.config.lock_wait_max)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
