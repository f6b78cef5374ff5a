//! Modes that doubt what the disk answers: which hits are compiled again, and what is kept of that to run beside them.
//!
//! Invariant: in the other modes nothing here is done but to ask for the mode, and whether any code is distrusted.

use super::Shared;
use super::reason;
use crate::fork::Section;
use parloop_cache::{Key, Mode, Table};
use parloop_compiler::ir::{Loop, read_loop};
use parloop_compiler::{Stage, Watch};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is still to be written is waited for so long before an entry is taken away, lest it come back.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// How far a hit is doubted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Its bytes are compared with those of a fresh compilation.
    Bytes,
    /// So are its results, the first time it runs, with the interpreter's.
    Results,
}

/// Whether the hit at hand is to be doubted.
pub(super) fn due(shared: &Shared) -> Option<Doubt> {
    match shared.config.cache_mode {
        Mode::Verify => Some(Doubt::Bytes),
        Mode::Audit => {
            let before = shared.hits_seen.fetch_add(1, Ordering::Relaxed);
            let every = u64::from(shared.config.audit_every.max(1));
            before.is_multiple_of(every).then_some(Doubt::Results)
        }
        _ => None,
    }
}

/// Whether all hits are doubted, those on records too. A record is also compared wherever its text is parsed for another reason.
pub(super) fn all(shared: &Shared) -> bool {
    shared.config.cache_mode == Mode::Verify
}

/// Where the count of hits begins: elsewhere in each process, so that short ones do not all audit the same hits.
pub(super) fn first_count(audit_every: u32) -> u64 {
    u64::from(std::process::id()) % u64::from(audit_every.max(1))
}

/// Code whose results were found not to be the interpreter's.
#[derive(Default)]
pub(crate) struct Distrusted {
    /// Whether there is any; mostly all that has to be asked.
    any: AtomicBool,
    /// No process forks while it is locked.
    keys: Mutex<BTreeSet<Key>>,
}

impl Distrusted {
    /// Whether code is not to be used, nor kept.
    pub(super) fn has(&self, key: &Key) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let _section = Section::enter();
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.contains(key)
    }

    fn add(&self, key: Key) {
        let _section = Section::enter();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key);
        self.any.store(true, Ordering::Release);
    }
}

impl Shared {
    /// Sees to it that code is used no more: not from memory or disk, nor compiled again by this engine; and that loops which were
    /// prepared with it look for it anew before they run again, and so are refused it. Processes to come compile it again.
    pub(crate) fn distrust(&self, key: &Key) {
        self.distrusted.add(*key);
        self.classes.remove(key);
        // What is not written by then is written later, and audited like any other entry.
        let _as_far_as_it_comes = self.store.flush(FLUSH_MAX);
        self.store
            .retract(Table::Objects, key, reason::RESULTS_DIFFER);
        self.constants.outdate();
    }
}

/// Keeps the loop that code is made of.
#[derive(Default)]
pub(super) struct Keep {
    printed: Option<String>,
}

impl Keep {
    /// The loop after all passes.
    pub(super) fn looped(self) -> Option<Box<Loop>> {
        read_loop(&self.printed?).ok().map(Box::new)
    }
}

impl Watch for Keep {
    fn passed(&mut self, stage: Stage, result: &dyn fmt::Display) {
        if stage == Stage::Optimised {
            self.printed = Some(result.to_string());
        }
    }
}
