//! `--compare cc`: each loop also as C, run in turn with ours on the same data.
//!
//! After the measured iterations the app goes on, and each call of a loop is run either by our code or by the C compiler's:
//! which of them alternates from call to call and from iteration to iteration, so that each gets as many calls after each
//! other loop. Both compute the same, so the data stay those of a real run. Compared are the medians of the calls' times.

mod compiler;
mod library;

use super::measure::{Meter, Samples};
use super::report::{Baseline, micros, per_element};
use compiler::{Built, Compiler};
use parloop::{Engine, PreparedLoop};
use parloop_kernels::app::{App, AppError};
use std::io;
use std::time::{Duration, Instant};

/// Iterations of a comparison: enough for a median, and no more than these or the measured run's, or this time.
const ITERATIONS_MIN: u64 = 20;
const ITERATIONS_MAX: u64 = 1000;
const TIME_MAX: Duration = Duration::from_secs(20);

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

/// Times of both codes, loop by loop.
pub(crate) struct Comparison {
    compiler: String,
    flags: String,
    ours: Meter,
    theirs: Meter,
    compile_times: Vec<Duration>,
}

impl Comparison {
    /// Compiles all loops of `app` as C and runs both codes in turn.
    pub(crate) fn of(
        engine: &Engine,
        app: &mut dyn App,
        flags: &str,
        iterations: u64,
    ) -> Result<Comparison, CompareError> {
        let compiler = Compiler::find(flags)?;
        let built: Vec<Built> = app
            .loops()
            .iter()
            .map(|of| compiler.build(engine, of))
            .collect::<Result<_, _>>()?;
        let loops = built.len();
        let mut comparison = Comparison {
            compiler: compiler.version().to_owned(),
            flags: flags.to_owned(),
            ours: Meter::new(loops),
            theirs: Meter::new(loops),
            compile_times: built.iter().map(|b| b.compile_time).collect(),
        };
        comparison.run(
            app,
            &built,
            iterations.clamp(ITERATIONS_MIN, ITERATIONS_MAX),
        )?;
        Ok(comparison)
    }

    fn run(
        &mut self,
        app: &mut dyn App,
        built: &[Built],
        iterations: u64,
    ) -> Result<(), CompareError> {
        let started = Instant::now();
        for iteration in 0..iterations {
            if iteration >= ITERATIONS_MIN && started.elapsed() > TIME_MAX {
                break;
            }
            let mut calls = vec![0; built.len()];
            app.iterate_with(&mut |index, prepared| {
                let turn = iteration + calls[index];
                calls[index] += 1;
                self.call(turn, index, prepared, &built[index])
            })?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        turn: u64,
        index: usize,
        prepared: &mut PreparedLoop,
        built: &Built,
    ) -> Result<(), parloop::Error> {
        if turn.is_multiple_of(2) {
            return self.ours.run(index, prepared);
        }
        let time = built.library.run(prepared)?;
        self.theirs.of_mut(index).push(time);
        Ok(())
    }

    /// Times of our code.
    pub(crate) fn ours(&self, index: usize) -> &Samples {
        self.ours.of(index)
    }

    /// Time of our code over that of the C compiler's.
    pub(crate) fn ratio(&self, index: usize) -> Option<f64> {
        let [ours, theirs] = [&self.ours, &self.theirs].map(|m| m.of(index).median_ns());
        (ours > 0 && theirs > 0).then(|| ours as f64 / theirs as f64)
    }

    pub(crate) fn geometric_mean(&self) -> Option<f64> {
        let ratios = (0..self.compile_times.len()).filter_map(|index| self.ratio(index));
        let logs: Vec<f64> = ratios.map(f64::ln).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        (!logs.is_empty()).then(|| mean.exp())
    }

    pub(crate) fn baseline(&self, index: usize, elements: usize) -> Option<Baseline> {
        Some(Baseline {
            compiler: self.compiler.clone(),
            flags: self.flags.clone(),
            ns_per_element: per_element(self.theirs.of(index).median_ns(), elements),
            compile_us: micros(*self.compile_times.get(index)?),
        })
    }
}
