//! Every system call that the store makes on its directory and on the way to it, and the seam at which tests make each of them fail.
//!
//! Invariants: nothing is ever opened through a symbolic link or blocks on a FIFO; every descriptor closes on exec;
//! `EINTR` and `EAGAIN` are retried a bounded number of times. Paths are relative to a verified directory.

use crate::config::FaultHook;
use rustix::fs::{
    self, Access, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat,
};
use rustix::io::{self, Errno};
use rustix::path::Arg;
use rustix::rand::GetRandomFlags;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Modes that files and directories get, whatever the umask.
pub(crate) const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
pub(crate) const DIR_MODE: Mode = Mode::from_raw_mode(0o700);

const RETRIES: u32 = 8;
const COMMON: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);

/// How a directory on the way to the root is opened.
const STEP: OFlags = COMMON.union(OFlags::RDONLY).union(OFlags::DIRECTORY);

/// Whether the kernel was found to lack `openat2`.
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// The calls, with the hook that fails them in tests.
#[derive(Clone, Default)]
pub(crate) struct Sys {
    faults: Option<FaultHook>,
}

/// Device, inode, and seconds and nanoseconds of the modification time: the same file if these are the same.
pub(crate) type FileIdentity = (u64, u64, i64, u64);

/// What `fstat` says, reduced to what decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileFacts {
    pub(crate) kind: FileType,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) identity: FileIdentity,
    pub(crate) modified_unix_s: i64,
}

impl From<Stat> for FileFacts {
    #[allow(
        clippy::unnecessary_cast,
        reason = "field types differ between platforms"
    )]
    fn from(stat: Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            mode: Mode::from_raw_mode(stat.st_mode).as_raw_mode() as u32,
            uid: stat.st_uid as u32,
            links: stat.st_nlink as u64,
            size: u64::try_from(stat.st_size).unwrap_or(u64::MAX),
            identity: (
                stat.st_dev as u64,
                stat.st_ino as u64,
                stat.st_mtime as i64,
                stat.st_mtime_nsec as u64,
            ),
            modified_unix_s: stat.st_mtime as i64,
        }
    }
}

impl FileFacts {
    /// Whether somebody outside the owner may write.
    pub(crate) fn others_may_write(&self) -> bool {
        self.mode & 0o022 != 0
    }
}

impl std::fmt::Debug for Sys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sys").finish_non_exhaustive()
    }
}

impl Sys {
    pub(crate) fn new(faults: Option<FaultHook>) -> Self {
        Self { faults }
    }

    /// Whether a test wants the process to look as if it had more rights than its user.
    pub(crate) fn told_elevated(&self) -> bool {
        self.told("elevated").is_some()
    }

    /// What a test wants to be seen that no call that fails shows.
    pub(crate) fn told(&self, what: &'static str) -> Option<i32> {
        self.faults.as_ref().and_then(|hook| hook(what))
    }

    /// Runs a call, unless the hook fails it; retries what is worth it.
    fn call<T>(
        &self,
        name: &'static str,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut left = RETRIES;
        loop {
            let injected = self
                .faults
                .as_ref()
                .and_then(|hook| hook(name))
                .map(Errno::from_raw_os_error);
            match injected.map_or_else(&mut call, Err) {
                Err(Errno::INTR | Errno::AGAIN) if left > 0 => left -= 1,
                outcome => return outcome,
            }
        }
    }

    fn open_beneath(
        &self,
        name: &'static str,
        dir: impl AsFd,
        path: &str,
        flags: OFlags,
    ) -> io::Result<OwnedFd> {
        let dir = dir.as_fd();
        self.call(name, || open_beneath(dir, path, flags | COMMON))
    }

    /// Opens a file to read. Never blocks, never follows; the caller checks what it got.
    pub(crate) fn open_read(&self, dir: impl AsFd, path: &str) -> io::Result<OwnedFd> {
        self.open_beneath("open", dir, path, OFlags::RDONLY | OFlags::NONBLOCK)
    }

    /// Opens a regular file for a lock or a hint, making it if it is missing.
    pub(crate) fn open_or_create(&self, dir: impl AsFd, path: &str) -> io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK;
        let fd = self.open_beneath("open_create", dir, path, flags)?;
        let facts = self.facts(&fd)?;
        if facts.kind != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        if facts.mode & 0o777 != FILE_MODE.as_raw_mode() {
            self.chmod(&fd, FILE_MODE)?;
        }
        Ok(fd)
    }

    /// Makes a file that did not exist.
    pub(crate) fn create(&self, dir: impl AsFd, path: &str) -> io::Result<OwnedFd> {
        self.open_beneath(
            "create",
            dir,
            path,
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL,
        )
    }

    /// Opens a directory to list or to work beneath.
    pub(crate) fn open_dir(&self, dir: impl AsFd, path: &str) -> io::Result<OwnedFd> {
        self.open_beneath("open_dir", dir, path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    pub(crate) fn facts(&self, fd: impl AsFd) -> io::Result<FileFacts> {
        self.call("stat", || fs::fstat(fd.as_fd()))
            .map(FileFacts::from)
    }

    pub(crate) fn facts_at(&self, dir: impl AsFd, path: &str) -> io::Result<FileFacts> {
        let (parent, name) = self.parent(dir.as_fd(), path)?;
        let stat = || fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW);
        self.call("stat", stat).map(FileFacts::from)
    }

    /// The directory that a path's last component lies in, reached without following a link: the calls that remove
    /// and rename would follow one on the way.
    fn parent<'d, 'p>(
        &self,
        dir: BorrowedFd<'d>,
        path: &'p str,
    ) -> io::Result<(Parent<'d>, &'p str)> {
        match path.rsplit_once('/') {
            None => Ok((Parent::Given(dir), path)),
            Some((parents, name)) => {
                let flags = OFlags::PATH | OFlags::DIRECTORY;
                let fd = self.open_beneath("open_parent", dir, parents, flags)?;
                Ok((Parent::Opened(fd), name))
            }
        }
    }

    /// Reads up to `size` bytes, or fewer if the file ends before; one allocation of `size`, `ENOMEM` if it is not to be had.
    pub(crate) fn read(&self, fd: impl AsFd, size: usize) -> io::Result<Vec<u8>> {
        self.read_with_room(fd, size, size)
    }

    /// [`Sys::read`] into an allocation of `room`, if that is more. A file that has grown is read on as far as there is room.
    pub(crate) fn read_with_room(
        &self,
        fd: impl AsFd,
        size: usize,
        room: usize,
    ) -> io::Result<Vec<u8>> {
        // One byte more, so that the read that meets the end is the first one.
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(room.max(size.saturating_add(1)))
            .map_err(|_| Errno::NOMEM)?;
        while bytes.len() < size {
            let n = self.call("read", || {
                io::read(fd.as_fd(), rustix::buffer::spare_capacity(&mut bytes))
            })?;
            if n == 0 {
                break;
            }
        }
        Ok(bytes)
    }

    pub(crate) fn write(&self, fd: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.call("write", || io::write(fd.as_fd(), bytes))? {
                0 => return Err(Errno::IO),
                n => bytes = &bytes[n..],
            }
        }
        Ok(())
    }

    /// Reads `N` bytes at an offset, or says `EIO` if the file ends before.
    pub(crate) fn read_at<const N: usize>(&self, fd: impl AsFd, at: u64) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.call("read", || io::pread(fd.as_fd(), &mut bytes, at))? {
            n if n == N => Ok(bytes),
            _ => Err(Errno::IO),
        }
    }

    /// Reads a hint file from its beginning: one byte more than `size`, to tell when it is longer.
    pub(crate) fn read_up_to(&self, fd: impl AsFd, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size + 1];
        let n = self.call("read", || io::pread(fd.as_fd(), &mut bytes[..], 0))?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Writes at an offset of a hint file.
    pub(crate) fn write_at(&self, fd: impl AsFd, bytes: &[u8], at: u64) -> io::Result<()> {
        match self.call("write", || io::pwrite(fd.as_fd(), bytes, at))? {
            n if n == bytes.len() => Ok(()),
            _ => Err(Errno::IO),
        }
    }

    pub(crate) fn chmod(&self, fd: impl AsFd, mode: Mode) -> io::Result<()> {
        self.call("chmod", || fs::fchmod(fd.as_fd(), mode))
    }

    pub(crate) fn rename(&self, dir: impl AsFd, from: &str, to: &str) -> io::Result<()> {
        let (from_dir, from) = self.parent(dir.as_fd(), from)?;
        let (to_dir, to) = self.parent(dir.as_fd(), to)?;
        self.call("rename", || fs::renameat(&from_dir, from, &to_dir, to))
    }

    /// Renames unless something is at `to` already (`EEXIST`).
    pub(crate) fn rename_new(&self, dir: impl AsFd, from: &str, to: &str) -> io::Result<()> {
        let (from_dir, from) = self.parent(dir.as_fd(), from)?;
        let (to_dir, to) = self.parent(dir.as_fd(), to)?;
        let rename = || fs::renameat_with(&from_dir, from, &to_dir, to, RenameFlags::NOREPLACE);
        match self.call("rename", rename) {
            // Not every file system can do this in one step; a link fails on what exists, as well.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let link = || fs::linkat(&from_dir, from, &to_dir, to, AtFlags::empty());
                self.call("link", link)?;
                self.call("unlink", || fs::unlinkat(&from_dir, from, AtFlags::empty()))
            }
            outcome => outcome,
        }
    }

    /// Whether one may make something in a directory.
    pub(crate) fn may_write_in(&self, dir: impl AsFd, path: impl Arg + Copy) -> io::Result<()> {
        let wanted = Access::WRITE_OK | Access::EXEC_OK;
        self.call("access", || {
            fs::accessat(dir.as_fd(), path, wanted, AtFlags::empty())
        })
    }

    pub(crate) fn unlink(&self, dir: impl AsFd, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(dir.as_fd(), path)?;
        self.call("unlink", || fs::unlinkat(&parent, name, AtFlags::empty()))
    }

    /// Removes a directory if it is empty.
    pub(crate) fn remove_dir(&self, dir: impl AsFd, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(dir.as_fd(), path)?;
        self.call("remove_dir", || {
            fs::unlinkat(&parent, name, AtFlags::REMOVEDIR)
        })
    }

    /// Makes a directory that only its owner may use; whatever exists there is left.
    pub(crate) fn make_dir(&self, dir: impl AsFd, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(dir.as_fd(), path)?;
        match self.call("mkdir", || fs::mkdirat(&parent, name, DIR_MODE)) {
            // A umask can take more than wanted; it never adds, so there is no moment of too much access. Nobody else
            // can have put a link in place of what was just made: the parent was verified.
            Ok(()) => {
                let chmod = || fs::chmodat(&parent, name, DIR_MODE, AtFlags::empty());
                self.call("chmod", chmod)
            }
            Err(Errno::EXIST) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// The names in a directory, `.` and `..` left out; names that are not text are left out too: none is ours.
    pub(crate) fn names(&self, dir: impl AsFd, path: &str) -> io::Result<Vec<String>> {
        let fd = self.open_dir(dir, path)?;
        let mut listing = self.call("list", || Dir::read_from(&fd))?;
        let mut names = Vec::new();
        while let Some(entry) = self.call("readdir", || listing.next().transpose())? {
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        Ok(names)
    }

    /// [`Sys::names`], none if there is no such directory.
    pub(crate) fn names_if_any(&self, dir: impl AsFd, path: &str) -> io::Result<Vec<String>> {
        match self.names(dir, path) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(Vec::new()),
            outcome => outcome,
        }
    }

    /// Takes the lock of an open file; whether it was to be had. An error says that there are no locks here.
    pub(crate) fn try_lock(&self, file: impl AsFd) -> io::Result<bool> {
        let lock = || match fs::flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(other) => Err(other),
        };
        self.call("lock", lock)
    }

    /// Gives a lock up for every process that has the same file open, which closing it would not.
    pub(crate) fn unlock(&self, file: impl AsFd) {
        let unlock = || fs::flock(file.as_fd(), FlockOperation::Unlock);
        let _closing_gives_it_up_too = self.call("unlock", unlock);
    }

    /// Fails where a test wants no thread to be had.
    pub(crate) fn may_start_thread(&self) -> io::Result<()> {
        self.call("thread", || Ok(()))
    }

    /// Random bytes from the system, or, where a test wants names that it knows, all the same.
    pub(crate) fn random<const N: usize>(&self) -> io::Result<[u8; N]> {
        if let Some(byte) = self.told("not_random") {
            return Ok([byte.to_le_bytes()[0]; N]);
        }
        let mut bytes = [0; N];
        let fill = || rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty());
        match self.call("random", fill)? {
            n if n == N => Ok(bytes),
            _ => Err(Errno::IO),
        }
    }

    /// What lies at a step of the way to the root: a link is not followed.
    pub(crate) fn facts_of_step(&self, dir: impl AsFd, name: &OsStr) -> io::Result<FileFacts> {
        let stat = || fs::statat(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW);
        self.call("walk_stat", stat).map(FileFacts::from)
    }

    /// Opens the next directory on the way to the root; `only_to_pass` if it can't be listed.
    pub(crate) fn open_step(
        &self,
        dir: impl AsFd,
        name: &OsStr,
        only_to_pass: bool,
    ) -> io::Result<OwnedFd> {
        let flags = match only_to_pass {
            true => STEP | OFlags::PATH,
            false => STEP,
        };
        let open = || fs::openat(dir.as_fd(), name, flags, Mode::empty());
        self.call("walk_open", open)
    }

    /// The beginning of every way.
    pub(crate) fn open_slash(&self) -> io::Result<OwnedFd> {
        self.call("walk_open", || fs::open("/", STEP, Mode::empty()))
    }

    /// Where a symbolic link on the way leads.
    pub(crate) fn target_of_step(&self, dir: impl AsFd, name: &OsStr) -> io::Result<OsString> {
        let target = self.call("walk_link", || {
            fs::readlinkat(dir.as_fd(), name, Vec::new())
        })?;
        Ok(OsString::from_vec(target.into_bytes()))
    }
}

/// A directory that was given, or one opened beneath it.
enum Parent<'d> {
    Given(BorrowedFd<'d>),
    Opened(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Given(fd) => *fd,
            Self::Opened(fd) => fd.as_fd(),
        }
    }
}

/// `open` that no symbolic link on the path can divert: in one call where the kernel can, else step by step.
fn open_beneath(dir: BorrowedFd<'_>, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let mode = if flags.contains(OFlags::CREATE) {
        FILE_MODE
    } else {
        Mode::empty()
    };
    #[cfg(target_os = "linux")]
    if !NO_OPENAT2.load(Relaxed) {
        let resolve = fs::ResolveFlags::BENEATH | fs::ResolveFlags::NO_SYMLINKS;
        match fs::openat2(dir, path, flags, mode, resolve) {
            // A sandbox may refuse a call that it does not know.
            Err(Errno::NOSYS | Errno::PERM) => {
                let opened = open_stepwise(dir, path, flags, mode);
                NO_OPENAT2.store(opened.is_ok(), Relaxed);
                return opened;
            }
            outcome => return outcome,
        }
    }
    open_stepwise(dir, path, flags, mode)
}

fn open_stepwise(
    dir: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let Some((parents, name)) = path.rsplit_once('/') else {
        return fs::openat(dir, path, flags, mode);
    };
    let mut at = None;
    for part in parents.split('/') {
        let from = at.as_ref().map_or(dir, AsFd::as_fd);
        at = Some(fs::openat(from, part, STEP, Mode::empty())?);
    }
    fs::openat(at.as_ref().map_or(dir, AsFd::as_fd), name, flags, mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_06_memory_that_is_not_to_be_had_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        let sys = Sys::default();
        for size in [1 << 60, usize::MAX / 2, usize::MAX] {
            assert_eq!(sys.read(&file, size), Err(Errno::NOMEM), "{size}");
        }
    }

    #[test]
    fn a_path_is_opened_step_by_step_without_following_links() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        std::fs::write(temp.path().join("real/file"), b"x").unwrap();
        std::os::unix::fs::symlink("real", temp.path().join("link")).unwrap();
        let dir = std::fs::File::open(temp.path()).unwrap();
        let flags = COMMON | OFlags::RDONLY;
        assert!(open_stepwise(dir.as_fd(), "real/file", flags, Mode::empty()).is_ok());
        assert!(open_stepwise(dir.as_fd(), "link/file", flags, Mode::empty()).is_err());
        assert!(open_beneath(dir.as_fd(), "link/file", flags).is_err());
        assert!(open_beneath(dir.as_fd(), "../file", flags).is_err());
    }
}
