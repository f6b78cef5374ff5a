//! A pause after something failed that may pass by itself: twice as long each time, up to a bound.
//!
//! Invariant: times are of the monotonic clock, so that no clock that is set makes a pause last.

use std::time::{Duration, Instant};

/// How many times the first one a pause grows to.
const LENGTH_MAX: u32 = 64;

/// No pause, or one that began with a failure and lasts until there is a success, with moments at which to try again.
#[derive(Default)]
pub(crate) struct Pause(Option<Lasting>);

struct Lasting {
    until: Instant,
    length: Duration,
}

impl Pause {
    /// Something failed: nothing is tried for the time of `first`, or twice the last one.
    pub(crate) fn begin(&mut self, first: Duration) {
        let length = self
            .0
            .as_ref()
            .map_or(first, |last| (last.length * 2).min(first * LENGTH_MAX));
        let until = Instant::now() + length;
        self.0 = Some(Lasting { until, length });
    }

    /// It worked.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }

    /// Whether it is too early to try again.
    pub(crate) fn is_on(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|lasting| Instant::now() < lasting.until)
    }

    /// Whether something failed and is to be tried again now. Who was told so tries; others wait as long again.
    pub(crate) fn is_due(&mut self) -> bool {
        let now = Instant::now();
        match &mut self.0 {
            Some(lasting) if now >= lasting.until => {
                lasting.until = now + lasting.length;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_a_bound_and_begins_anew_after_a_success() {
        let second = Duration::from_secs(1);
        let length = |pause: &Pause| pause.0.as_ref().map(|lasting| lasting.length);
        let mut pause = Pause::default();
        assert!(!pause.is_on() && !pause.is_due());
        for expected in [1, 2, 4, 8, 16, 32, 64, 64] {
            pause.begin(second);
            assert_eq!(length(&pause), Some(expected * second));
            assert!(pause.is_on() && !pause.is_due());
        }
        pause.end();
        pause.begin(Duration::ZERO);
        assert!(!pause.is_on() && pause.is_due());
    }
}
