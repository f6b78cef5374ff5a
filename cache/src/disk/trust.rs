//! Whether a directory may be trusted, decided on descriptors from the file system's root downwards.
//!
//! Invariant: of every directory on the way, only its owner, who is root or this user, can change what the next step
//! finds. Symbolic links are followed only where root or this user planted them. What was checked is what is held open,
//! so that a directory swapped later changes nothing.

use crate::disk::metadata::escaped;
use crate::disk::sys::{FileFacts, Sys};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

const LINKS_MAX: u32 = 40;
const STICKY: u32 = 0o1000;

/// Why a directory is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The directory or one above it belongs to somebody else.
    #[error("{} belongs to user {owner}", shown(.path))]
    ForeignOwner {
        /// The component.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The directory or one above it can be written by others.
    #[error("{} can be written by others (mode {mode:04o})", shown(.path))]
    WritableByOthers {
        /// The component.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A symbolic link on the way belongs to somebody else, or there are too many.
    #[error("{} is a symbolic link that is not to be followed", shown(.path))]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// A component is neither a directory nor a link to one.
    #[error("{} is not a directory", shown(.path))]
    NotADirectory {
        /// The component.
        path: PathBuf,
    },
    /// The path is empty or can not be made absolute.
    #[error("the path {} can not be used", shown(.path))]
    BadPath {
        /// The path as given.
        path: PathBuf,
    },
    /// The process runs with more rights than the user who started it.
    #[error("the process has more rights than its user")]
    Elevated,
    /// A system call failed.
    #[error("{}: {kind}", shown(.path))]
    Io {
        /// The component.
        path: PathBuf,
        /// What failed.
        kind: std::io::ErrorKind,
    },
}

fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// The user that files must belong to.
pub(crate) fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether the process was given rights that its user does not have.
pub(crate) fn elevated() -> bool {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    getuid() != geteuid() || getgid() != getegid() || kernel_says_secure()
}

/// `AT_SECURE` of the auxiliary vector: also true for file capabilities, which no user id shows.
fn kernel_says_secure() -> bool {
    const AT_SECURE: usize = 23;
    const WORD: usize = size_of::<usize>();
    let Ok(vector) = std::fs::read("/proc/self/auxv") else {
        return false;
    };
    vector
        .as_chunks::<WORD>()
        .0
        .as_chunks::<2>()
        .0
        .iter()
        .any(|[tag, value]| {
            usize::from_ne_bytes(*tag) == AT_SECURE && usize::from_ne_bytes(*value) != 0
        })
}

/// A verified directory.
pub(crate) struct Opened {
    pub(crate) fd: OwnedFd,
    pub(crate) path: PathBuf,
}

/// Opens the directory at `path`, making what is missing if `create`, and checks every component on the way.
pub(crate) fn open_verified(
    sys: &Sys,
    path: &Path,
    uid: u32,
    create: bool,
) -> Result<Opened, Refusal> {
    let bad = || Refusal::BadPath {
        path: path.to_owned(),
    };
    let absolute = std::path::absolute(path).map_err(|_| bad())?;
    let mut walk = Walk::start(sys, uid, create)?;
    walk.push_front(&absolute);
    while let Some(name) = walk.pending.pop_front() {
        walk.step(&name)?;
    }
    let facts = walk.facts_of_current()?;
    // The directory itself must be this user's, not only trustworthy.
    if facts.uid != uid {
        return Err(Refusal::ForeignOwner {
            path: walk.path,
            owner: facts.uid,
        });
    }
    if facts.others_may_write() {
        return Err(Refusal::WritableByOthers {
            path: walk.path,
            mode: facts.mode & 0o7777,
        });
    }
    if walk.path.parent().is_none() {
        return Err(bad());
    }
    Ok(Opened {
        fd: walk.current,
        path: walk.path,
    })
}

struct Walk<'a> {
    sys: &'a Sys,
    uid: u32,
    create: bool,
    current: OwnedFd,
    path: PathBuf,
    pending: VecDeque<OsString>,
    links: u32,
}

impl<'a> Walk<'a> {
    fn start(sys: &'a Sys, uid: u32, create: bool) -> Result<Self, Refusal> {
        let path = PathBuf::from("/");
        let current = sys.open_slash().map_err(|e| Refusal::Io {
            path: path.clone(),
            kind: e.kind(),
        })?;
        let walk = Self {
            sys,
            uid,
            create,
            current,
            path,
            pending: VecDeque::new(),
            links: 0,
        };
        walk.facts_of_current()?;
        Ok(walk)
    }

    /// Puts the components of a path before those still to walk.
    fn push_front(&mut self, path: &Path) {
        for part in path.components().rev() {
            match part {
                Component::Normal(name) => self.pending.push_front(name.to_owned()),
                Component::ParentDir => self.pending.push_front(OsString::from("..")),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
    }

    fn io(&self, name: &OsStr, errno: Errno) -> Refusal {
        Refusal::Io {
            path: self.path.join(name),
            kind: errno.kind(),
        }
    }

    /// Goes from a verified directory to the next component, and verifies that.
    fn step(&mut self, name: &OsStr) -> Result<(), Refusal> {
        let facts = match self.sys.facts_of_step(&self.current, name) {
            Err(Errno::NOENT) if self.create => {
                let name_text = name.to_str().ok_or_else(|| Refusal::BadPath {
                    path: self.path.join(name),
                })?;
                self.sys
                    .make_dir(&self.current, name_text)
                    .map_err(|e| self.io(name, e))?;
                None
            }
            Err(errno) => return Err(self.io(name, errno)),
            Ok(facts) => Some(facts),
        };
        match facts.map(|f| (f.kind, f.uid)) {
            Some((FileType::Symlink, owner)) => self.follow(name, owner),
            Some((FileType::Directory, _)) | None => self.enter(name),
            Some(_) => Err(Refusal::NotADirectory {
                path: self.path.join(name),
            }),
        }
    }

    fn follow(&mut self, name: &OsStr, owner: u32) -> Result<(), Refusal> {
        let path = self.path.join(name);
        self.links += 1;
        if self.links > LINKS_MAX || !self.trusted(owner) {
            return Err(Refusal::SymbolicLink { path });
        }
        let target = self.sys.target_of_step(&self.current, name);
        let target = PathBuf::from(target.map_err(|e| self.io(name, e))?);
        if target.is_absolute() {
            self.current = self.sys.open_slash().map_err(|e| self.io(name, e))?;
            self.path = PathBuf::from("/");
        }
        self.push_front(&target);
        Ok(())
    }

    fn enter(&mut self, name: &OsStr) -> Result<(), Refusal> {
        // `NOFOLLOW`: what was a directory a moment ago must still be one.
        let open = |only_to_pass| self.sys.open_step(&self.current, name, only_to_pass);
        let next = open(false).or_else(|errno| match errno {
            // A directory that may be passed but not listed.
            Errno::ACCESS if !self.pending.is_empty() => open(true),
            other => Err(other),
        });
        self.current = next.map_err(|e| self.io(name, e))?;
        if name.as_bytes() == b".." {
            self.path.pop();
        } else {
            self.path.push(name);
        }
        self.facts_of_current().map(|_| ())
    }

    /// Checks the directory that the walk stands in.
    fn facts_of_current(&self) -> Result<FileFacts, Refusal> {
        let facts = self.sys.facts(&self.current).map_err(|e| Refusal::Io {
            path: self.path.clone(),
            kind: e.kind(),
        })?;
        if !self.trusted(facts.uid) {
            return Err(Refusal::ForeignOwner {
                path: self.path.clone(),
                owner: facts.uid,
            });
        }
        if facts.others_may_write() && facts.mode & STICKY == 0 {
            return Err(Refusal::WritableByOthers {
                path: self.path.clone(),
                mode: facts.mode & 0o7777,
            });
        }
        Ok(facts)
    }

    fn trusted(&self, owner: u32) -> bool {
        owner == 0 || owner == self.uid
    }
}
