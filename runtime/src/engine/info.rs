//! Sizes and counts of an engine's caches, on call and, if the configuration says so, when the engine goes.

use super::{Engine, Shared};
use parloop_cache::StatsSnapshot;
use std::fmt;
use std::io::Write;

/// What an engine's caches hold and have done. `Display` tells it in a few lines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheInfo {
    /// Loops whose code is in memory.
    pub loops: usize,
    /// Bytes of that code.
    pub code_bytes: u64,
    /// Bounds on the two.
    pub loops_max: u64,
    /// Bounds on the two.
    pub code_bytes_max: u64,
    /// Counts of all that happened.
    pub stats: StatsSnapshot,
}

impl Engine {
    /// What its caches hold and have done so far.
    ///
    /// The engine itself keeps no objects by identity, so that `objects_built` and `object_hits` of [`stats`](CacheInfo::stats) stay
    /// zero: nothing that it makes of sets and maps is worth keeping (each [`Renumbering`](crate::Renumbering) is another set, on
    /// purpose). A program that keeps objects of its own asks its `parloop_cache::object` caches what they hold.
    pub fn cache_info(&self) -> CacheInfo {
        self.shared().cache_info()
    }
}

impl Shared {
    fn cache_info(&self) -> CacheInfo {
        CacheInfo {
            loops: self.classes.len(),
            code_bytes: self.classes.size_bytes(),
            loops_max: self.config.memory_entries_max,
            code_bytes_max: self.config.memory_bytes_max,
            stats: self.stats.snapshot(),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.config.cache_info {
            // For as long as dropping the store would wait, which then does not.
            self.store.close();
            // If standard error is closed there is nobody left to tell.
            let _unheard = write!(std::io::stderr(), "{}", self.cache_info());
        }
    }
}

impl fmt::Display for CacheInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = &self.stats;
        let missed = |layer: &str| -> u64 {
            let of_layer = stats.misses.iter().filter(|((l, _), _)| l.name() == layer);
            of_layer.map(|(_, count)| count).sum()
        };
        writeln!(
            f,
            "parloop: code in memory: {} loops, {} bytes, at most {} and {}; {} hits, {} misses",
            self.loops,
            self.code_bytes,
            self.loops_max,
            self.code_bytes_max,
            stats.memory_hits,
            missed("memory")
        )?;
        writeln!(
            f,
            "parloop: code on disk: {} hits, {} misses; shortcuts {} hits, {} misses; {} files written, {} bytes",
            stats.disk_hits,
            missed("disk"),
            stats.shortcut_hits,
            missed("shortcut"),
            stats.published,
            stats.published_bytes
        )?;
        let [compile_ms, saved_ms] =
            [stats.compile_time, stats.saved].map(|time| time.as_secs_f64() * 1e3);
        writeln!(
            f,
            "parloop: compiled: {} in {compile_ms:.1} ms; {saved_ms:.1} ms saved by hits on disk",
            stats.compiled
        )?;
        writeln!(
            f,
            "parloop: objects by identity: {} built, {} hits",
            stats.objects_built, stats.object_hits
        )?;
        for (layer, count) in &stats.evictions {
            writeln!(f, "parloop: evicted: {}: {count}", layer.name())?;
        }
        let counts = [
            ("missed", &stats.misses),
            ("rejected", &stats.rejects),
            ("not kept", &stats.bypasses),
        ];
        for (what, counts) in counts {
            for ((layer, reason), count) in counts {
                writeln!(f, "parloop: {what}: {} {reason}: {count}", layer.name())?;
            }
        }
        Ok(())
    }
}
