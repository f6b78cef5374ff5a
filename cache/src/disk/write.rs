//! Writing one entry: a temporary file with a random name, then a rename.
//!
//! Invariants: a name never shows a file that is not whole (the keyed hash catches what a power cut tears); a sound
//! entry of the same preimage is not written again; when anything fails, no temporary file is left behind if it can be
//! removed, and nothing else has changed. Runs on the background thread.

use crate::disk::format::{self, Content};
use crate::disk::metadata::{Metadata, unix_now};
use crate::disk::read::{Empty, Expect, read_slot};
use crate::disk::sys::FILE_MODE;
use crate::disk::tree::Tree;
use crate::disk::{Table, path};
use crate::error::Miss;
use crate::key::Key;
use rustix::io::{self, Errno};
use std::sync::Arc;

/// How often a rename is tried again because another process published meanwhile.
const ATTEMPTS: u32 = 4;

/// What is to be kept under a key.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The payload; the file begins with exactly these bytes.
    pub payload: Arc<[u8]>,
    /// The preimage of the key.
    pub preimage: Arc<[u8]>,
    /// What the entry says of itself.
    pub metadata: Metadata,
}

impl Publication {
    /// Bytes held in memory while the publication waits.
    pub(crate) fn size_bytes(&self) -> u64 {
        (self.payload.len() + self.preimage.len()) as u64
    }
}

/// Bounds and manner of writing.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) file_bytes_max: u64,
    pub(crate) read_bytes_max: u64,
    /// Replace a sound entry too.
    pub(crate) replace: bool,
    /// Whether to add a file of so many bytes.
    pub(crate) admits: &'a dyn Fn(u64) -> bool,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) done: Done,
    /// A sound entry of the same preimage had another payload.
    pub(crate) differed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// A file of this many bytes is in place; it replaced one of `replaced` bytes, if any.
    Written { bytes: u64, replaced: Option<u64> },
    /// There was a sound entry already.
    Present,
    /// The file would be larger than allowed.
    OverLimit,
    /// There is no room for it, and it is not worth making some.
    NotWorth,
}

/// Where to write, as far as one could see.
struct Place {
    slot: u8,
    occupied: bool,
    /// A sound entry of the same preimage lies there: whether its payload is the same.
    same_payload: Option<bool>,
}

/// Writes one entry, unless a sound one of the same preimage is in place.
pub(crate) fn write_entry(
    tree: &Tree,
    table: Table,
    key: &Key,
    publication: &Publication,
    rules: Rules<'_>,
) -> io::Result<Outcome> {
    let file = encode(tree, table, key, publication)?;
    let bytes = file.len() as u64;
    if bytes > rules.file_bytes_max {
        return Ok(Outcome {
            done: Done::OverLimit,
            differed: false,
        });
    }
    let mut temp: Option<Temp<'_>> = None;
    for attempt in 1.. {
        let place = find_place(tree, table, key, publication, rules.read_bytes_max);
        let differed = place.same_payload == Some(false);
        if place.same_payload.is_some() && !rules.replace {
            return Ok(Outcome {
                done: Done::Present,
                differed,
            });
        }
        if attempt == 1 && !place.occupied && !(rules.admits)(bytes) {
            return Ok(Outcome {
                done: Done::NotWorth,
                differed,
            });
        }
        let written = match temp.take() {
            Some(temp) => temp,
            None => Temp::write(tree, &file)?,
        };
        let at = path::entry(table, key, place.slot);
        let over = place.occupied || attempt == ATTEMPTS;
        let replaced = tree
            .sys
            .facts_at(tree.root(), &at)
            .ok()
            .map(|facts| facts.size)
            .filter(|_| over);
        match written.move_to(table, key, &at, over) {
            Ok(()) => {
                return Ok(Outcome {
                    done: Done::Written { bytes, replaced },
                    differed,
                });
            }
            Err((unmoved, Errno::EXIST)) if !over => temp = Some(unmoved),
            Err((_, errno)) => return Err(errno),
        }
    }
    Err(Errno::BUSY)
}

fn encode(tree: &Tree, table: Table, key: &Key, publication: &Publication) -> io::Result<Vec<u8>> {
    let secret = tree.ensure_secret()?;
    let mut metadata = publication.metadata.clone();
    if metadata.created_unix_s == 0 {
        metadata.created_unix_s = unix_now();
    }
    let content = Content {
        table,
        key,
        payload: &publication.payload,
        metadata: &metadata.encode(&publication.preimage),
        preimage_digest: *blake3::hash(&publication.preimage).as_bytes(),
        cost_ns: metadata.cost_ns(),
    };
    Ok(format::encode(&content, &secret))
}

/// The first slot that is free, defective, or of the same preimage; the last one if all are taken by others.
fn find_place(
    tree: &Tree,
    table: Table,
    key: &Key,
    publication: &Publication,
    bytes_max: u64,
) -> Place {
    for slot in 0..path::SLOTS {
        match read_slot(tree, table, key, slot, bytes_max, Empty::Wait) {
            Ok(entry) if entry.made_from(Expect::Preimage(&publication.preimage)) => {
                let same_payload = Some(entry.payload() == &*publication.payload);
                return Place {
                    slot,
                    occupied: true,
                    same_payload,
                };
            }
            Ok(_) => {}
            Err(failure) => {
                return Place {
                    slot,
                    occupied: failure.miss != Miss::Absent,
                    same_payload: None,
                };
            }
        }
    }
    Place {
        slot: path::SLOTS - 1,
        occupied: true,
        same_payload: None,
    }
}

/// A temporary file, removed when dropped unless it was moved into place.
struct Temp<'a> {
    tree: &'a Tree,
    path: String,
    moved: bool,
}

impl<'a> Temp<'a> {
    fn write(tree: &'a Tree, bytes: &[u8]) -> io::Result<Self> {
        let path = tree.sys.random::<10>().map(path::temp)?;
        let fd = match tree.sys.create(tree.root(), &path) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                tree.make_dirs(&[path::VERSION_DIR, path::TEMP_DIR])?;
                tree.sys.create(tree.root(), &path)?
            }
            outcome => outcome?,
        };
        let temp = Self {
            tree,
            path,
            moved: false,
        };
        tree.sys.chmod(&fd, FILE_MODE)?;
        tree.sys.write(&fd, bytes)?;
        Ok(temp)
    }

    /// Gives the file its name. On failure the file is handed back.
    fn move_to(
        mut self,
        table: Table,
        key: &Key,
        at: &str,
        over: bool,
    ) -> Result<(), (Self, Errno)> {
        let outcome = match self.rename(at, over) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => self
                .make_shard(table, key)
                .and_then(|()| self.rename(at, over)),
            // Something lies there that a file can not replace.
            Err(Errno::ISDIR | Errno::NOTEMPTY) => self
                .tree
                .take_away(at, None)
                .and_then(|()| self.rename(at, over)),
            outcome => outcome,
        };
        match outcome {
            Ok(()) => {
                self.moved = true;
                Ok(())
            }
            Err(errno) => Err((self, errno)),
        }
    }

    fn rename(&self, at: &str, over: bool) -> io::Result<()> {
        let Tree { sys, .. } = self.tree;
        match over {
            true => sys.rename(self.tree.root(), &self.path, at),
            false => sys.rename_new(self.tree.root(), &self.path, at),
        }
    }

    fn make_shard(&self, table: Table, key: &Key) -> io::Result<()> {
        let shard = path::shard_dir(table, key);
        self.tree
            .make_dirs(&[path::VERSION_DIR, path::table_dir(table), &shard])
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if !self.moved {
            // Best effort: what is left is swept later.
            let _left_to_the_sweep = self.tree.sys.unlink(self.tree.root(), &self.path);
        }
    }
}
