//! Times of calls: every call's for short runs, an even selection for long ones.
//!
//! Invariant: totals and the least time count all calls; quantiles are of those kept, at most [`KEPT_MAX`].

use parloop::{Error, PreparedLoop};
use std::time::{Duration, Instant};

/// So many times are kept; beyond, every second one is dropped and only every second one taken.
const KEPT_MAX: usize = 1 << 16;

/// Times of the calls of one loop, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    kept: Vec<u64>,
    /// One of 2^thinned calls is kept.
    thinned: u32,
    calls: u64,
    total: u64,
    least: u64,
}

impl Samples {
    pub(crate) fn push(&mut self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.least = if self.calls == 0 {
            time
        } else {
            self.least.min(time)
        };
        if self.calls.trailing_zeros() >= self.thinned {
            self.keep(time);
        }
        self.calls += 1;
        self.total += time;
    }

    fn keep(&mut self, time: u64) {
        if self.kept.len() == KEPT_MAX {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.thinned += 1;
            if self.calls.trailing_zeros() < self.thinned {
                return;
            }
        }
        self.kept.push(time);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total)
    }

    /// The least time of a call.
    pub(crate) fn least_ns(&self) -> u64 {
        self.least
    }

    /// The times of a call that a tenth, a half and nine tenths of the calls do not exceed.
    pub(crate) fn spread_ns(&self) -> [u64; 3] {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        [0.1, 0.5, 0.9].map(|part| {
            let at = (part * sorted.len().saturating_sub(1) as f64).round() as usize;
            sorted.get(at).copied().unwrap_or(0)
        })
    }

    /// The time of a call that half of the calls do not exceed.
    pub(crate) fn median_ns(&self) -> u64 {
        self.spread_ns()[1]
    }
}

/// Times of the calls of each loop of an app.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Vec<Samples>);

impl Meter {
    pub(crate) fn new(loops: usize) -> Meter {
        Meter(vec![Samples::default(); loops])
    }

    /// Runs a loop and takes its time.
    pub(crate) fn run(&mut self, index: usize, prepared: &mut PreparedLoop) -> Result<(), Error> {
        let started = Instant::now();
        let outcome = prepared.run();
        self.0[index].push(started.elapsed());
        outcome
    }

    /// How many loops there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn of(&self, index: usize) -> &Samples {
        &self.0[index]
    }

    pub(crate) fn of_mut(&mut self, index: usize) -> &mut Samples {
        &mut self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_calls_are_all_kept() {
        let mut samples = Samples::default();
        for time in [5, 1, 9, 3, 7] {
            samples.push(Duration::from_nanos(time));
        }
        assert_eq!((samples.calls(), samples.least_ns()), (5, 1));
        assert_eq!(samples.total(), Duration::from_nanos(25));
        assert_eq!(samples.spread_ns(), [1, 5, 9]);
    }

    #[test]
    fn many_calls_are_thinned_evenly() {
        let mut samples = Samples::default();
        let calls = 5 * KEPT_MAX as u64;
        for time in 0..calls {
            samples.push(Duration::from_nanos(time));
        }
        assert!(samples.kept.len() <= KEPT_MAX && samples.kept.len() > KEPT_MAX / 3);
        assert!(samples.kept.iter().all(|time| time % 8 == 0));
        let middle = samples.median_ns() as f64 / calls as f64;
        assert!((middle - 0.5).abs() < 0.01, "{middle}");
        assert_eq!(samples.calls(), calls);
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(Samples::default().spread_ns(), [0; 3]);
    }
}
