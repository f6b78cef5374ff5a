//! Counts over the life of a directory, all processes together: a hint, for people.
//!
//! Invariants: made from the same events as all other statistics; added to the file in batches, never on a hit; lost
//! counts are nobody's loss.

use crate::disk::hint::{self, HintFile};
use crate::disk::path;
use crate::disk::tree::Tree;
use crate::error::{Bypass, CAUSES, REASONS, place};
use crate::event::{Event, Layer};
use rustix::io;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub(crate) const STATS_MAGIC: [u8; 8] = *b"parsta\x1a\x04";
/// Hits, misses, files, and the compile time saved.
const TOTALS: usize = 8;
/// Behind the totals: misses of objects and of shortcuts, rejections of these, by reason; then what was not stored, by reason.
const MISSES_AT: usize = TOTALS;
const REJECTS_AT: usize = MISSES_AT + 2 * CAUSES;
const BYPASSES_AT: usize = REJECTS_AT + 2 * CAUSES;
const NUMBERS: usize = BYPASSES_AT + Bypass::ALL.len();

/// Counts over the life of a cache directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lifetime {
    /// Hits on objects.
    pub disk_hits: u64,
    /// Hits on shortcuts.
    pub shortcut_hits: u64,
    /// Misses of objects.
    pub disk_misses: u64,
    /// Misses of shortcuts.
    pub shortcut_misses: u64,
    /// Files written.
    pub published: u64,
    /// Entries rejected.
    pub rejected: u64,
    /// Entries evicted.
    pub evicted: u64,
    /// Compile time that hits on objects saved.
    pub saved: Duration,
    /// Misses by layer and reason, those that occurred.
    pub misses: BTreeMap<(Layer, &'static str), u64>,
    /// Rejections by layer and reason, those that occurred.
    pub rejects: BTreeMap<(Layer, &'static str), u64>,
    /// What was not stored, by reason, as far as it occurred.
    pub bypasses: BTreeMap<&'static str, u64>,
}

impl Lifetime {
    fn from_numbers(numbers: &[u64; NUMBERS]) -> Self {
        let totals: [u64; TOTALS] = std::array::from_fn(|at| numbers[at]);
        let [
            disk_hits,
            shortcut_hits,
            disk_misses,
            shortcut_misses,
            published,
            rejected,
            evicted,
            saved_ns,
        ] = totals;
        let saved = Duration::from_nanos(saved_ns);
        let bypasses = Bypass::ALL.iter().zip(&numbers[BYPASSES_AT..]);
        let bypasses = bypasses.filter(|(_, count)| **count > 0);
        let bypasses = bypasses.map(|(why, count)| (why.code(), *count)).collect();
        Self {
            disk_hits,
            shortcut_hits,
            disk_misses,
            shortcut_misses,
            published,
            rejected,
            evicted,
            saved,
            misses: causes(&numbers[MISSES_AT..]),
            rejects: causes(&numbers[REJECTS_AT..]),
            bypasses,
        }
    }
}

/// Counts by layer and reason, those that are not zero.
fn causes(numbers: &[u64]) -> BTreeMap<(Layer, &'static str), u64> {
    let layers = [Layer::Disk, Layer::Shortcut].into_iter();
    let of_layer = |(layer, numbers): (Layer, &[u64])| {
        let counts = REASONS.iter().zip(numbers.to_vec());
        counts.map(move |(reason, count)| ((layer, *reason), count))
    };
    let counts = layers.zip(numbers.chunks(CAUSES)).flat_map(of_layer);
    counts.filter(|(_, count)| *count > 0).collect()
}

/// What this process counted and has not yet added; the numbers in the order of the file.
pub(crate) struct Pending([AtomicU64; NUMBERS]);

impl Default for Pending {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; NUMBERS])
    }
}

/// Where the count of a reason stands.
fn place_of(event: &Event) -> Option<usize> {
    let cause = |start: usize, layer: &Layer, reason: &str| {
        let layer = match layer {
            Layer::Disk => 0,
            Layer::Shortcut => 1,
            Layer::Memory => return None,
        };
        Some(start + layer * CAUSES + place(&REASONS[..CAUSES], reason))
    };
    match event {
        Event::Miss { layer, reason, .. } => cause(MISSES_AT, layer, reason),
        Event::Reject { layer, reason, .. } => cause(REJECTS_AT, layer, reason),
        Event::Bypass { reason, .. } => {
            let why = Bypass::ALL.iter().position(|why| why.code() == *reason);
            Some(BYPASSES_AT + why?)
        }
        _ => None,
    }
}

impl Pending {
    pub(crate) fn note(&self, event: &Event) {
        if let Some(place) = place_of(event) {
            self.0[place].fetch_add(1, Relaxed);
        }
        let index = match event {
            // Added to the file as a signed number, for the hit may be in it already.
            Event::Retract { layer, .. } => {
                if let Some(hits) = [Layer::Disk, Layer::Shortcut]
                    .iter()
                    .position(|l| l == layer)
                {
                    self.0[hits].fetch_sub(1, Relaxed);
                }
                return;
            }
            Event::Hit {
                layer: Layer::Disk,
                saved,
                ..
            } => {
                let saved = u64::try_from(saved.as_nanos()).unwrap_or(u64::MAX);
                self.0[TOTALS - 1].fetch_add(saved, Relaxed);
                0
            }
            Event::Hit {
                layer: Layer::Shortcut,
                ..
            } => 1,
            Event::Miss {
                layer: Layer::Disk, ..
            } => 2,
            Event::Miss {
                layer: Layer::Shortcut,
                ..
            } => 3,
            Event::Publish { .. } => 4,
            Event::Reject { .. } => 5,
            Event::Evict { .. } => 6,
            _ => return,
        };
        self.0[index].fetch_add(1, Relaxed);
    }

    /// Leaves all to the process that counted it.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|number| number.store(0, Relaxed));
    }

    /// Adds what was counted to the file.
    pub(crate) fn write(&self, tree: &Tree) -> io::Result<()> {
        if self.0.iter().all(|number| number.load(Relaxed) == 0) {
            return Ok(());
        }
        let Some(file) = HintFile::<NUMBERS>::open(tree, path::STATS, STATS_MAGIC)? else {
            return Ok(());
        };
        let mut numbers = file.read(tree).unwrap_or([0; NUMBERS]);
        for (number, pending) in numbers.iter_mut().zip(&self.0) {
            *number = number.saturating_add_signed(pending.swap(0, Relaxed) as i64);
        }
        file.write(tree, numbers)
    }

    /// The counts of the file and of this process.
    pub(crate) fn total(&self, tree: &Tree) -> Lifetime {
        let mut numbers = hint::peek(tree, path::STATS, STATS_MAGIC).unwrap_or([0; NUMBERS]);
        for (number, pending) in numbers.iter_mut().zip(&self.0) {
            *number = number.saturating_add_signed(pending.load(Relaxed) as i64);
        }
        Lifetime::from_numbers(&numbers)
    }
}
