//! The per-user key of the keyed hash: how it is kept, made, agreed upon and replaced.
//!
//! Invariants: the file is 0600 and complete from the moment it has its name; of processes that make it at once, one
//! wins and the others read it; a file that is damaged, or was open to others, is replaced, and then every entry misses
//! once. A process notices a replacement the next time a hash fails, or before it writes.

use crate::disk::path;
use crate::disk::sys::{FILE_MODE, FileIdentity, Sys};
use rustix::fs::FileType;
use rustix::io::{self, Errno};
use std::os::fd::BorrowedFd;

pub(crate) const SECRET_MAGIC: [u8; 8] = *b"parkey\x1a\x01";
pub(crate) const SECRET_KEY_AT: usize = 8; // 32 bytes
pub(crate) const SECRET_CHECK_AT: usize = 40; // first 16 bytes of the BLAKE3 hash of the bytes before it
pub(crate) const SECRET_LEN: usize = 56;
const CHECK_LEN: usize = SECRET_LEN - SECRET_CHECK_AT;

const ATTEMPTS: u32 = 8;

/// The key, and which file it was read from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) key: [u8; 32],
    pub(crate) file: FileIdentity,
}

/// What lies where the key should.
enum Found {
    Good(Secret),
    Nothing,
    /// Not usable as it is, with the identity of what was seen.
    Damaged(FileIdentity),
}

fn encode(key: &[u8; 32]) -> [u8; SECRET_LEN] {
    let mut file = [0; SECRET_LEN];
    file[..SECRET_KEY_AT].copy_from_slice(&SECRET_MAGIC);
    file[SECRET_KEY_AT..SECRET_CHECK_AT].copy_from_slice(key);
    let check = blake3::hash(&file[..SECRET_CHECK_AT]);
    file[SECRET_CHECK_AT..].copy_from_slice(&check.as_bytes()[..CHECK_LEN]);
    file
}

fn decode(file: &[u8]) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    key.copy_from_slice(file.get(SECRET_KEY_AT..SECRET_CHECK_AT)?);
    (file == encode(&key)).then_some(key)
}

fn find(sys: &Sys, root: BorrowedFd<'_>, uid: u32) -> io::Result<Found> {
    let fd = match sys.open_read(root, path::SECRET) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(Found::Nothing),
        // A symbolic link, or a socket.
        Err(Errno::LOOP | Errno::NXIO) => {
            return Ok(Found::Damaged(sys.facts_at(root, path::SECRET)?.identity));
        }
        Err(other) => return Err(other),
    };
    let facts = sys.facts(&fd)?;
    let sound = facts.kind == FileType::RegularFile
        && facts.uid == uid
        && facts.mode & 0o077 == 0
        && facts.size == SECRET_LEN as u64;
    if !sound {
        return Ok(Found::Damaged(facts.identity));
    }
    let key = decode(&sys.read(&fd, SECRET_LEN)?);
    Ok(key.map_or(Found::Damaged(facts.identity), |key| {
        Found::Good(Secret {
            key,
            file: facts.identity,
        })
    }))
}

/// The key, if there is a sound one.
pub(crate) fn read(sys: &Sys, root: BorrowedFd<'_>, uid: u32) -> io::Result<Option<Secret>> {
    find(sys, root, uid).map(|found| match found {
        Found::Good(secret) => Some(secret),
        Found::Nothing | Found::Damaged(_) => None,
    })
}

/// The key; made or replaced if there is no sound one. `known` is written again if the file merely vanished, so that
/// entries published by this process stay readable to it.
pub(crate) fn ensure(
    sys: &Sys,
    root: BorrowedFd<'_>,
    uid: u32,
    known: Option<[u8; 32]>,
) -> io::Result<Secret> {
    for _ in 0..ATTEMPTS {
        let key = match find(sys, root, uid)? {
            Found::Good(secret) => return Ok(secret),
            Found::Nothing => known.map_or_else(|| sys.random::<32>(), Ok)?,
            Found::Damaged(seen) => {
                take_away(sys, root, seen)?;
                sys.random::<32>()?
            }
        };
        write(sys, root, &key)?;
    }
    Err(Errno::BUSY)
}

/// Takes away what lies where the key should, unless somebody has replaced it since it was seen.
fn take_away(sys: &Sys, root: BorrowedFd<'_>, seen: FileIdentity) -> io::Result<()> {
    match sys.facts_at(root, path::SECRET) {
        Ok(facts) if facts.identity == seen && facts.kind == FileType::Directory => {
            sys.rename(root, path::SECRET, &temp_name(sys)?)
        }
        Ok(facts) if facts.identity == seen => sys.unlink(root, path::SECRET),
        Ok(_) | Err(Errno::NOENT) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Writes a key file under a temporary name and gives it its own, unless another process was first.
fn write(sys: &Sys, root: BorrowedFd<'_>, key: &[u8; 32]) -> io::Result<()> {
    let temp = temp_name(sys)?;
    let outcome =
        write_temp(sys, root, &temp, key).and_then(|()| sys.rename_new(root, &temp, path::SECRET));
    match outcome {
        Ok(()) => Ok(()),
        Err(errno) => {
            // Best effort: what is left is swept with the other temporary files.
            let _left_to_the_sweep = sys.unlink(root, &temp);
            if errno == Errno::EXIST {
                Ok(())
            } else {
                Err(errno)
            }
        }
    }
}

fn write_temp(sys: &Sys, root: BorrowedFd<'_>, temp: &str, key: &[u8; 32]) -> io::Result<()> {
    sys.make_dir(root, path::VERSION_DIR)?;
    sys.make_dir(root, path::TEMP_DIR)?;
    let fd = sys.create(root, temp)?;
    sys.chmod(&fd, FILE_MODE)?;
    sys.write(&fd, &encode(key))
}

fn temp_name(sys: &Sys) -> io::Result<String> {
    sys.random::<10>().map(path::temp)
}
