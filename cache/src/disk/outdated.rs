//! Trees of other format versions: left alone while anything in them is used, taken away when nothing was for long.
//!
//! Programs of another version write to their tree when they publish, and when they end after a hit; so its times are the record of its use
//! (a program that only reads leaves none, and compiles once more). Invariants: what is removed has a name that every
//! version gives (`FORMAT.md`), lies in the verified directory and is reached without following a link; a step removes a few files.

use crate::disk::metadata::unix_now;
use crate::disk::shared::Shared;
use crate::disk::tree::Tree;
use crate::disk::{Table, path};
use crate::event::Event;
use rustix::fs::FileType;
use rustix::io;

/// A tree is outdated when all its times are this far from now, in either direction.
const UNUSED_S: u64 = 30 * 24 * 3600;
/// Files removed in a step.
const STEP: usize = 64;

/// The outdated trees of a directory, being removed.
pub(crate) struct Outdated {
    /// Directories still to be listed, below them nothing but files.
    lists: Vec<String>,
    files: Vec<String>,
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
            empty: Vec::new(),
            removed: 0,
        };
        let versions = tree.sys.names(tree.root(), ".")?;
        for version in versions.iter().filter(|name| path::is_other_version(name)) {
            if is_unused(tree, version)? {
                found.add(tree, version)?;
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
        let hints = ["usage", "uses", "stats"].map(|name| format!("{version}/{name}"));
        self.files.extend(hints);
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

/// Whether a tree and what lies in it, hints among that, have old times only.
fn is_unused(tree: &Tree, version: &str) -> io::Result<bool> {
    if tree.sys.facts_at(tree.root(), version)?.kind != FileType::Directory {
        return Ok(false);
    }
    let now = i64::try_from(unix_now()).unwrap_or(i64::MAX);
    let old = |at: &str| -> io::Result<bool> {
        let facts = tree.sys.facts_at(tree.root(), at)?;
        Ok(facts.modified_unix_s.abs_diff(now) > UNUSED_S)
    };
    let mut all_old = old(version)?;
    for name in tree.sys.names(tree.root(), version)? {
        all_old &= old(&format!("{version}/{name}"))?;
    }
    Ok(all_old)
}
