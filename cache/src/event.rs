//! Events: the one way in which the caches say what they did.
//!
//! Invariant: every hit, miss, compilation, publication, rejection and eviction is exactly one event, sent to the
//! observer on the thread where it happened; what turns out later to have been no hit is taken back by one. Statistics, logs and tests are made from events and from nothing else.

use crate::key::Key;
use std::time::Duration;

/// Where an answer was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Layer {
    /// The class cache in memory.
    Memory,
    /// The store's objects.
    Disk,
    /// The store's shortcuts.
    Shortcut,
}

impl Layer {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Disk, Self::Shortcut];

    /// The layer's name in statistics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Shortcut => "shortcut",
        }
    }
}

/// Something that a cache, or the engine around it, did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A layer answered.
    Hit {
        /// Which layer.
        layer: Layer,
        /// The key asked for.
        key: Key,
        /// Compile time that it saved: none in memory or of shortcuts, nor where what was found is made again to compare it.
        saved: Duration,
        /// How long it took to find, read and verify it: two readings of a clock. Zero in memory, where they would take as long as the hit.
        duration: Duration,
    },
    /// A hit that was told was none: what was found turned out to be no good. A `Reject` and a `Miss` follow, which say why.
    Retract {
        /// Which layer.
        layer: Layer,
        /// The key asked for.
        key: Key,
    },
    /// A layer did not answer.
    Miss {
        /// Which layer.
        layer: Layer,
        /// The key asked for.
        key: Key,
        /// Stable reason code, see [`Miss::code`](crate::Miss::code); of an entry that was refused, that of its rejection.
        reason: &'static str,
    },
    /// Code was compiled (sent by whoever owns the compiler).
    Compile {
        /// The key of what was compiled.
        key: Key,
        /// How long it took.
        duration: Duration,
    },
    /// An entry was written and is in place.
    Publish {
        /// The layer it was written to, `Disk` or `Shortcut`.
        layer: Layer,
        /// Its key.
        key: Key,
        /// Length of the whole file.
        bytes: u64,
        /// How long it took to write and to put in place, on the background thread.
        duration: Duration,
    },
    /// Something was not stored.
    Bypass {
        /// The layer that did not take it.
        layer: Layer,
        /// Its key.
        key: Key,
        /// Stable reason code, see [`Bypass::code`](crate::Bypass::code).
        reason: &'static str,
    },
    /// An entry was found defective, by the store or by the caller. `bad_mac` and `foreign` may be tampering.
    Reject {
        /// The layer it lay in.
        layer: Layer,
        /// The key it was found under.
        key: Key,
        /// Stable reason code.
        reason: &'static str,
    },
    /// An entry was dropped to keep a bound.
    Evict {
        /// The layer it was dropped from.
        layer: Layer,
        /// Its key.
        key: Key,
        /// Bytes given back.
        bytes: u64,
    },
    /// A collection of the store has ended, in which something was evicted.
    Collect {
        /// Entries evicted, of both tables; each was told by an `Evict`.
        entries: u64,
        /// Bytes given back.
        bytes: u64,
        /// How long it took, counting what is there included.
        duration: Duration,
    },
    /// What a key that missed differs in from the nearest entry kept (sent by whoever made the keys, before it is made anew, and
    /// only to observers that [want it](Observer::wants_explanations)).
    Explained {
        /// The key that missed.
        key: Key,
        /// The entry compared with; `None` if nothing like it is kept.
        nearest: Option<Key>,
        /// A line for each difference, old and new, for people; control characters are escaped.
        differences: Vec<String>,
        /// How many entries were looked at.
        entries: u64,
        /// Whether these are all that are kept; if not, one that was not looked at may be nearer.
        all: bool,
    },
    /// An entry was made again and found to be the same (sent by whoever owns the compiler).
    Verified {
        /// The layer it lay in.
        layer: Layer,
        /// Its key.
        key: Key,
    },
    /// Two compilations of one key gave different bytes; the entry in place was kept, unless the mode is refresh.
    Nondeterministic {
        /// The layer.
        layer: Layer,
        /// The key.
        key: Key,
    },
    /// A cached object was found by identity.
    ObjectHit,
    /// An object was built and kept.
    ObjectBuilt {
        /// How long it took.
        duration: Duration,
        /// Bytes it says it holds.
        bytes: u64,
    },
    /// Something the user should know; each condition once for a store.
    Warning {
        /// Stable code of the condition, see [`Caution::code`](crate::Caution::code).
        code: &'static str,
        /// What happened and what follows from it, for people; control characters are escaped.
        message: String,
    },
}

/// Receives events. Called on hot paths: an implementation must be quick and must not call back into the cache.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    ///
    /// Called from the thread that caused it, the background thread among them: an implementation that takes a lock must expect
    /// that a process forks while another thread holds it, and that the child then waits for ever.
    fn event(&self, event: &Event);

    /// Whether misses are to be explained, which costs a look through the store for each.
    fn wants_explanations(&self) -> bool {
        false
    }
}

impl Observer for () {
    fn event(&self, _event: &Event) {}
}
