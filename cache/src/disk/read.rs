//! Reading one entry: one open, one `fstat`, one read, one keyed hash, then the comparisons.
//!
//! Invariants: nothing is allocated before the file's size was checked against the cap; nothing of a file is believed
//! before its hash; the bytes that were verified are the bytes that are returned, whatever happens to the file
//! meanwhile. No lock is waited for.

use crate::disk::format::{self, Verified};
use crate::disk::metadata::{self, Metadata};
use crate::disk::sys::{FileFacts, FileIdentity};
use crate::disk::tree::Tree;
use crate::disk::{Table, path};
use crate::error::Miss;
use crate::key::Key;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A file server may show a new name before its bytes; how long to wait for them, and how often.
const EMPTY_RETRIES: u32 = 2;
const EMPTY_WAIT: Duration = Duration::from_millis(2);
const STALE_RETRIES: u32 = 2;

/// Whether to look again at a file that is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// It is what somebody asked for, and may be whole in a moment.
    Wait,
    /// It is one of many that are listed: told as it is.
    Tell,
}

/// What the caller knows of the preimage; a file made from any other is not an answer.
#[derive(Clone, Copy, Debug)]
pub enum Expect<'a> {
    /// The preimage itself.
    Preimage(&'a [u8]),
    /// The BLAKE3 hash of the preimage.
    PreimageDigest([u8; 32]),
}

/// A verified entry. Owns its bytes: it stays valid whatever becomes of the file.
#[derive(Clone)]
pub struct Entry {
    file: Vec<u8>,
    parts: Verified,
    preimage: std::ops::Range<usize>,
    slot: u8,
}

impl Entry {
    /// The payload: exactly the bytes that were published.
    pub fn payload(&self) -> &[u8] {
        &self.file[self.parts.payload.clone()]
    }

    /// The preimage of the key.
    pub fn preimage(&self) -> &[u8] {
        &self.file[self.preimage.clone()]
    }

    /// What the payload was made from, for people: the label of its metadata.
    pub fn label(&self) -> &str {
        self.view().label
    }

    /// The metadata, parsed once already when the entry was made, so they parse.
    fn view(&self) -> metadata::View<'_> {
        self.parts.metadata(&self.file).unwrap_or_default()
    }

    /// What the entry says of itself.
    pub fn metadata(&self) -> Metadata {
        self.view().to_metadata(self.parts.trailer.cost_ns)
    }

    /// Length of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.file.len() as u64
    }

    /// How long it took to make the payload; of a shortcut, to parse what it leads past.
    pub fn compile_time(&self) -> Duration {
        Duration::from_nanos(self.cost_ns())
    }

    pub(crate) fn cost_ns(&self) -> u64 {
        self.parts.trailer.cost_ns
    }

    pub(crate) fn slot(&self) -> u8 {
        self.slot
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("file_bytes", &self.file.len())
            .finish_non_exhaustive()
    }
}

/// A miss, and which file was at fault, as it was when it was read.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) miss: Miss,
    pub(crate) file: Option<FileIdentity>,
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        Self { miss, file: None }
    }
}

/// The whole file at a path, as far as its kind, owner and size allow.
fn read_file(tree: &Tree, at: &str, bytes_max: u64) -> Result<(Vec<u8>, FileIdentity), Failure> {
    let fd = tree
        .sys
        .open_read(tree.root(), at)
        .map_err(|errno| match errno {
            Errno::NOENT => Miss::Absent,
            // A symbolic link; a socket or a device without a driver.
            Errno::LOOP | Errno::NXIO | Errno::NODEV => Miss::NotRegular,
            // The shard itself is not a directory: then there is no entry in it.
            Errno::NOTDIR => Miss::Absent,
            other => Miss::Io(other.kind()),
        })?;
    let io = |errno: Errno| Failure::from(Miss::Io(errno.kind()));
    let facts = tree.sys.facts(&fd).map_err(io)?;
    let fail = |miss| Failure {
        miss,
        file: Some(facts.identity),
    };
    if facts.kind != FileType::RegularFile {
        return Err(fail(Miss::NotRegular));
    }
    // No link at all is fine: replaced a moment ago, and still whole.
    let linked = facts.links > 1 && !(facts.links == 2 && is_being_moved(tree, &fd, &facts));
    if facts.uid != tree.uid || linked {
        return Err(fail(Miss::Foreign));
    }
    if facts.size > bytes_max {
        return Err(fail(Miss::TooLarge));
    }
    let size = usize::try_from(facts.size).map_err(|_| fail(Miss::TooLarge))?;
    let room = format::capacity(size);
    let file = tree.sys.read_with_room(&fd, size, room).map_err(io)?;
    if file.len() < size {
        return Err(fail(Miss::Truncated));
    }
    Ok((file, facts.identity))
}

/// Whether the second name of a file is one of ours: where a file can't be renamed without replacing, it has two for a moment, or for
/// longer if its writer was killed.
fn is_being_moved(tree: &Tree, fd: &OwnedFd, facts: &FileFacts) -> bool {
    let (device, inode, ..) = facts.identity;
    let names = tree.sys.names_if_any(tree.root(), path::TEMP_DIR);
    let names = names.unwrap_or_default();
    let among_ours = names.iter().filter(|name| path::is_temp(name)).any(|name| {
        let at = format!("{}/{name}", path::TEMP_DIR);
        let found = tree.sys.facts_at(tree.root(), &at);
        found.is_ok_and(|found| (found.identity.0, found.identity.1) == (device, inode))
    });
    // If it went before it was looked for, the file has one name now.
    among_ours || tree.sys.facts(fd).is_ok_and(|now| now.links <= 1)
}

/// [`read_file`], again for what passes by itself on network file systems: empty files, if they are waited for, and stale handles.
fn read_file_patiently(
    tree: &Tree,
    at: &str,
    bytes_max: u64,
    empty: Empty,
) -> Result<(Vec<u8>, FileIdentity), Failure> {
    let mut empty_left = match empty {
        Empty::Wait => EMPTY_RETRIES,
        Empty::Tell => 0,
    };
    let mut stale_left = STALE_RETRIES;
    loop {
        match read_file(tree, at, bytes_max) {
            Ok((file, _)) if file.is_empty() && empty_left > 0 => {
                empty_left -= 1;
                std::thread::sleep(EMPTY_WAIT);
            }
            Err(Failure {
                miss: Miss::Io(std::io::ErrorKind::StaleNetworkFileHandle),
                ..
            }) if stale_left > 0 => {
                stale_left -= 1;
            }
            outcome => return outcome,
        }
    }
}

/// Reads and verifies what lies under one name, without asking what it was made from.
pub(crate) fn read_slot(
    tree: &Tree,
    table: Table,
    key: &Key,
    slot: u8,
    bytes_max: u64,
    empty: Empty,
) -> Result<Entry, Failure> {
    let at = path::entry(table, key, slot);
    let (mut file, identity) = read_file_patiently(tree, &at, bytes_max, empty)?;
    let fail = |miss| Failure {
        miss,
        file: Some(identity),
    };
    let secret = tree.known_secret().ok_or(Miss::NoSecret)?;
    let parts = match format::verify(&mut file, &secret) {
        // Another process may have replaced the key since it was read.
        Err(Miss::BadMac) if tree.reread_secret() => {
            let secret = tree.secret_key().ok_or(Miss::NoSecret)?;
            format::verify(&mut file, &secret)
        }
        outcome => outcome,
    };
    let parts = parts.map_err(fail)?;
    parts.matches(table, key).map_err(fail)?;
    let view = parts.metadata(&file).map_err(fail)?;
    let start = parts.metadata.start + view.preimage_at;
    let preimage = start..start + view.preimage.len();
    Ok(Entry {
        file,
        parts,
        preimage,
        slot,
    })
}

/// Reads the entry for a key and a preimage, wherever among the slots it lies.
/// A failure comes with the slot it is about.
pub(crate) fn find(
    tree: &Tree,
    table: Table,
    key: &Key,
    expect: Expect<'_>,
    bytes_max: u64,
) -> Result<Entry, (u8, Failure)> {
    let mut first_failure = None;
    for slot in 0..path::SLOTS {
        match read_slot(tree, table, key, slot, bytes_max, Empty::Wait) {
            Ok(entry) if entry.made_from(expect) => return Ok(entry),
            Ok(_) => {
                first_failure.get_or_insert((slot, Miss::PreimageDiffers.into()));
            }
            Err(failure) if failure.miss.is_defect() => return Err((slot, failure)),
            // Slots are filled in order; past an absent one there is nothing.
            Err(failure) => return Err(first_failure.unwrap_or((slot, failure))),
        }
    }
    Err(first_failure.unwrap_or((0, Miss::Absent.into())))
}

impl Entry {
    pub(crate) fn made_from(&self, expect: Expect<'_>) -> bool {
        match expect {
            Expect::Preimage(bytes) => self.preimage() == bytes,
            Expect::PreimageDigest(digest) => self.parts.trailer.preimage_digest == digest,
        }
    }

    /// Whether it needs a feature that the host lacks.
    pub(crate) fn lacks_feature(&self, host_has: &dyn Fn(&str) -> bool) -> bool {
        let raw = &self.file[self.parts.metadata.clone()];
        metadata::features(raw).any(|feature| !host_has(feature))
    }
}
