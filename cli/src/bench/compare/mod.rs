//! `--compare cc`: each loop also as C, run in turn with ours on the same data.
//!
//! After the measured iterations the app goes on, and each call of a loop is run either by our code or by that of one of the
//! baselines, a C compiler with flags: which of them takes turns from call to call and from iteration to iteration, so that each
//! gets as many calls after each other loop. Short iterations are of one code several times in a row: what the processor is left
//! in by one code (caches, clock) is what most calls of the same code find, as in a program of that code alone. All compute the
//! same, so the data stay those of a real run. Compared are the medians of the calls' times.

mod compiler;
mod library;

use super::measure::{Meter, Samples};
use super::report::{Baseline, micros, per_element};
use compiler::Built;
pub(super) use compiler::{Compiler, constants};
use parloop::{Engine, PreparedLoop};
use parloop_kernels::app::{App, AppError, AppLoop};
use std::io;
use std::time::{Duration, Instant};

/// Iterations of a comparison: enough for a median, and no more than these or the measured run's, or this time.
const ITERATIONS_MIN: u64 = 20;
const ITERATIONS_MAX: u64 = 1000;
const TIME_MAX: Duration = Duration::from_secs(20);

/// Iterations of one code in a row, and how long one may take for that.
const IN_A_ROW: u64 = 4;
const SHORT_MAX: Duration = Duration::from_millis(5);

/// Why loops could not be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompareError {
    #[error(
        "there is no C compiler: `{command}` can not be run ({source}); install one or set CC to it"
    )]
    NoCompiler { command: String, source: io::Error },
    #[error("the C compiler does not take the loop `{label}`:\n{message}")]
    Rejected { label: String, message: String },
    #[error("the loop `{label}` as compiled by the C compiler can not be loaded: {message}")]
    NotLoaded { label: String, message: String },
    #[error("no temporary directory for the C compiler: {0}")]
    Temporary(io::Error),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Engine(#[from] parloop::Error),
}

/// A C compiler with flags, and its code of each loop.
struct Side {
    compiler: String,
    flags: String,
    built: Vec<Built>,
    times: Meter,
}

impl Side {
    fn new(engine: &Engine, loops: &[AppLoop], flags: &str) -> Result<Side, CompareError> {
        let compiler = Compiler::find(flags)?;
        let built = loops.iter().map(|of| compiler.build(engine, of));
        Ok(Side {
            compiler: compiler.version().to_owned(),
            flags: flags.to_owned(),
            built: built.collect::<Result<_, _>>()?,
            times: Meter::new(loops.len()),
        })
    }
}

/// Times of all codes, loop by loop.
pub(crate) struct Comparison {
    ours: Meter,
    /// The first is the one that ratios are of.
    sides: Vec<Side>,
}

impl Comparison {
    /// Compiles all loops of `app` as C with each set of flags and runs all codes in turn.
    pub(crate) fn of(
        engine: &Engine,
        app: &mut dyn App,
        flags: &[&str],
        iterations: u64,
    ) -> Result<Comparison, CompareError> {
        let sides = flags
            .iter()
            .map(|flags| Side::new(engine, app.loops(), flags));
        let mut comparison = Comparison {
            ours: Meter::new(app.loops().len()),
            sides: sides.collect::<Result<_, _>>()?,
        };
        comparison.run(app, iterations.clamp(ITERATIONS_MIN, ITERATIONS_MAX))?;
        Ok(comparison)
    }

    /// Two codes share the iterations; more codes get as many each.
    fn run(&mut self, app: &mut dyn App, iterations: u64) -> Result<(), CompareError> {
        let codes = 1 + self.sides.len() as u64;
        let started = Instant::now();
        let mut in_a_row = IN_A_ROW;
        let all = (iterations * codes / 2).next_multiple_of(IN_A_ROW * codes);
        for iteration in 0..all {
            if iteration >= ITERATIONS_MIN && started.elapsed() > TIME_MAX {
                break;
            }
            if iteration == 1 && started.elapsed() > SHORT_MAX {
                in_a_row = 1;
            }
            let mut calls = vec![0; self.ours.len()];
            app.iterate_with(&mut |index, prepared| {
                let turn = iteration / in_a_row + calls[index];
                calls[index] += 1;
                self.call((turn % codes) as usize, index, prepared)
            })?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        code: usize,
        index: usize,
        prepared: &mut PreparedLoop,
    ) -> Result<(), parloop::Error> {
        let Some(side) = code.checked_sub(1) else {
            return self.ours.run(index, prepared);
        };
        let side = &mut self.sides[side];
        let time = side.built[index].library.run(prepared)?;
        side.times.of_mut(index).push(time);
        Ok(())
    }

    /// Times of our code.
    pub(crate) fn ours(&self, index: usize) -> &Samples {
        self.ours.of(index)
    }

    /// Time of our code over that of the first baseline's.
    pub(crate) fn ratio(&self, index: usize) -> Option<f64> {
        self.ratio_to(self.sides.first()?, index)
    }

    fn ratio_to(&self, side: &Side, index: usize) -> Option<f64> {
        let [ours, theirs] = [&self.ours, &side.times].map(|m| m.of(index).median_ns());
        (ours > 0 && theirs > 0).then(|| ours as f64 / theirs as f64)
    }

    pub(crate) fn geometric_mean(&self) -> Option<f64> {
        geometric_mean((0..self.ours.len()).filter_map(|index| self.ratio(index)))
    }

    /// All baselines of a loop, the one that its ratio is of first.
    pub(crate) fn baselines(&self, index: usize, elements: usize) -> Vec<Baseline> {
        let baseline = |side: &Side| Baseline {
            compiler: side.compiler.clone(),
            flags: side.flags.clone(),
            ns_per_element: per_element(side.times.of(index).median_ns(), elements),
            compile_us: micros(side.built[index].compile_time),
            ratio: self.ratio_to(side, index),
        };
        self.sides.iter().map(baseline).collect()
    }
}

/// `None` of no numbers.
pub(crate) fn geometric_mean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.map(f64::ln).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    (!logs.is_empty()).then(|| mean.exp())
}
