//! Trees of other format versions: left alone while anything in them is used, taken away when nothing was for long.
//!
//! Programs of another version write to their tree when they publish, and when they end after a hit; so its times are the record of its use
//! (a program that only reads leaves none, and compiles once more). A clock that is wrong for a while takes nothing away: times are
//! compared with that of a file written just now, on the same file system, and a tree has to be seen unused, and unchanged, on several
//! days. Invariants: what is removed has a name that every version gives (`FORMAT.md`), lies in the verified directory and
//! is reached without following a link; a step removes a few files.

use crate::disk::hint::HintFile;
use crate::disk::shared::Shared;
use crate::disk::tree::Tree;
use crate::disk::{Table, path};
use crate::event::Event;
use rustix::fs::FileType;
use rustix::io;

/// A tree is outdated when all its times are this far from now, in either direction.
const UNUSED_S: u64 = 30 * DAY_S;
const DAY_S: u64 = 24 * 3600;
/// It goes once it was seen so on this many days.
const DAYS_SEEN: u64 = 5;
const MARK_MAGIC: [u8; 8] = *b"parold\x1a\x01";
/// Files removed in a step.
const STEP: usize = 64;

/// The outdated trees of a directory, being removed.
pub(crate) struct Outdated {
    /// Directories still to be listed, below them nothing but files.
    lists: Vec<String>,
    files: Vec<String>,
    /// Hints: what tells the tree's age goes after the rest.
    hints: Vec<String>,
    /// Directories, each before what it lies in.
    empty: Vec<String>,
    pub(crate) removed: u64,
}

impl Outdated {
    /// Finds them; removes nothing yet.
    pub(crate) fn find(tree: &Tree) -> io::Result<Self> {
        let mut found = Self {
            lists: Vec::new(),
            files: Vec::new(),
            hints: Vec::new(),
            empty: Vec::new(),
            removed: 0,
        };
        let mut versions = tree.sys.names(tree.root(), ".")?;
        versions.retain(|name| path::is_other_version(name));
        if versions.is_empty() {
            return Ok(found);
        }
        versions.sort_unstable();
        let Some(mark) = Mark::open(tree)? else {
            return Ok(found);
        };
        let mut seen = blake3::Hasher::new();
        let mut unused = Vec::new();
        for version in versions {
            if is_unused(tree, &version, mark.now_unix_s, &mut seen)? {
                unused.push(version);
            }
        }
        if !unused.is_empty() && mark.note(tree, &seen)? {
            for version in unused {
                found.add(tree, &version)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, tree: &Tree, version: &str) -> io::Result<()> {
        self.empty.push(version.to_owned());
        for table in Table::ALL {
            let dir = format!("{version}/{}", path::table_name(table));
            let shards = tree.sys.names_if_any(tree.root(), &dir)?;
            let shards = shards.iter().filter(|name| path::is_shard(name));
            let shards: Vec<String> = shards.map(|shard| format!("{dir}/{shard}")).collect();
            self.empty.push(dir);
            self.empty.extend(shards.iter().cloned());
            self.lists.extend(shards);
        }
        for name in ["locks", "tmp"] {
            let dir = format!("{version}/{name}");
            self.empty.push(dir.clone());
            self.lists.push(dir);
        }
        let hints = path::HINTS.map(|hint| format!("{version}/{}", path::name(hint)));
        self.hints.extend(hints);
        Ok(())
    }

    /// Removes some more; whether there is more to do.
    pub(crate) fn step(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        if !self.files.is_empty() {
            let some = self.files.len().saturating_sub(STEP);
            for at in self.files.split_off(some) {
                self.remove(shared, tree, &at);
            }
            return Ok(true);
        }
        if let Some(dir) = self.lists.pop() {
            let names = tree.sys.names_if_any(tree.root(), &dir)?;
            let ours = |name: &&String| {
                path::parse_entry(name).is_some() || path::is_temp(name) || path::is_shard(name)
            };
            let files = names.iter().filter(ours);
            self.files.extend(files.map(|name| format!("{dir}/{name}")));
            return Ok(true);
        }
        if !self.hints.is_empty() {
            self.files = std::mem::take(&mut self.hints);
            return Ok(true);
        }
        // A directory that something else lies in stays, and so does what it lies in.
        while let Some(dir) = self.empty.pop() {
            let _left_if_not_empty = tree.sys.remove_dir(tree.root(), &dir);
        }
        Ok(false)
    }

    fn remove(&mut self, shared: &Shared, tree: &Tree, at: &str) {
        let facts = tree.sys.facts_at(tree.root(), at);
        if tree.sys.unlink(tree.root(), at).is_err() {
            return;
        }
        self.removed += 1;
        let table = Table::ALL
            .into_iter()
            .find(|table| at.contains(path::table_name(*table)));
        let entry = at.rsplit('/').next().and_then(path::parse_entry);
        if let (Some(table), Some((key, _))) = (table, entry) {
            shared.event(&Event::Evict {
                layer: table.layer(),
                key,
                bytes: facts.map_or(0, |facts| facts.size),
            });
        }
    }
}

/// Whether a tree and what lies in it, hints among that, have old times only. Adds the times to `seen` if so.
fn is_unused(
    tree: &Tree,
    version: &str,
    now_unix_s: i64,
    seen: &mut blake3::Hasher,
) -> io::Result<bool> {
    if tree.sys.facts_at(tree.root(), version)?.kind != FileType::Directory {
        return Ok(false);
    }
    let mut names = tree.sys.names(tree.root(), version)?;
    names.sort_unstable();
    let inside = names.iter().map(|name| format!("{version}/{name}"));
    let mut times = blake3::Hasher::new();
    for at in std::iter::once(version.to_owned()).chain(inside) {
        let time = tree.sys.facts_at(tree.root(), &at)?.modified_unix_s;
        if time.abs_diff(now_unix_s) <= UNUSED_S {
            return Ok(false);
        }
        times.update(at.as_bytes()).update(&[0]);
        times.update(&time.to_le_bytes());
    }
    seen.update(times.finalize().as_bytes());
    Ok(true)
}

/// On how many days trees were seen unused: a hint of three numbers, of what was seen, the days, and the last one of them.
struct Mark {
    file: HintFile<3>,
    before: [u64; 3],
    now_unix_s: i64,
}

impl Mark {
    /// Opens and writes it, so that its time is that of the file system; `None` if another process has it.
    fn open(tree: &Tree) -> io::Result<Option<Self>> {
        let Some(file) = HintFile::open(tree, path::UNUSED, MARK_MAGIC)? else {
            return Ok(None);
        };
        let before = file.read(tree).unwrap_or_default();
        file.write(tree, before)?;
        let now_unix_s = file.written_unix_s(tree)?;
        Ok(Some(Self {
            file,
            before,
            now_unix_s,
        }))
    }

    /// Takes note of what is seen today; whether it was seen on enough days.
    fn note(&self, tree: &Tree, seen: &blake3::Hasher) -> io::Result<bool> {
        let [seen_before, days, last_day] = self.before;
        let mut first_bytes = [0; 8];
        first_bytes.copy_from_slice(&seen.finalize().as_bytes()[..8]);
        let seen = u64::from_le_bytes(first_bytes);
        let today = self.now_unix_s.unsigned_abs() / DAY_S;
        let days = match (seen == seen_before, today == last_day) {
            (true, true) => days,
            (true, false) => days.saturating_add(1),
            (false, _) => 1,
        };
        self.file.write(tree, [seen, days, today])?;
        Ok(days >= DAYS_SEEN)
    }
}
