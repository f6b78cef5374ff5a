//! What it is worth to keep something, in memory and on disk alike: what goes first, and what is not let in.
//!
//! An entry is worth the time it took to make, times how often it was asked for of late, over its bytes. Where there is room all
//! is let in, and so is what was not asked for before. What was, and went or was never let in, comes in only if it is worth more
//! than twice the least of what it would replace; so more loops than a bound lets in, run in turn, do not chase each other through the cache.
//! Invariant: counts differ by two at most between entries that are asked for in turn, which twice the worth makes up for.

use crate::key::Key;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// Number of counters, one byte each.
pub(crate) const COUNTERS: usize = 1 << 15;
/// Among more entries than this too many share a counter for it to tell what was asked for before: then all is let in.
pub(crate) const TOLD_APART_MAX: u64 = COUNTERS as u64 / 4;
/// Counters that are looked at together.
const BLOCK: usize = 256;
const BLOCKS: usize = COUNTERS / BLOCK;
/// Asked for so often in vain, an entry takes the past away from all: what is there may not be asked for any more.
const OFTEN: u8 = 16;

/// The worth of an entry: nanoseconds saved, by each byte.
pub(crate) fn worth(cost_ns: u64, asked: u8, bytes: u64) -> f64 {
    cost_ns.max(1) as f64 * (1.0 + f64::from(asked)) / bytes.max(1) as f64
}

/// What is to be done with something for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Let it in, and something else go.
    In,
    /// Leave it out.
    Out,
    /// Leave it out, and halve all counts.
    OutAndAge,
}

/// Whether something was not asked for before: this time is the first.
pub(crate) fn is_new(asked: u8) -> bool {
    asked <= 1
}

/// Judges something of this worth, which was asked for so often (this time included) and would replace something worth `least`.
pub(crate) fn judge(candidate: f64, asked: u8, least: f64) -> Verdict {
    match asked {
        _ if is_new(asked) || candidate > 2.0 * least => Verdict::In,
        OFTEN.. => Verdict::OutAndAge,
        _ => Verdict::Out,
    }
}

/// Where the counter of a key stands, for the name with this suffix.
pub(crate) fn index(key: &Key, slot: u8) -> usize {
    let bytes = key.as_bytes();
    (usize::from(bytes[30]) | usize::from(bytes[31]) << 8).wrapping_add(usize::from(slot))
        % COUNTERS
}

/// Halves counts. What was asked for at all is remembered by a one, until half of the counters say so of something.
pub(crate) fn age(counts: &mut [u8]) {
    let crowded = counts.iter().filter(|count| **count > 0).count() > counts.len() / 2;
    for count in counts {
        *count = match crowded {
            true => *count / 2,
            false => count.div_ceil(2),
        };
    }
}

/// Counts of one process, by key; keys that share a counter share their luck.
pub(crate) struct Asked {
    counts: Box<[AtomicU8]>,
    /// Whether any counter of a block may be more than zero: mostly few are, and looking at all takes longer than writing a file.
    touched: [AtomicBool; BLOCKS],
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            counts: (0..COUNTERS).map(|_| AtomicU8::new(0)).collect(),
            touched: [const { AtomicBool::new(false) }; BLOCKS],
        }
    }
}

impl Asked {
    /// Counts one time. Losing one to a race is fine.
    pub(crate) fn note(&self, key: &Key, slot: u8) {
        let at = index(key, slot);
        let count = self.counts[at].load(Relaxed);
        if count < u8::MAX {
            self.counts[at].store(count + 1, Relaxed);
            self.touched[at / BLOCK].store(true, Relaxed);
        }
    }

    pub(crate) fn of(&self, key: &Key, slot: u8) -> u8 {
        self.counts[index(key, slot)].load(Relaxed)
    }

    /// See [`age`].
    pub(crate) fn age(&self) {
        let mut counts: Vec<u8> = self
            .counts
            .iter()
            .map(|count| count.load(Relaxed))
            .collect();
        age(&mut counts);
        for (counter, count) in self.counts.iter().zip(counts) {
            counter.store(count, Relaxed);
        }
    }

    /// Leaves the counters at zero.
    pub(crate) fn forget(&self) {
        self.move_to(&mut [0; COUNTERS]);
    }

    /// Adds the counters to others, and leaves them at zero.
    pub(crate) fn move_to(&self, totals: &mut [u8]) {
        let blocks = self.counts.chunks(BLOCK).zip(totals.chunks_mut(BLOCK));
        for ((counts, totals), touched) in blocks.zip(&self.touched) {
            if touched.swap(false, Relaxed) {
                for (total, count) in totals.iter_mut().zip(counts) {
                    *total = total.saturating_add(count.swap(0, Relaxed));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_comes_in_and_what_is_not_must_be_worth_twice_as_much() {
        let least = worth(1000, 3, 10);
        assert_eq!(judge(worth(1, 1, 10), 1, least), Verdict::In);
        assert_eq!(judge(worth(1000, 3, 10), 3, least), Verdict::Out);
        assert_eq!(judge(worth(1000, 4, 10), 4, least), Verdict::Out);
        assert_eq!(judge(worth(1000, 8, 10), 8, least), Verdict::In);
        assert_eq!(judge(worth(3000, 3, 10), 3, least), Verdict::In);
        assert_eq!(judge(worth(1000, 3, 4), 3, least), Verdict::In);
        assert_eq!(judge(worth(1, 16, 10), 16, least), Verdict::OutAndAge);
    }

    #[test]
    fn a_key_that_was_asked_for_is_remembered_until_the_counters_are_crowded() {
        let asked = Asked::default();
        let key = |n: usize| {
            let mut bytes = [0; 32];
            bytes[30..].copy_from_slice(&(n as u16).to_le_bytes());
            Key::new(bytes)
        };
        for _ in 0..300 {
            asked.note(&key(1), 0);
        }
        asked.note(&key(2), 0);
        assert_eq!((asked.of(&key(1), 0), asked.of(&key(1), 1)), (255, 1));
        for _ in 0..20 {
            asked.age();
        }
        assert_eq!([1, 2, 3].map(|n| asked.of(&key(n), 0)), [1, 1, 0]);
        (0..COUNTERS / 2 + 1).for_each(|n| asked.note(&key(n), 0));
        asked.age();
        assert_eq!([1, 2, 3].map(|n| asked.of(&key(n), 0)), [1, 1, 0]);
        let mut totals = vec![255; COUNTERS];
        totals[1] = 3;
        asked.move_to(&mut totals);
        assert_eq!((totals[1], totals[2], totals[3]), (4, 255, 255));
        let mut totals = vec![0; COUNTERS];
        asked.move_to(&mut totals);
        assert_eq!(totals, vec![0; COUNTERS]);
    }
}
