//! Listens to an engine: passes its warnings on to the user, and counts the loops that the disk did not have, by reason.
//!
//! Invariant: a loop that the disk lacks altogether is one miss, though its shortcut and its object are both looked for.

use parloop::{Event, Observer};
use parloop_cache::{Layer, Miss};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// An engine's observer.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    misses: BTreeMap<&'static str, u64>,
    /// Why the shortcut of the loop in question was not found, if nothing was wrong with a file; it was counted.
    shortcut_missed: Option<&'static str>,
}

impl Watcher {
    /// Misses on disk by reason.
    pub(crate) fn misses(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.misses.clone()
    }
}

impl Counts {
    fn miss(&mut self, layer: Layer, reason: &'static str) {
        let whole = [Miss::Absent, Miss::Disabled, Miss::Refresh].map(|miss| miss.code());
        let counted = layer == Layer::Disk && self.shortcut_missed == Some(reason);
        self.shortcut_missed =
            (layer == Layer::Shortcut && whole.contains(&reason)).then_some(reason);
        if !counted {
            *self.misses.entry(reason).or_default() += 1;
        }
    }
}

impl Observer for Watcher {
    fn event(&self, event: &Event) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Miss {
                layer: layer @ (Layer::Disk | Layer::Shortcut),
                reason,
                ..
            } => counts.miss(*layer, reason),
            Event::Hit {
                layer: Layer::Disk | Layer::Shortcut,
                ..
            } => counts.shortcut_missed = None,
            Event::Warning { message, .. } => {
                // If standard error is closed there is nobody left to warn.
                let _unheard = writeln!(std::io::stderr(), "parloop: warning: {message}");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_one_miss_and_each_defect_is_one_more() {
        let mut counts = Counts::default();
        counts.miss(Layer::Shortcut, "absent");
        counts.miss(Layer::Disk, "absent");
        assert_eq!(counts.misses, BTreeMap::from([("absent", 1)]));
        counts.miss(Layer::Disk, "absent");
        counts.miss(Layer::Shortcut, "disabled");
        counts.miss(Layer::Disk, "disabled");
        counts.miss(Layer::Shortcut, "bad_mac");
        counts.miss(Layer::Disk, "truncated");
        let expected = BTreeMap::from([
            ("absent", 2),
            ("bad_mac", 1),
            ("disabled", 1),
            ("truncated", 1),
        ]);
        assert_eq!(counts.misses, expected);
    }
}
