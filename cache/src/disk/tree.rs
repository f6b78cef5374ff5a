//! A verified, opened cache directory with its secret: what reading and writing go through.
//!
//! Invariant: the descriptor was verified component by component; every path is taken relative to it. A tree whose
//! directory was deleted is not repaired but opened anew by the store.

use crate::disk::path;
use crate::disk::secret::{self, Secret};
use crate::disk::sys::Sys;
use rustix::fs::FileType;
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// An opened cache directory.
pub(crate) struct Tree {
    pub(crate) sys: Sys,
    pub(crate) uid: u32,
    root: OwnedFd,
    secret: Mutex<Option<Secret>>,
}

impl Tree {
    pub(crate) fn new(sys: Sys, uid: u32, root: OwnedFd, secret: Option<Secret>) -> Self {
        Self {
            sys,
            uid,
            root,
            secret: Mutex::new(secret),
        }
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The key of the keyed hash, as last read. `None` without waiting if another thread is replacing it: a child
    /// forked at that moment must not wait for a thread that it does not have.
    pub(crate) fn secret_key(&self) -> Option<[u8; 32]> {
        self.secret
            .try_lock()
            .ok()
            .and_then(|secret| secret.map(|s| s.key))
    }

    /// Reads the key again; whether it is now another one.
    pub(crate) fn reread_secret(&self) -> bool {
        let Ok(Some(now)) = secret::read(&self.sys, self.root(), self.uid) else {
            return false;
        };
        let mut held = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = held.is_none_or(|held| held.key != now.key);
        *held = Some(now);
        changed
    }

    /// The key that new entries are to be made with: the one on disk, put there if need be.
    pub(crate) fn ensure_secret(&self) -> io::Result<[u8; 32]> {
        let held = *self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = held {
            let unchanged = self
                .sys
                .facts_at(self.root(), path::SECRET)
                .is_ok_and(|f| f.identity == held.file);
            if unchanged {
                return Ok(held.key);
            }
        }
        let now = secret::ensure(&self.sys, self.root(), self.uid, held.map(|held| held.key))?;
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(now.key)
    }

    /// Whether the directory that was opened still has a name.
    pub(crate) fn is_deleted(&self) -> bool {
        self.sys
            .facts(self.root())
            .is_ok_and(|facts| facts.links == 0)
    }

    /// Takes a defective thing away from the path `at`: removes it, or, if it is a directory, moves it aside.
    /// What somebody has replaced since `seen` was read stays.
    pub(crate) fn take_away(&self, at: &str, seen: Option<(u64, u64, i64, u64)>) -> io::Result<()> {
        let facts = match self.sys.facts_at(self.root(), at) {
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        };
        if seen.is_some_and(|seen| seen != facts.identity) {
            return Ok(());
        }
        if facts.kind != FileType::Directory {
            return self.sys.unlink(self.root(), at);
        }
        match self.sys.remove_dir(self.root(), at) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                let aside = crate::disk::sys::random::<10>().map(path::temp)?;
                self.sys.make_dir(self.root(), path::TEMP_DIR)?;
                self.sys.rename(self.root(), at, &aside)
            }
            outcome => outcome,
        }
    }
}
