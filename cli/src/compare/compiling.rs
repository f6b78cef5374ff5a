//! How long parloop takes from a text to callable functions: one by one, and all of a file together.

use super::{Candidate, Comparison};
use crate::error::CliError;
use parloop::{Engine, Extent, Mode};
use std::time::{Duration, Instant};

/// How often compiling is timed.
const ROUNDS: usize = 5;

/// Medians over the rounds.
pub(super) struct CompileTimes {
    /// By function, each asked for after the one before, in one engine, which lexes the text once.
    pub(super) each: Vec<Duration>,
    /// All asked for together, in another engine, by so many threads.
    pub(super) together: Duration,
    pub(super) threads: usize,
}

/// Times compiling these functions, as a program has it that wants them all.
pub(super) fn time_compiling(
    comparison: &Comparison<'_>,
    candidates: &[&Candidate],
) -> Result<CompileTimes, CliError> {
    let mut each = vec![Vec::with_capacity(ROUNDS); candidates.len()];
    let mut together = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let engine = engine(comparison)?;
        for (candidate, times) in candidates.iter().zip(&mut each) {
            let started = Instant::now();
            let kernel = engine.kernel(&comparison.file.text, Some(&candidate.checked.name));
            engine.function(&kernel, &candidate.extents)?;
            times.push(started.elapsed());
        }
        together.push(all_together(comparison, candidates)?);
    }
    Ok(CompileTimes {
        each: each.into_iter().map(median).collect(),
        together: median(together),
        threads: comparison.config.compile_threads_for(candidates.len()),
    })
}

fn all_together(
    comparison: &Comparison<'_>,
    candidates: &[&Candidate],
) -> Result<Duration, CliError> {
    let engine = engine(comparison)?;
    let started = Instant::now();
    let kernel = |c: &&Candidate| engine.kernel(&comparison.file.text, Some(&c.checked.name));
    let kernels: Vec<_> = candidates.iter().map(kernel).collect();
    let extents = candidates.iter().map(|c| c.extents.as_slice());
    let wanted: Vec<(_, &[Extent])> = kernels.iter().zip(extents).collect();
    for function in engine.functions(&wanted) {
        function?;
    }
    Ok(started.elapsed())
}

/// An engine that knows nothing yet.
fn engine(comparison: &Comparison<'_>) -> Result<Engine, CliError> {
    let mut config = comparison.config.clone();
    config.cache_mode = Mode::Off;
    let engine = Engine::new(config)?;
    comparison.file.declare(&engine)?;
    Ok(engine)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
