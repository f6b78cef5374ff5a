//! Where the storage of an engine's dats and globals lies.
//!
//! Invariant: no two registered ranges overlap, which is what alias regions in compiled code rely on. The registry's address
//! is the engine's identity for data: handles keep it, so that data of two engines can't meet in one loop. No process forks while the
//! ranges are locked.

use crate::fork::Section;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// First byte to one past the last, in addresses.
    ranges: Mutex<BTreeMap<usize, usize>>,
}

impl Registry {
    /// Enters a range; false if it overlaps another. Empty ranges overlap nothing and are not kept.
    pub(crate) fn enter(&self, start: usize, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        let end = start + bytes;
        let _section = Section::enter();
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let last_before_end = ranges.range(..end).next_back();
        if last_before_end.is_some_and(|(_, other_end)| *other_end > start) {
            return false;
        }
        ranges.insert(start, end);
        true
    }

    /// Takes out what `enter` entered.
    pub(crate) fn leave(&self, start: usize, bytes: usize) {
        if bytes > 0 {
            let _section = Section::enter();
            self.ranges
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Registry;

    #[test]
    fn ranges_that_touch_do_not_overlap_and_ranges_that_share_a_byte_do() {
        let registry = Registry::default();
        assert!(registry.enter(100, 10));
        assert!(registry.enter(110, 10));
        assert!(registry.enter(90, 10));
        for (start, bytes) in [(109, 1), (95, 100), (119, 5), (80, 11), (90, 30), (100, 10)] {
            assert!(!registry.enter(start, bytes), "{start} {bytes}");
        }
        assert!(registry.enter(105, 0));
        registry.leave(110, 10);
        assert!(registry.enter(112, 4));
    }
}
