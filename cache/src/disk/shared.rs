//! What the store and its background thread share: the opened tree, the state, the observer.
//!
//! Invariants: a condition is warned of once; a tree whose directory was deleted is opened anew, with all its checks,
//! before the next write; what failed and may pass by itself is tried again after a [pause](Pause); a forked child opens its own
//! tree, if the parent had one, counts from zero, and waits for no lock of the parent.

use crate::config::{Mode, StoreConfig};
use crate::disk::lifetime::Pending;
use crate::disk::pause::Pause;
use crate::disk::secret;
use crate::disk::sys::Sys;
use crate::disk::tree::Tree;
use crate::disk::trust::{self, Refusal};
use crate::disk::uses::Uses;
use crate::error::Caution;
use crate::event::{Event, Observer};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError};

/// What the store does at present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Answers and keeps.
    ReadWrite,
    /// Answers only.
    ReadOnly {
        /// Why nothing is kept.
        why: Why,
    },
    /// Neither answers nor keeps.
    Disabled {
        /// Why not.
        why: Why,
    },
}

/// Why a store does less than it could.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// No directory was given.
    #[error("no directory is configured")]
    NoDirectory,
    /// The configured mode says so.
    #[error("the configured mode is {}", .0.name())]
    Mode(Mode),
    /// The directory is not to be trusted or can't be opened; if a system call failed ([`Refusal::Io`]) that is tried again from time to
    /// time.
    #[error("{0}")]
    Refused(Refusal),
    /// The directory can't be written to; that is tried again from time to time.
    #[error("the directory can not be written to: {0}")]
    NotWritable(std::io::ErrorKind),
}

const READ_WRITE: u8 = 0;
const READ_ONLY: u8 = 1;
const DISABLED: u8 = 2;

/// Shared by the store and its thread.
pub(crate) struct Shared {
    pub(crate) config: StoreConfig,
    pub(crate) sys: Sys,
    observer: Arc<dyn Observer>,
    /// Which kind of state, to be read without a lock; `state` has the reasons.
    kind: AtomicU8,
    state: Mutex<State>,
    tree: RwLock<Option<Arc<Tree>>>,
    pid: u32,
    /// The tree of a forked child.
    child_tree: OnceLock<Option<Arc<Tree>>>,
    /// Before the directory, or writing to it, is tried again.
    pause: Mutex<Pause>,
    warned: Mutex<BTreeSet<&'static str>>,
    pub(crate) uses: Uses,
    /// Entries that this process took away as defective, and that may be written again whatever the totals say.
    room: AtomicU64,
    pub(crate) lifetime: Pending,
}

impl Shared {
    pub(crate) fn open(config: StoreConfig, observer: Arc<dyn Observer>) -> Self {
        let sys = Sys::new(config.faults.clone());
        let shared = Self {
            sys,
            observer,
            kind: AtomicU8::new(READ_WRITE),
            state: Mutex::new(State::ReadWrite),
            tree: RwLock::new(None),
            pid: std::process::id(),
            child_tree: OnceLock::new(),
            pause: Mutex::default(),
            warned: Mutex::default(),
            uses: Uses::default(),
            room: AtomicU64::new(0),
            lifetime: Pending::default(),
            config,
        };
        let state = match (&shared.config.directory, shared.config.mode) {
            (_, Mode::Off) => State::Disabled {
                why: Why::Mode(Mode::Off),
            },
            (None, _) => State::Disabled {
                why: Why::NoDirectory,
            },
            (Some(_), _) => shared.open_or_refuse(),
        };
        shared.set_state(state);
        shared
    }

    /// Opens the directory if it is to be had, and says if not. What may pass by itself is tried again later.
    fn open_or_refuse(&self) -> State {
        let opened = self.open_tree();
        let passes = match &opened {
            Ok((_, state)) => matches!(state, State::ReadOnly { .. }),
            Err(refusal) => matches!(refusal, Refusal::Io { .. }),
        };
        if let Some(mut pause) = self.lock(&self.pause) {
            match passes {
                true => pause.begin(self.config.retry_after),
                false => pause.end(),
            }
        }
        let (tree, state) = match opened {
            Ok(opened) => opened,
            Err(refusal) => {
                let why = Why::Refused(refusal);
                self.warn(
                    Caution::Directory,
                    format!("the cache on disk is off: {why}"),
                );
                return State::Disabled { why };
            }
        };
        *self.tree.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(tree));
        let mode = self.config.mode;
        if mode == Mode::ReadOnly {
            return State::ReadOnly {
                why: Why::Mode(mode),
            };
        }
        if let State::ReadOnly { why } = &state {
            self.warn_read_only(why);
        }
        state
    }

    /// Tries again what failed, if it is time: to open the directory, or to write to it. One thread does, and no child.
    pub(crate) fn try_again(&self) {
        if self.is_writable() || self.in_child() {
            return;
        }
        let due = self.pause.try_lock();
        if due.is_ok_and(|mut pause| pause.is_due()) {
            let state = match self.is_disabled() {
                true => self.open_or_refuse(),
                // Whether one may write is seen by writing.
                false => State::ReadWrite,
            };
            self.set_state(state);
        }
    }

    /// Something was written.
    pub(crate) fn wrote(&self) {
        if let Some(mut pause) = self.lock(&self.pause) {
            pause.end();
        }
    }

    /// A lock of a process that may be forked: in a child, none that a thread of the parent may hold for ever.
    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> Option<MutexGuard<'a, T>> {
        match mutex.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if self.in_child() => None,
            Err(TryLockError::WouldBlock) => {
                Some(mutex.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    /// Opens and verifies the directory, and reads or makes the secret.
    fn open_tree(&self) -> Result<(Tree, State), Refusal> {
        let path = self.directory();
        if trust::elevated() || self.sys.told_elevated() {
            return Err(Refusal::Elevated);
        }
        let uid = trust::effective_uid();
        let may_write = self.config.mode != Mode::ReadOnly;
        let opened = trust::open_verified(&self.sys, &path, uid, may_write)?;
        let io = |errno: rustix::io::Errno| Refusal::Io {
            path: opened.path.clone(),
            kind: errno.kind(),
        };
        let root = std::os::fd::AsFd::as_fd(&opened.fd);
        let found = secret::read(&self.sys, root, uid).map_err(io)?;
        let (secret, state) = match found {
            None if may_write => match secret::ensure(&self.sys, root, uid, None) {
                Ok(secret) => (Some(secret), State::ReadWrite),
                Err(errno) if is_read_only(errno) => (
                    None,
                    State::ReadOnly {
                        why: Why::NotWritable(errno.kind()),
                    },
                ),
                // Full, for now: each write tries again.
                Err(_) => (None, State::ReadWrite),
            },
            found => (found, State::ReadWrite),
        };
        Ok((Tree::new(self.sys.clone(), uid, opened.fd, secret), state))
    }

    fn directory(&self) -> PathBuf {
        self.config.directory.clone().unwrap_or_default()
    }

    /// Whether this is a child forked from the process that opened the store.
    pub(crate) fn in_child(&self) -> bool {
        self.pid != std::process::id()
    }

    /// The tree, or `None` if there is none. The lock is only ever held to copy or to set it.
    pub(crate) fn tree(&self) -> Option<Arc<Tree>> {
        if self.in_child() {
            // What the parent was refused, or told to leave alone, is not opened by the child.
            let open = || {
                self.uses.forget();
                self.lifetime.forget();
                if self.is_disabled() {
                    return None;
                }
                self.open_tree().ok().map(|(tree, _)| Arc::new(tree))
            };
            return self.child_tree.get_or_init(open).clone();
        }
        let opened = || {
            let tree = self.tree.read();
            tree.unwrap_or_else(PoisonError::into_inner).clone()
        };
        opened().or_else(|| {
            self.try_again();
            opened()
        })
    }

    /// Opens the directory anew after it was deleted.
    pub(crate) fn reopen(&self) -> Result<Arc<Tree>, Refusal> {
        let (tree, _) = self.open_tree()?;
        let tree = Arc::new(tree);
        if !self.in_child() {
            *self.tree.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&tree));
        }
        Ok(tree)
    }

    pub(crate) fn state(&self) -> State {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether writing is allowed at present. Never waits.
    pub(crate) fn is_writable(&self) -> bool {
        self.kind.load(SeqCst) == READ_WRITE
    }

    /// Whether nothing is answered. Never waits.
    pub(crate) fn is_disabled(&self) -> bool {
        self.kind.load(SeqCst) == DISABLED
    }

    /// An entry was taken away, other than by a collection.
    pub(crate) fn made_room(&self) {
        self.room.fetch_add(1, SeqCst);
    }

    /// Uses the room of one, if there is any.
    pub(crate) fn take_room(&self) -> bool {
        let less = |room: u64| room.checked_sub(1);
        self.room.fetch_update(SeqCst, SeqCst, less).is_ok()
    }

    /// Adds what this process counted to the hints on disk; a failure there is nobody's concern.
    pub(crate) fn flush_hints(&self) {
        if let Some(tree) = self.tree().filter(|_| self.is_writable()) {
            let _only_a_hint = self.uses.write(&tree);
            let _only_a_hint = self.lifetime.write(&tree);
        }
    }

    fn set_state(&self, state: State) {
        let kind = match state {
            State::ReadWrite => READ_WRITE,
            State::ReadOnly { .. } => READ_ONLY,
            State::Disabled { .. } => DISABLED,
        };
        self.kind.store(kind, SeqCst);
        if let Some(mut held) = self.lock(&self.state) {
            *held = state;
        }
    }

    /// Goes on without writing, for a while.
    pub(crate) fn became_read_only(&self, kind: std::io::ErrorKind) {
        let why = Why::NotWritable(kind);
        if let Some(mut pause) = self.lock(&self.pause) {
            pause.begin(self.config.retry_after);
        }
        self.warn_read_only(&why);
        self.set_state(State::ReadOnly { why });
    }

    fn warn_read_only(&self, why: &Why) {
        self.warn(
            Caution::Directory,
            format!("nothing is written to the cache on disk: {why}"),
        );
    }

    pub(crate) fn event(&self, event: &Event) {
        self.lifetime.note(event);
        self.observer.event(event);
    }

    /// Warns of a condition, once.
    pub(crate) fn warn(&self, about: Caution, message: String) {
        let code = about.code();
        let warned = self.lock(&self.warned);
        let first = warned.is_some_and(|mut warned| warned.insert(code));
        if first {
            self.event(&Event::Warning { code, message });
        }
    }
}

/// Whether an error says that the directory can't be written to, rather than that a write failed.
pub(crate) fn is_read_only(errno: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    matches!(errno, Errno::ROFS | Errno::ACCESS | Errno::PERM)
}
