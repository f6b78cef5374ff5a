//! Keeping the bounds: totals, eviction and the sweep of stale temporary files, in small steps between publications.
//!
//! What goes first is [worth](crate::worth) least; counts of uses are halved at each collection.
//! Invariants: no clock decides what is evicted; a step handles one directory; only names of ours are removed; what is
//! loaded stays valid, since whoever loads has its own copy.

use crate::disk::format::{self, TRAILER_LEN, Trailer};
use crate::disk::metadata::unix_now;
use crate::disk::outdated::Outdated;
use crate::disk::shared::Shared;
use crate::disk::tree::Tree;
use crate::disk::usage::{Delta, Totals, UsageFile};
use crate::disk::uses::Counts;
use crate::disk::{Table, path};
use crate::event::Event;
use crate::key::Key;
use crate::worth::worth;
use rustix::fs::FileType;
use rustix::io;
use std::time::{Duration, Instant};

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
    /// What was written and is not in the totals yet.
    pub(crate) delta: Delta,
    /// Whether to look at the totals although nothing was written.
    look: bool,
    swept: bool,
    outdated: Option<Outdated>,
    collection: Option<UnderWay>,
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
    /// Files removed from trees of other format versions that nothing used for 30 days.
    pub outdated: u64,
    /// Files that are left, of both tables.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// All of a collection at once, whatever the totals say: sweeps, counts, and evicts down to the bounds.
pub(crate) fn collect(shared: &Shared, tree: &Tree) -> io::Result<Collected> {
    let temporary = sweep(tree)?;
    let mut outdated = Outdated::find(tree)?;
    while outdated.step(shared, tree)? {}
    let usage = UsageFile::open(tree)?.ok_or(io::Errno::BUSY)?;
    let start = Instant::now();
    let mut collection = Collection::begin(tree)?;
    while let Some((table, shard)) = collection.shards.pop() {
        collection.count_shard(tree, table, &shard)?;
    }
    let before = collection.counted;
    while collection.step(shared, tree, &usage)? {}
    collection.took += start.elapsed();
    collection.tell(shared);
    let left = collection.counted;
    Ok(Collected {
        evicted: before.entries - left.entries,
        evicted_bytes: before.bytes - left.bytes,
        temporary,
        outdated: outdated.removed,
        entries: left.entries,
        bytes: left.bytes,
    })
}

/// Entries being counted, and, once all are, evicted.
pub(crate) struct Collection {
    /// What is still to be counted.
    pub(crate) shards: Vec<(Table, String)>,
    /// How many there were.
    shards_all: usize,
    pub(crate) items: Vec<Item>,
    counts: Counts,
    pub(crate) counted: Totals,
    sorted: bool,
    /// What was evicted, and how long all has taken.
    evicted: Totals,
    took: Duration,
}

/// A collection under way. The lock on the totals is held as long as it lasts, so that one process collects.
struct UnderWay {
    usage: UsageFile,
    collection: Collection,
}

pub(crate) struct Item {
    table: Table,
    key: Key,
    slot: u8,
    bytes: u64,
    pub(crate) score: f64,
}

impl Keeper {
    /// Takes note of an entry written.
    pub(crate) fn wrote(&mut self, bytes: u64, replaced: Option<u64>) {
        self.delta.entries += i64::from(replaced.is_none());
        self.delta.bytes += bytes as i64 - replaced.unwrap_or(0) as i64;
        self.delta.writes += 1;
    }

    /// Has the totals looked at, although nothing was written.
    pub(crate) fn look(&mut self) {
        self.look = true;
    }

    /// Gives up a collection under way, and with it the lock on the totals.
    pub(crate) fn abandon(&mut self) {
        self.outdated = None;
        self.collection = None;
    }

    /// One step of house-keeping; whether there is more to do. It is the last one if it is late.
    pub(crate) fn step(&mut self, shared: &Shared, late: bool) -> bool {
        let Some(tree) = shared.tree() else {
            return false;
        };
        let step = match late {
            true => self.last_step(shared, &tree),
            false => self.try_step(shared, &tree),
        };
        // Whatever fails here is tried again after the next publication: nothing depends on it.
        step.unwrap_or_else(|_| {
            self.abandon();
            false
        })
    }

    fn try_step(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        if let Some(collection) = &mut self.collection {
            let UnderWay { usage, collection } = collection;
            let start = Instant::now();
            let more = collection.step(shared, tree, usage);
            collection.took += start.elapsed();
            if !matches!(more, Ok(true)) {
                collection.tell(shared);
            }
            let more = more?;
            if !more {
                self.collection = None;
            }
            // What was written between its steps is not in its count.
            return Ok(more || self.delta != Delta::default());
        }
        if !std::mem::replace(&mut self.swept, true) {
            sweep(tree)?;
            self.outdated = Some(Outdated::find(tree)?);
            return Ok(true);
        }
        if let Some(outdated) = &mut self.outdated {
            if !outdated.step(shared, tree)? {
                self.outdated = None;
            }
            return Ok(true);
        }
        if !std::mem::take(&mut self.look) && self.delta == Delta::default() {
            return Ok(false);
        }
        shared.flush_hints();
        self.add_up(shared, tree)
    }

    /// What is done when there is no time for more.
    fn last_step(&mut self, shared: &Shared, tree: &Tree) -> io::Result<bool> {
        if let Some(UnderWay { usage, collection }) = &mut self.collection {
            let start = Instant::now();
            let cut = collection.cut_short(shared, tree, usage);
            collection.took += start.elapsed();
            collection.tell(shared);
            cut?;
        }
        self.abandon();
        if self.delta != Delta::default()
            && let Some(usage) = UsageFile::open(tree)?
        {
            if let Some(totals) = usage.read(tree) {
                usage.write(tree, totals.plus(self.delta))?;
            }
            self.delta = Delta::default();
        }
        Ok(false)
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
            // A disk that takes no totals is all the more to be collected.
            let _only_a_hint = usage.write(tree, totals);
        }
        self.delta = Delta::default();
        if due {
            let collection = Collection::begin(tree)?;
            self.collection = Some(UnderWay { usage, collection });
        }
        Ok(due)
    }
}

pub(crate) fn over(shared: &Shared, totals: Totals) -> bool {
    totals.entries > shared.config.entries_max || totals.bytes > shared.config.size_bytes_max
}

fn above_slack(shared: &Shared, totals: Totals) -> bool {
    let low = |bound: u64| bound - bound / SLACK_PART;
    totals.entries > low(shared.config.entries_max)
        || totals.bytes > low(shared.config.size_bytes_max)
}

impl Collection {
    pub(crate) fn begin(tree: &Tree) -> io::Result<Self> {
        let mut shards = Vec::new();
        for table in Table::ALL {
            // A directory that can't be listed is not one without entries: then nothing is counted.
            let names = tree.sys.names_if_any(tree.root(), path::table_dir(table))?;
            shards.extend(
                names
                    .into_iter()
                    .filter(|name| path::is_shard(name))
                    .map(|name| (table, name)),
            );
        }
        // From anywhere on: who has no time for all must not see the same ones again and again.
        let first = usize::from(u16::from_le_bytes(tree.sys.random()?));
        let shards_all = shards.len();
        shards.rotate_left(first % shards_all.max(1));
        let counts = Counts::read(tree);
        Ok(Self {
            shards_all,
            shards,
            items: Vec::new(),
            counts,
            counted: Totals::default(),
            sorted: false,
            evicted: Totals::default(),
            took: Duration::ZERO,
        })
    }

    fn step(&mut self, shared: &Shared, tree: &Tree, usage: &UsageFile) -> io::Result<bool> {
        if let Some((table, shard)) = self.shards.pop() {
            self.count_shard(tree, table, &shard)?;
            return Ok(true);
        }
        if !self.sorted {
            if !over(shared, self.counted) {
                usage.write(tree, self.counted)?;
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
        usage.write(tree, self.counted)?;
        self.counts.age();
        self.counts.write(tree)?;
        Ok(false)
    }

    /// Evicts of what was counted so far down to its share of the bounds, if the whole, as far as one can see, exceeds them: so processes
    /// that never live long enough to count all keep the bounds together.
    fn cut_short(&mut self, shared: &Shared, tree: &Tree, usage: &UsageFile) -> io::Result<()> {
        if self.sorted {
            return usage.write(tree, self.counted);
        }
        let all = self.shards_all.max(1) as u128;
        let done = (self.shards_all - self.shards.len()).max(1) as u128;
        let share = |bound: u64| (u128::from(bound - bound / SLACK_PART) * done / all) as u64;
        let whole = |counted: u64| (u128::from(counted) * all / done) as u64;
        let before = self.counted;
        let (bytes_max, entries_max) = (shared.config.size_bytes_max, shared.config.entries_max);
        if whole(before.entries) > entries_max || whole(before.bytes) > bytes_max {
            self.items.sort_by(|a, b| b.score.total_cmp(&a.score));
            while self.counted.entries > share(entries_max) || self.counted.bytes > share(bytes_max)
            {
                let Some(item) = self.items.pop() else { break };
                self.evict(shared, tree, &item);
            }
        }
        let Some(totals) = usage.read(tree) else {
            return Ok(());
        };
        let gone = Delta {
            entries: self.counted.entries as i64 - before.entries as i64,
            bytes: self.counted.bytes as i64 - before.bytes as i64,
            writes: 0,
        };
        usage.write(tree, totals.plus(gone))
    }

    pub(crate) fn count_shard(&mut self, tree: &Tree, table: Table, shard: &str) -> io::Result<()> {
        let dir = path::shard_dir_named(table, shard);
        for name in tree.sys.names_if_any(tree.root(), &dir)? {
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
            let asked = self.counts.asked(&key, slot);
            let score = worth(cost_ns(tree, table, &key, slot, bytes), asked, bytes);
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
        Ok(())
    }

    /// Says what was evicted, if anything was.
    fn tell(&self, shared: &Shared) {
        let Totals { entries, bytes, .. } = self.evicted;
        if entries > 0 {
            let duration = self.took;
            shared.event(&Event::Collect {
                entries,
                bytes,
                duration,
            });
        }
    }

    fn evict(&mut self, shared: &Shared, tree: &Tree, item: &Item) {
        let at = path::entry(item.table, &item.key, item.slot);
        if tree.sys.unlink(tree.root(), &at).is_err() {
            return;
        }
        self.counted.entries -= 1;
        self.counted.bytes -= item.bytes;
        self.evicted.entries += 1;
        self.evicted.bytes += item.bytes;
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
