//! What the command line needs: listing, totals, looking at one entry, removing, clearing, and a word on problems.
//!
//! Invariants: everything goes through the verified directory's descriptor; only names that match our own pattern are
//! removed, and nothing is followed. Listing is lazy, one shard at a time, touches no counter, and waits for no file.

use crate::disk::evict::{self, Collected};
use crate::disk::lifetime::Lifetime;
use crate::disk::read::{self, Empty, Entry};
use crate::disk::store::Store;
use crate::disk::tree::Tree;
use crate::disk::uses::Counts;
use crate::disk::{Table, path};
use crate::error::Miss;
use crate::key::Key;
use rustix::fs::FileType;
use std::path::PathBuf;
use std::sync::Arc;

/// One entry of a listing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The table it lies in.
    pub table: Table,
    /// Its key, from its name.
    pub key: Key,
    /// Length of the file in bytes.
    pub file_bytes: u64,
    /// How often it was used of late, all processes together, as far as that was kept: a hint, which ages.
    pub uses: u8,
    /// The verified entry, or what is wrong with it.
    pub entry: Result<Entry, Miss>,
}

/// How much a directory holds, counted from the files themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Entries in [`Table::Objects`].
    pub objects: u64,
    /// Their bytes.
    pub object_bytes: u64,
    /// Entries in [`Table::Shortcuts`].
    pub shortcuts: u64,
    /// Their bytes.
    pub shortcut_bytes: u64,
    /// Temporary files, of running writers or of killed ones.
    pub temporary: u64,
}

impl Usage {
    /// Entries of both tables.
    pub fn entries(&self) -> u64 {
        self.objects + self.shortcuts
    }

    /// Bytes of both tables.
    pub fn bytes(&self) -> u64 {
        self.object_bytes + self.shortcut_bytes
    }
}

/// Something in the directory that does not belong there or keeps the store from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Path relative to the root.
    pub path: PathBuf,
    /// Stable code: that of a [`Miss`], or `foreign_name`, `not_a_directory`, or, where a hint or a lock should lie, `not_a_file`.
    pub code: &'static str,
}

/// A file of a shard.
struct Found {
    table: Table,
    key: Key,
    slot: u8,
    path: String,
}

impl Store {
    fn maintained(&self) -> Option<Arc<Tree>> {
        self.shared.tree()
    }

    /// Every entry, verified, in no particular order.
    pub fn entries(&self) -> impl Iterator<Item = Listed> + '_ {
        Table::ALL
            .into_iter()
            .flat_map(|table| self.entries_of(table))
    }

    /// Every entry of a table, verified, in no particular order. Reads a file for each that is asked for, and no more.
    pub fn entries_of(&self, table: Table) -> impl Iterator<Item = Listed> + '_ {
        let bytes_max = self.shared.config.entry_bytes_max;
        self.maintained().into_iter().flat_map(move |tree| {
            let reader = Arc::clone(&tree);
            let counts = Counts::read(&tree);
            found_in(tree, &[table]).map(move |found| {
                let Found {
                    table,
                    key,
                    slot,
                    path,
                } = found;
                let entry = read::read_slot(&reader, table, &key, slot, bytes_max, Empty::Tell);
                let file_bytes = match &entry {
                    Ok(entry) => entry.file_bytes(),
                    Err(_) => reader
                        .sys
                        .facts_at(reader.root(), &path)
                        .map_or(0, |facts| facts.size),
                };
                Listed {
                    table,
                    key,
                    file_bytes,
                    uses: counts.of(&key, slot),
                    entry: entry.map_err(|failure| failure.miss),
                }
            })
        })
    }

    /// Counts what the directory holds.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let Some(tree) = self.maintained() else {
            return usage;
        };
        usage.temporary = tree
            .sys
            .names(tree.root(), path::TEMP_DIR)
            .map_or(0, |names| names.len() as u64);
        for found in found(Arc::clone(&tree)) {
            let Ok(facts) = tree.sys.facts_at(tree.root(), &found.path) else {
                continue;
            };
            let (entries, bytes) = match found.table {
                Table::Objects => (&mut usage.objects, &mut usage.object_bytes),
                Table::Shortcuts => (&mut usage.shortcuts, &mut usage.shortcut_bytes),
            };
            *entries += 1;
            *bytes += facts.size;
        }
        usage
    }

    /// Counts over the life of the directory, all processes together, as far as they were kept.
    pub fn lifetime(&self) -> Lifetime {
        self.maintained()
            .map_or_else(Lifetime::default, |tree| self.shared.lifetime.total(&tree))
    }

    /// One entry, verified, whatever it was made from and whatever CPU it needs. Sends no event, removes nothing.
    pub fn inspect(&self, table: Table, key: &Key) -> Result<Entry, Miss> {
        let tree = self.maintained().ok_or(Miss::Disabled)?;
        let bytes_max = self.shared.config.entry_bytes_max;
        read::read_slot(&tree, table, key, 0, bytes_max, Empty::Wait)
            .map_err(|failure| failure.miss)
    }

    /// The keys of a table whose text begins with `prefix`.
    pub fn keys_with_prefix(&self, table: Table, prefix: &str) -> Vec<Key> {
        let Some(tree) = self.maintained() else {
            return Vec::new();
        };
        let mut keys: Vec<Key> = found(tree)
            .filter(|found| found.table == table && found.key.has_prefix(prefix))
            .map(|found| found.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Where the file of an entry lies, if there is one under this key; of several, made from preimages that share it, the first.
    pub fn path_of(&self, table: Table, key: &Key) -> Option<PathBuf> {
        let tree = self.maintained()?;
        let mut names = (0..path::SLOTS).map(|slot| path::entry(table, key, slot));
        let name = names.find(|name| tree.sys.facts_at(tree.root(), name).is_ok())?;
        Some(self.directory()?.join(name))
    }

    /// Removes whatever lies under a key; whether there was something.
    pub fn remove(&self, table: Table, key: &Key) -> bool {
        let Some(tree) = self.maintained().filter(|_| self.shared.is_writable()) else {
            return false;
        };
        let removed = (0..path::SLOTS).filter(|slot| {
            let at = path::entry(table, key, *slot);
            tree.sys.facts_at(tree.root(), &at).is_ok() && tree.take_away(&at, None).is_ok()
        });
        removed.count() > 0
    }

    /// Removes every entry, temporary file and hint of ours, and nothing else. Returns what was removed.
    ///
    /// The secret key, lock files and anything with a foreign name stay.
    pub fn clear(&self) -> Usage {
        let mut usage = Usage::default();
        let Some(tree) = self.maintained().filter(|_| self.shared.is_writable()) else {
            return usage;
        };
        for found in found(Arc::clone(&tree)) {
            let bytes = tree
                .sys
                .facts_at(tree.root(), &found.path)
                .map_or(0, |facts| facts.size);
            if tree.sys.unlink(tree.root(), &found.path).is_err() {
                continue;
            }
            let (entries, sum) = match found.table {
                Table::Objects => (&mut usage.objects, &mut usage.object_bytes),
                Table::Shortcuts => (&mut usage.shortcuts, &mut usage.shortcut_bytes),
            };
            *entries += 1;
            *sum += bytes;
        }
        let temps = tree
            .sys
            .names(tree.root(), path::TEMP_DIR)
            .unwrap_or_default();
        for name in temps.iter().filter(|name| path::is_temp(name)) {
            let removed = tree
                .sys
                .unlink(tree.root(), &format!("{}/{name}", path::TEMP_DIR));
            usage.temporary += u64::from(removed.is_ok());
        }
        for hint in path::HINTS {
            let _only_a_hint = tree.sys.unlink(tree.root(), hint);
        }
        usage
    }

    /// Evicts what is beyond the bounds and sweeps temporary files that were left, now rather than in steps between
    /// publications. What goes is told as events.
    ///
    /// # Errors
    /// The directory can't be written to, or another process collects.
    pub fn collect(&self) -> std::io::Result<Collected> {
        let Some(tree) = self.maintained().filter(|_| self.shared.is_writable()) else {
            return Err(std::io::ErrorKind::ReadOnlyFilesystem.into());
        };
        tree.make_dirs(&[path::VERSION_DIR, path::TEMP_DIR])?;
        Ok(evict::collect(&self.shared, &tree)?)
    }

    /// What lies in the directory and is no sound entry: defects by their code, and what is not ours.
    pub fn problems(&self) -> Vec<Problem> {
        let Some(tree) = self.maintained() else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let mut note = |path: String, code| {
            let path = PathBuf::from(path);
            problems.push(Problem { path, code });
        };
        problems_around(&tree, &mut note);
        for table in Table::ALL {
            let dir = path::table_dir(table);
            for name in tree.sys.names(tree.root(), dir).unwrap_or_default() {
                let at = format!("{dir}/{name}");
                match kind_at(&tree, &at) {
                    _ if !path::is_shard(&name) => note(at, "foreign_name"),
                    Some(FileType::Directory) => {
                        self.problems_of_shard(&tree, table, &name, &mut note)
                    }
                    _ => note(at, "not_a_directory"),
                }
            }
        }
        for name in tree
            .sys
            .names(tree.root(), path::TEMP_DIR)
            .unwrap_or_default()
        {
            let at = format!("{}/{name}", path::TEMP_DIR);
            match kind_at(&tree, &at) {
                _ if !path::is_temp(&name) => note(at, "foreign_name"),
                Some(FileType::RegularFile) | None => {}
                Some(_) => note(at, Miss::NotRegular.code()),
            }
        }
        problems
    }

    fn problems_of_shard(
        &self,
        tree: &Tree,
        table: Table,
        shard: &str,
        note: &mut impl FnMut(String, &'static str),
    ) {
        let bytes_max = self.shared.config.entry_bytes_max;
        let dir = path::shard_dir_named(table, shard);
        for name in tree.sys.names(tree.root(), &dir).unwrap_or_default() {
            let at = format!("{dir}/{name}");
            let Some((key, slot)) = path::parse_entry(&name) else {
                note(at, "foreign_name");
                continue;
            };
            let read = read::read_slot(tree, table, &key, slot, bytes_max, Empty::Tell);
            if let Err(failure) = read {
                note(at, failure.miss.code());
            }
        }
    }

    /// The directory, as configured.
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.shared.config.directory.as_deref()
    }
}

/// What lies where directories, hints and locks should.
fn problems_around(tree: &Tree, note: &mut impl FnMut(String, &'static str)) {
    let tables = Table::ALL.map(path::table_dir);
    let dirs = [path::VERSION_DIR, path::LOCKS_DIR, path::TEMP_DIR].into_iter();
    for dir in dirs.chain(tables) {
        if kind_at(tree, dir).is_some_and(|kind| kind != FileType::Directory) {
            note(dir.to_owned(), "not_a_directory");
        }
    }
    let is_no_file = |at: &str| kind_at(tree, at).is_some_and(|kind| kind != FileType::RegularFile);
    for hint in path::HINTS.into_iter().filter(|hint| is_no_file(hint)) {
        note(hint.to_owned(), "not_a_file");
    }
    let locks = tree.sys.names(tree.root(), path::LOCKS_DIR);
    for name in locks.unwrap_or_default() {
        let at = format!("{}/{name}", path::LOCKS_DIR);
        match path::is_shard(&name) {
            false => note(at, "foreign_name"),
            true if is_no_file(&at) => note(at, "not_a_file"),
            true => {}
        }
    }
}

/// What kind of thing lies at a path.
fn kind_at(tree: &Tree, at: &str) -> Option<FileType> {
    tree.sys
        .facts_at(tree.root(), at)
        .ok()
        .map(|facts| facts.kind)
}

/// The shards that exist of these tables.
fn shards(tree: &Tree, tables: &[Table]) -> Vec<(Table, String)> {
    let mut shards = Vec::new();
    for table in tables {
        let dir = path::table_dir(*table);
        for name in tree.sys.names(tree.root(), dir).unwrap_or_default() {
            let kind = kind_at(tree, &format!("{dir}/{name}"));
            if path::is_shard(&name) && kind == Some(FileType::Directory) {
                shards.push((*table, name));
            }
        }
    }
    shards
}

/// Every file with a name of ours, shard by shard.
fn found(tree: Arc<Tree>) -> impl Iterator<Item = Found> {
    found_in(tree, &Table::ALL)
}

fn found_in(tree: Arc<Tree>, tables: &[Table]) -> impl Iterator<Item = Found> + use<> {
    shards(&tree, tables)
        .into_iter()
        .flat_map(move |(table, shard)| {
            let dir = path::shard_dir_named(table, &shard);
            let names = tree.sys.names(tree.root(), &dir).unwrap_or_default();
            names.into_iter().filter_map(move |name| {
                let (key, slot) = path::parse_entry(&name)?;
                Some(Found {
                    table,
                    key,
                    slot,
                    path: format!("{dir}/{name}"),
                })
            })
        })
}
