//! Keeping the bounds: totals, eviction and the sweep of stale temporary files, in small steps between publications.
//!
//! What goes first is what saves least for its size: compile time times uses (halved at each collection), over bytes.
//! Invariants: no clock decides what is evicted; a step handles one directory; only names of ours are removed; what is
//! loaded stays valid, since whoever loads has its own copy.

use crate::disk::format::{self, TRAILER_LEN, Trailer};
use crate::disk::metadata::unix_now;
use crate::disk::shared::Shared;
use crate::disk::tree::Tree;
use crate::disk::usage::{Delta, Totals, UsageFile};
use crate::disk::uses::Counts;
use crate::disk::{Table, path};
use crate::event::Event;
use crate::key::Key;
use rustix::fs::FileType;
use rustix::io;

/// After this many writes, or a quarter of the entries if that is more, the totals are counted anew.
const COUNT_AFTER_WRITES: u64 = 256;
/// A temporary file is stale when its time is this far from now, in either direction.
const TEMP_STALE_S: u64 = 3600;
/// A full directory is brought this part below its bound, so that not every publication evicts.
const SLACK_PART: u64 = 10;
/// Entries removed in a step.
const EVICT_STEP: usize = 64;

/// One process's share of keeping the bounds.
#[derive(Default)]
pub(crate) struct Keeper {
    delta: Delta,
    swept: bool,
    collection: Option<Collection>,
}

/// What [`Store::collect`](crate::Store::collect) did, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Files evicted, of both tables.
    pub evicted: u64,
    /// Their bytes.
    pub evicted_bytes: u64,
    /// Temporary files removed.
    pub temporary: u64,
    /// Files that are left, of both tables.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// All of a collection at once, whatever the totals say: sweeps, counts, and evicts down to the bounds.
pub(crate) fn collect(shared: &Shared, tree: &Tree) -> io::Result<Collected> {
    let temporary = sweep(tree)?;
    let usage = UsageFile::open(tree)?.ok_or(io::Errno::BUSY)?;
    let mut collection = Collection::begin(tree, usage);
    while let Some((table, shard)) = collection.shards.pop() {
        collection.count_shard(tree, table, &shard);
    }
    let before = collection.counted;
    while collection.step(shared, tree)? {}
    let left = collection.counted;
    Ok(Collected {
        evicted: before.entries - left.entries,
        evicted_bytes: before.bytes - left.bytes,
        temporary,
        entries: left.entries,
        bytes: left.bytes,
    })
}

/// A collection under way. The lock on the totals is held as long as it lasts, so that one process collects.
struct Collection {
    usage: UsageFile,
    shards: Vec<(Table, String)>,
    items: Vec<Item>,
    counts: Counts,
    counted: Totals,
    sorted: bool,
}

struct Item {
    table: Table,
    key: Key,
    slot: u8,
    bytes: u64,
    score: f64,
}

impl Keeper {
    /// Takes note of an entry written.
    pub(crate) fn wrote(&mut self, bytes: u64, replaced: Option<u64>) {
        self.delta.entries += i64::from(replaced.is_none());
        self.delta.bytes += bytes as i64 - replaced.unwrap_or(0) as i64;
        self.delta.writes += 1;
    }

    /// Gives up a collection under way, and with it the lock on the totals.
    pub(crate) fn abandon(&mut self) {
        self.collection = None;
    }

    /// One step of house-keeping; whether there is more to do.
    pub(crate) fn step(&mut self, shared: &Shared) -> bool {
        let Some(tree) = shared.tree() else {
            return false;
        };
        // Whatever fails here is tried again after the next publication: nothing depends on it.
        self.try_step(shared, &tree).unwrap_or_else(|_| {
            self.abandon();
            false
        })
    }

    fn try_step(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        if let Some(collection) = &mut self.collection {
            let more = collection.step(shared, tree)?;
            if !more {
                self.collection = None;
            }
            // What was written between its steps is not in its count.
            return Ok(more || self.delta != Delta::default());
        }
        if !std::mem::replace(&mut self.swept, true) {
            sweep(tree)?;
            return Ok(true);
        }
        if self.delta == Delta::default() {
            return Ok(false);
        }
        shared.flush_hints();
        self.add_up(shared, tree)
    }

    /// Adds this process's writes to the totals, and begins a collection if the totals ask for one.
    fn add_up(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        let Some(usage) = UsageFile::open(tree)? else {
            return Ok(false);
        };
        let known = usage.read(tree).map(|totals| totals.plus(self.delta));
        let due = known.is_none_or(|totals| {
            over(shared, totals)
                || totals.writes_since_count > COUNT_AFTER_WRITES.max(totals.entries / 4)
        });
        if let Some(totals) = known {
            usage.write(tree, totals)?;
        }
        self.delta = Delta::default();
        if due {
            self.collection = Some(Collection::begin(tree, usage));
        }
        Ok(due)
    }
}

fn over(shared: &Shared, totals: Totals) -> bool {
    totals.entries > shared.config.entries_max || totals.bytes > shared.config.size_bytes_max
}

fn above_slack(shared: &Shared, totals: Totals) -> bool {
    let low = |bound: u64| bound - bound / SLACK_PART;
    totals.entries > low(shared.config.entries_max)
        || totals.bytes > low(shared.config.size_bytes_max)
}

impl Collection {
    fn begin(tree: &Tree, usage: UsageFile) -> Self {
        let mut shards = Vec::new();
        for table in Table::ALL {
            let names = tree
                .sys
                .names(tree.root(), path::table_dir(table))
                .unwrap_or_default();
            shards.extend(
                names
                    .into_iter()
                    .filter(|name| path::is_shard(name))
                    .map(|name| (table, name)),
            );
        }
        let counts = Counts::read(tree);
        Self {
            usage,
            shards,
            items: Vec::new(),
            counts,
            counted: Totals::default(),
            sorted: false,
        }
    }

    fn step(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        if let Some((table, shard)) = self.shards.pop() {
            self.count_shard(tree, table, &shard);
            return Ok(true);
        }
        if !self.sorted {
            if !over(shared, self.counted) {
                self.usage.write(tree, self.counted)?;
                return Ok(false);
            }
            // Best first, so that the worst are popped.
            self.items.sort_by(|a, b| b.score.total_cmp(&a.score));
            self.sorted = true;
        }
        for _ in 0..EVICT_STEP {
            if !above_slack(shared, self.counted) {
                break;
            }
            let Some(item) = self.items.pop() else { break };
            self.evict(shared, tree, &item);
        }
        if above_slack(shared, self.counted) && !self.items.is_empty() {
            return Ok(true);
        }
        self.usage.write(tree, self.counted)?;
        self.counts.age();
        self.counts.write(tree)?;
        Ok(false)
    }

    fn count_shard(&mut self, tree: &Tree, table: Table, shard: &str) {
        let dir = path::shard_dir_named(table, shard);
        for name in tree.sys.names(tree.root(), &dir).unwrap_or_default() {
            let Some((key, slot)) = path::parse_entry(&name) else {
                continue;
            };
            let Ok(facts) = tree.sys.facts_at(tree.root(), &format!("{dir}/{name}")) else {
                continue;
            };
            if facts.kind != FileType::RegularFile {
                continue;
            }
            let bytes = facts.size;
            let uses = 1.0 + f64::from(self.counts.of(&key, slot));
            let cost = cost_ns(tree, table, &key, slot, bytes) as f64;
            let score = cost * uses / bytes.max(1) as f64;
            self.items.push(Item {
                table,
                key,
                slot,
                bytes,
                score,
            });
            self.counted.entries += 1;
            self.counted.bytes += bytes;
        }
    }

    fn evict(&mut self, shared: &Shared, tree: &Tree, item: &Item) {
        let at = path::entry(item.table, &item.key, item.slot);
        if tree.sys.unlink(tree.root(), &at).is_err() {
            return;
        }
        self.counted.entries -= 1;
        self.counted.bytes -= item.bytes;
        shared.event(&Event::Evict {
            layer: item.table.layer(),
            key: item.key,
            bytes: item.bytes,
        });
    }
}

/// The compile time that an entry's trailer states; zero for what is no entry of this version, which so goes first.
/// The hash is not verified: a wrong cost only spoils an order.
fn cost_ns(tree: &Tree, table: Table, key: &Key, slot: u8, bytes: u64) -> u64 {
    let read = || -> io::Result<[u8; TRAILER_LEN]> {
        let fd = tree
            .sys
            .open_read(tree.root(), &path::entry(table, key, slot))?;
        tree.sys
            .read_at(&fd, bytes.saturating_sub(format::TRAILER_LEN as u64))
    };
    read()
        .ok()
        .and_then(|raw| Trailer::decode(&raw).ok())
        .map_or(0, |trailer| trailer.cost_ns)
}

/// Removes temporary files that a killed process left; how many.
fn sweep(tree: &Tree) -> io::Result<u64> {
    let now = i64::try_from(unix_now()).unwrap_or(i64::MAX);
    let mut swept = 0;
    for name in tree
        .sys
        .names(tree.root(), path::TEMP_DIR)?
        .iter()
        .filter(|name| path::is_temp(name))
    {
        let at = format!("{}/{name}", path::TEMP_DIR);
        let Ok(facts) = tree.sys.facts_at(tree.root(), &at) else {
            continue;
        };
        if facts.modified_unix_s.abs_diff(now) <= TEMP_STALE_S {
            continue;
        }
        // What can't be removed, a directory that is not empty for one, is left for [`Store::problems`](crate::Store::problems) to show.
        let removed = match facts.kind {
            FileType::Directory => tree.sys.remove_dir(tree.root(), &at),
            _ => tree.sys.unlink(tree.root(), &at),
        };
        swept += u64::from(removed.is_ok());
    }
    Ok(swept)
}
