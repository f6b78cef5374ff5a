//! How long a fuzzer runs, and from which seed: as environment variables ask for it.

use std::time::{Duration, Instant, UNIX_EPOCH};

/// What a run of a fuzzer was asked for.
pub struct Fuzzing {
    /// What its dice start from.
    pub seed: u64,
    /// When it ends; `None` for a short run of fixed length.
    pub until: Option<Instant>,
}

impl Fuzzing {
    /// So many seconds by `PARLOOP_FUZZ_SECONDS`, from the seed of `PARLOOP_FUZZ_SEED`, else a fresh one; a short run otherwise, from
    /// the same `seed` each time.
    ///
    /// # Panics
    /// If one of them is no number.
    pub fn asked(seed: u64) -> Fuzzing {
        let seconds = number("PARLOOP_FUZZ_SECONDS");
        let fresh = || {
            let since = UNIX_EPOCH.elapsed();
            since.map_or(1, |d| d.as_nanos() as u64 >> 10)
        };
        Fuzzing {
            seed: number("PARLOOP_FUZZ_SEED").unwrap_or_else(|| seconds.map_or(seed, |_| fresh())),
            until: seconds.map(|s| Instant::now() + Duration::from_secs(s)),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}
