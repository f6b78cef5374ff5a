//! Configuration of the store: values with defaults, read from nowhere.
//!
//! Environment variables, command lines and default directories are the embedder's; this crate takes what it is given.
//! Invariant: every bound has a finite default.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the store may do with its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// Touch nothing.
    Off,
    /// Answer from the directory, never write to it.
    ReadOnly,
    /// Answer and keep.
    #[default]
    ReadWrite,
    /// Answer nothing, keep everything: what is made again replaces what was there.
    Refresh,
    /// Answer and keep; who owns the compiler makes again what was answered, and compares.
    Verify,
    /// The same for a part of the answers, whose results are compared too.
    Audit,
}

impl Mode {
    /// The mode's name in settings and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
            Self::Refresh => "refresh",
            Self::Verify => "verify",
            Self::Audit => "audit",
        }
    }
}

/// How a store is opened. `StoreConfig::default()` has no directory, so it is disabled; set at least that.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoreConfig {
    /// The cache root. `None`: memory only, without a warning.
    pub directory: Option<PathBuf>,
    /// What the store may do.
    pub mode: Mode,
    /// Bound on the bytes of all files, both tables together. Default 1 GiB.
    pub size_bytes_max: u64,
    /// Bound on the number of files, both tables together. Default 262 144.
    pub entries_max: u64,
    /// Cap on one file. A larger one is neither written nor read. Default 64 MiB.
    pub entry_bytes_max: u64,
    /// How long to wait for another process that compiles the same key. Default 2 s.
    pub lock_wait_max: Duration,
    /// How long to hold off writing after a failed write, and opening or writing a directory that could not be opened or written for an
    /// error that may pass; doubles up to 64 times this. Default 1 s.
    pub retry_after: Duration,
    /// Bound on publications waiting for the background thread, in bytes. Default 64 MiB.
    pub queue_bytes_max: u64,
    /// How long dropping the store waits for publications. Default 1 s.
    pub drop_wait_max: Duration,
    /// Fails chosen system calls, for tests: called with the call's name, returns the error number to fail it with.
    #[doc(hidden)]
    pub faults: Option<FaultHook>,
}

/// See [`StoreConfig::faults`].
pub(crate) type FaultHook = Arc<dyn Fn(&'static str) -> Option<i32> + Send + Sync>;

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            directory: None,
            mode: Mode::default(),
            size_bytes_max: 1 << 30,
            entries_max: 1 << 18,
            entry_bytes_max: 64 << 20,
            lock_wait_max: Duration::from_secs(2),
            retry_after: Duration::from_secs(1),
            queue_bytes_max: 64 << 20,
            drop_wait_max: Duration::from_secs(1),
            faults: None,
        }
    }
}

impl StoreConfig {
    /// Defaults, with this cache root.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            ..Self::default()
        }
    }
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("directory", &self.directory)
            .field("mode", &self.mode)
            .field("size_bytes_max", &self.size_bytes_max)
            .field("entries_max", &self.entries_max)
            .field("entry_bytes_max", &self.entry_bytes_max)
            .finish_non_exhaustive()
    }
}
