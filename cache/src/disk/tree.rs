//! A verified, opened cache directory with its secret: what reading and writing go through.
//!
//! Invariant: the descriptor was verified component by component; every path is taken relative to it. A tree whose
//! directory was deleted is not repaired but opened anew by the store.

use crate::disk::path;
use crate::disk::secret::{self, Secret};
use crate::disk::sys::{FileIdentity, Sys};
use rustix::fs::FileType;
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{PoisonError, RwLock};

/// An opened cache directory.
pub(crate) struct Tree {
    pub(crate) sys: Sys,
    pub(crate) uid: u32,
    root: OwnedFd,
    secret: RwLock<Option<Secret>>,
}

impl Tree {
    pub(crate) fn new(sys: Sys, uid: u32, root: OwnedFd, secret: Option<Secret>) -> Self {
        Self {
            sys,
            uid,
            root,
            secret: RwLock::new(secret),
        }
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The key of the keyed hash, as last read. The lock is only ever held to copy it.
    pub(crate) fn secret_key(&self) -> Option<[u8; 32]> {
        self.held().map(|secret| secret.key)
    }

    /// The same, or, where none was to be had so far, the one that another process has made since.
    pub(crate) fn known_secret(&self) -> Option<[u8; 32]> {
        self.secret_key().or_else(|| {
            self.reread_secret();
            self.secret_key()
        })
    }

    fn held(&self) -> Option<Secret> {
        *self.secret.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, secret: Secret) {
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }

    /// Reads the key again; whether it is now another one.
    pub(crate) fn reread_secret(&self) -> bool {
        let Ok(Some(now)) = secret::read(&self.sys, self.root(), self.uid) else {
            return false;
        };
        let changed = self.held().is_none_or(|held| held.key != now.key);
        self.hold(now);
        changed
    }

    /// The key that new entries are to be made with: the one on disk, put there if need be.
    pub(crate) fn ensure_secret(&self) -> io::Result<[u8; 32]> {
        let held = self.held();
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
        self.hold(now);
        Ok(now.key)
    }

    /// Whether the directory that was opened still has a name.
    pub(crate) fn is_deleted(&self) -> bool {
        self.sys
            .facts(self.root())
            .is_ok_and(|facts| facts.links == 0)
    }

    /// Makes directories of ours, each beneath the one before. Anything else that lies there is taken away first.
    pub(crate) fn make_dirs(&self, paths: &[&str]) -> io::Result<()> {
        for at in paths {
            self.sys.make_dir(self.root(), at)?;
            if self.sys.facts_at(self.root(), at)?.kind != FileType::Directory {
                self.sys.unlink(self.root(), at)?;
                self.sys.make_dir(self.root(), at)?;
            }
        }
        Ok(())
    }

    /// Opens a hint or a lock file, made if it is missing, in the directory `of`. Whatever else lies in the place of either is taken away
    /// first, but for a directory that is not empty.
    pub(crate) fn open_file(&self, of: &str, at: &str) -> io::Result<OwnedFd> {
        match self.sys.open_or_create(self.root(), at) {
            // A link, a directory, a FIFO or a socket; or the directory is none.
            Err(
                Errno::NOTDIR
                | Errno::LOOP
                | Errno::ISDIR
                | Errno::INVAL
                | Errno::NXIO
                | Errno::NODEV,
            ) => {
                self.make_dirs(&[path::VERSION_DIR, of])?;
                match self.sys.facts_at(self.root(), at).map(|facts| facts.kind) {
                    Ok(FileType::RegularFile) | Err(Errno::NOENT) => {}
                    Ok(FileType::Directory) => self.sys.remove_dir(self.root(), at)?,
                    Ok(_) => self.sys.unlink(self.root(), at)?,
                    Err(other) => return Err(other),
                }
                self.sys.open_or_create(self.root(), at)
            }
            outcome => outcome,
        }
    }

    /// Takes a defective thing away from the path `at`: removes it, or, if it is a directory, moves it aside.
    /// What somebody has replaced since `seen` was read stays.
    pub(crate) fn take_away(&self, at: &str, seen: Option<FileIdentity>) -> io::Result<()> {
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
                let aside = self.sys.random::<10>().map(path::temp)?;
                self.make_dirs(&[path::VERSION_DIR, path::TEMP_DIR])?;
                self.sys.rename(self.root(), at, &aside)
            }
            outcome => outcome,
        }
    }
}
