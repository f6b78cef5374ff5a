//! The borrow of a dat or global: many readers or one writer, never a wait.
//!
//! Invariant: a successful `read` or `write` is undone by exactly one `end_read` or `end_write`. The word counts readers;
//! `WRITING` stands for the writer. Writes are counted too: the version changes with every write borrow, before it begins.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const WRITING: u32 = u32::MAX;
/// So many readers are refused a further one, far below `WRITING`.
const READERS_MAX: u32 = u32::MAX / 2;

#[derive(Debug, Default)]
pub(crate) struct Borrow {
    state: AtomicU32,
    version: AtomicU64,
}

impl Borrow {
    /// Takes part in reading, unless there is a writer.
    #[inline]
    pub(crate) fn read(&self) -> bool {
        let mut readers = self.state.load(Ordering::Relaxed);
        loop {
            if readers >= READERS_MAX {
                return false;
            }
            let taken = self.state.compare_exchange_weak(
                readers,
                readers + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match taken {
                Ok(_) => return true,
                Err(now) => readers = now,
            }
        }
    }

    #[inline]
    pub(crate) fn end_read(&self) {
        self.state.fetch_sub(1, Ordering::Release);
    }

    /// Becomes the writer, unless there is one or anybody reads.
    #[inline]
    pub(crate) fn write(&self) -> bool {
        let taken = self
            .state
            .compare_exchange(0, WRITING, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if taken {
            // Only the writer changes the version, so this need not be one atomic step.
            let version = self.version.load(Ordering::Relaxed);
            self.version.store(version + 1, Ordering::Relaxed);
        }
        taken
    }

    #[inline]
    pub(crate) fn end_write(&self) {
        self.state.store(0, Ordering::Release);
    }

    /// Whether somebody writes at this moment; only good for saying why a borrow failed.
    pub(crate) fn is_written(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WRITING
    }

    /// How many write borrows there have been.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}
