//! Whether a full directory takes in another entry: not if that would only chase out what is as good.
//!
//! Invariants: decided on the background thread, before anything is written, from a bounded number of files; hints that are missing
//! or wrong let an entry in, and the bounds are kept by [`evict`](super::evict) all the same.

use crate::disk::evict::{Collection, over};
use crate::disk::shared::Shared;
use crate::disk::tree::Tree;
use crate::disk::usage::{self, Delta, Totals};
use crate::disk::uses::Counts;
use crate::key::Key;
use crate::worth::{self, Verdict};
use rustix::io;

/// So many entries are looked at for the one that is worth least.
const SAMPLE: usize = 64;

/// An entry that is to be written.
pub(crate) struct Candidate<'a> {
    pub(crate) key: &'a Key,
    pub(crate) cost_ns: u64,
    pub(crate) bytes: u64,
}

/// Whether a new entry is to be written. `pending` is what this process wrote and has not yet added to the totals.
pub(crate) fn admits(shared: &Shared, tree: &Tree, pending: Delta, new: &Candidate<'_>) -> bool {
    let full = |totals: Totals| {
        let with_it = Delta {
            entries: 1,
            bytes: i64::try_from(new.bytes).unwrap_or(i64::MAX),
            writes: 1,
        };
        over(shared, totals.plus(with_it))
    };
    let Some(totals) = usage::peek(tree).map(|totals| totals.plus(pending)) else {
        return true;
    };
    if !full(totals) || totals.entries > worth::TOLD_APART_MAX || shared.take_room() {
        return true;
    }
    let _only_a_hint = shared.uses.write(tree);
    let mut counts = Counts::read(tree);
    let asked = counts.asked(new.key, 0);
    if worth::is_new(asked) {
        return true;
    }
    let Ok(Sample { least, all }) = sample(tree) else {
        return true;
    };
    if all.is_some_and(|counted| !full(counted)) {
        return true;
    }
    match worth::judge(worth::worth(new.cost_ns, asked, new.bytes), asked, least) {
        Verdict::In => true,
        Verdict::Out => false,
        Verdict::OutAndAge => {
            counts.age();
            let _only_a_hint = counts.write(tree);
            false
        }
    }
}

struct Sample {
    least: f64,
    /// The totals, if every entry was looked at.
    all: Option<Totals>,
}

fn sample(tree: &Tree) -> io::Result<Sample> {
    let mut collection = Collection::begin(tree)?;
    while collection.items.len() < SAMPLE
        && let Some((table, shard)) = collection.shards.pop()
    {
        collection.count_shard(tree, table, &shard)?;
    }
    let worths = collection.items.iter().map(|item| item.score);
    Ok(Sample {
        least: worths.reduce(f64::min).unwrap_or(0.0),
        all: collection.shards.is_empty().then_some(collection.counted),
    })
}
