//! Modes that doubt what the disk answers: which hits are compiled again, and what is kept of that to run beside them.
//!
//! Invariant: in the other modes nothing here is done but to ask for the mode.

use super::Shared;
use parloop_cache::Mode;
use parloop_compiler::ir::{Loop, read_loop};
use parloop_compiler::{Stage, Watch};
use std::fmt;
use std::sync::atomic::Ordering;

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

/// Where the count of hits begins: elsewhere in each process, so that short ones do not all audit the same hits.
pub(super) fn first_count(audit_every: u32) -> u64 {
    u64::from(std::process::id()) % u64::from(audit_every.max(1))
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
