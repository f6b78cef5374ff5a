//! Statistics: an observer that counts.
//!
//! Invariant: every number here is made from events, so that it can not disagree with logs and tests. Counting costs a few
//! relaxed atomic additions and no lock, so that a child forked meanwhile waits for nobody.

use crate::error::{REASONS, place};
use crate::event::{Event, Layer, Observer};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts events. Share it behind an `Arc`; read it with [`Stats::snapshot`].
#[derive(Debug, Default)]
pub struct Stats {
    memory_hits: AtomicU64,
    disk_hits: AtomicU64,
    shortcut_hits: AtomicU64,
    saved_nanoseconds: AtomicU64,
    object_hits: AtomicU64,
    objects_built: AtomicU64,
    compiled: AtomicU64,
    compile_nanoseconds: AtomicU64,
    published: AtomicU64,
    published_bytes: AtomicU64,
    nondeterministic: AtomicU64,
    verified: AtomicU64,
    warnings: AtomicU64,
    misses: ByReason,
    rejects: ByReason,
    bypasses: ByReason,
    evictions: [AtomicU64; Layer::ALL.len()],
}

/// Counts by layer and reason, `[layer][reason]`.
#[derive(Debug)]
struct ByReason([[AtomicU64; REASONS.len()]; Layer::ALL.len()]);

impl Default for ByReason {
    fn default() -> Self {
        Self([const { [const { AtomicU64::new(0) }; REASONS.len()] }; Layer::ALL.len()])
    }
}

impl ByReason {
    fn note(&self, layer: Layer, reason: &str) {
        self.0[layer as usize][place(&REASONS, reason)].fetch_add(1, Relaxed);
    }

    /// Those that occurred.
    fn counted(&self) -> BTreeMap<(Layer, &'static str), u64> {
        let of_layer = |layer: Layer| {
            let counts = REASONS.iter().zip(&self.0[layer as usize]);
            counts.map(move |(reason, count)| ((layer, *reason), count.load(Relaxed)))
        };
        let counts = Layer::ALL.into_iter().flat_map(of_layer);
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

/// The counts at one moment. Counters that belong together may be read a few events apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatsSnapshot {
    /// Hits in memory.
    pub memory_hits: u64,
    /// Hits on objects on disk.
    pub disk_hits: u64,
    /// Hits on shortcuts on disk; the object behind one is counted in `disk_hits`.
    pub shortcut_hits: u64,
    /// Compile time that hits on objects on disk saved.
    pub saved: Duration,
    /// Objects found by identity.
    pub object_hits: u64,
    /// Objects built.
    pub objects_built: u64,
    /// Compilations.
    pub compiled: u64,
    /// Time spent compiling.
    pub compile_time: Duration,
    /// Files written.
    pub published: u64,
    /// Bytes written.
    pub published_bytes: u64,
    /// Keys whose compilations gave different bytes.
    pub nondeterministic: u64,
    /// Entries that were made again and found to be the same.
    pub verified: u64,
    /// Warnings.
    pub warnings: u64,
    /// Misses by layer and reason, those that occurred. A reason that is in no table is counted as `other`, here and below.
    pub misses: BTreeMap<(Layer, &'static str), u64>,
    /// Rejections by layer and reason.
    pub rejects: BTreeMap<(Layer, &'static str), u64>,
    /// What was not stored, by layer and reason.
    pub bypasses: BTreeMap<(Layer, &'static str), u64>,
    /// Evictions by layer.
    pub evictions: BTreeMap<Layer, u64>,
}

impl Stats {
    /// The counts now.
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot {
            memory_hits: self.memory_hits.load(Relaxed),
            disk_hits: self.disk_hits.load(Relaxed),
            shortcut_hits: self.shortcut_hits.load(Relaxed),
            saved: Duration::from_nanos(self.saved_nanoseconds.load(Relaxed)),
            object_hits: self.object_hits.load(Relaxed),
            objects_built: self.objects_built.load(Relaxed),
            compiled: self.compiled.load(Relaxed),
            compile_time: Duration::from_nanos(self.compile_nanoseconds.load(Relaxed)),
            published: self.published.load(Relaxed),
            published_bytes: self.published_bytes.load(Relaxed),
            nondeterministic: self.nondeterministic.load(Relaxed),
            verified: self.verified.load(Relaxed),
            warnings: self.warnings.load(Relaxed),
            misses: self.misses.counted(),
            rejects: self.rejects.counted(),
            bypasses: self.bypasses.counted(),
            evictions: Layer::ALL
                .into_iter()
                .map(|layer| (layer, self.evictions[layer as usize].load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

fn add(nanoseconds: &AtomicU64, duration: &Duration) {
    let more = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    nanoseconds.fetch_add(more, Relaxed);
}

impl Observer for Stats {
    fn event(&self, event: &Event) {
        let one = |counter: &AtomicU64| {
            counter.fetch_add(1, Relaxed);
        };
        match event {
            Event::Hit {
                layer: Layer::Memory,
                ..
            } => one(&self.memory_hits),
            Event::Hit {
                layer: Layer::Disk,
                saved,
                ..
            } => {
                one(&self.disk_hits);
                add(&self.saved_nanoseconds, saved);
            }
            Event::Hit {
                layer: Layer::Shortcut,
                ..
            } => one(&self.shortcut_hits),
            Event::Retract { layer, .. } => {
                let hits = match layer {
                    Layer::Memory => &self.memory_hits,
                    Layer::Disk => &self.disk_hits,
                    Layer::Shortcut => &self.shortcut_hits,
                };
                let _none_was_told = hits.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
            }
            Event::ObjectHit => one(&self.object_hits),
            Event::ObjectBuilt { .. } => one(&self.objects_built),
            Event::Nondeterministic { .. } => one(&self.nondeterministic),
            Event::Verified { .. } => one(&self.verified),
            // Say no more than the miss does, and the evictions.
            Event::Explained { .. } | Event::Collect { .. } => {}
            Event::Warning { .. } => one(&self.warnings),
            Event::Compile { duration, .. } => {
                one(&self.compiled);
                add(&self.compile_nanoseconds, duration);
            }
            Event::Publish { bytes, .. } => {
                one(&self.published);
                self.published_bytes.fetch_add(*bytes, Relaxed);
            }
            Event::Miss { layer, reason, .. } => self.misses.note(*layer, reason),
            Event::Reject { layer, reason, .. } => self.rejects.note(*layer, reason),
            Event::Bypass { layer, reason, .. } => self.bypasses.note(*layer, reason),
            Event::Evict { layer, .. } => one(&self.evictions[*layer as usize]),
        }
    }
}
