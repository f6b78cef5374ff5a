//! The process in which a kernel is run, so that a crash is its own: reads what to do, prints what came of it.
//!
//! Results are compared on all that `trials` finds, times on the last draw alone.

use super::difference::Difference;
use super::inputs::Values;
use super::library::Library;
use super::phase::{Phase, Phases};
use super::runs::Codes;
use super::trials::trials;
use crate::error::CliError;
use crate::kernels;
use crate::output;
use parloop::{Config, Engine, Error, Extent, Function, Mode};
use parloop_compiler::{ArgSignature, KernelText, check_kernel, function_signature};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long one sample of calls lasts, about, and how many there are of each code.
const SAMPLE: Duration = Duration::from_micros(500);
const SAMPLES: usize = 15;

/// How often so many calls may take that long before they are enough.
const TRIES: usize = 3;

/// What the child is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) text: PathBuf,
    pub(super) function: String,
    /// By parameter: rows and values, 0 where the text tells.
    pub(super) extents: Vec<[u32; 2]>,
    /// Kernel constants that are folded in: name and values.
    pub(super) constants: Vec<(String, Vec<f64>)>,
    /// The function's number in the drivers.
    pub(super) index: usize,
    /// A file that says what is running.
    pub(super) phase: PathBuf,
    /// One for each set of flags, the first the one that results are compared with.
    pub(super) drivers: Vec<PathBuf>,
}

impl Task {
    fn extents(&self) -> Vec<Extent> {
        self.extents.iter().copied().map(Extent::from).collect()
    }
}

/// What the child found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Findings {
    /// Against the first driver.
    pub(super) difference: Difference,
    /// Arrays that may be written and never were.
    pub(super) untouched: Vec<String>,
    /// Whether some result was no number in both codes alike.
    pub(super) not_finite: bool,
    pub(super) object_bytes: u64,
    pub(super) ns_per_call: f64,
    /// By driver.
    pub(super) cc_ns_per_call: Vec<f64>,
}

pub(super) fn run(path: &Path, mut config: Config, out: &mut dyn Write) -> Result<(), CliError> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|source| CliError::Read {
            path: path.to_owned(),
            source,
        })
    };
    let task: Task = serde_json::from_str(&read(path)?).map_err(std::io::Error::from)?;
    let text = read(&task.text)?;
    config.cache_mode = Mode::Off;
    let child = Child { task, text, config };
    Ok(output::json(out, &child.findings()?)?)
}

struct Child {
    task: Task,
    text: String,
    config: Config,
}

impl Child {
    fn findings(&self) -> Result<Findings, CliError> {
        let phases = Phases(&self.task.phase);
        phases.enter(Phase::Compiling)?;
        let function = self.compile()?;
        let args = self.signature()?;
        phases.enter(Phase::Loading)?;
        let drivers = self.drivers()?;
        let codes = Codes {
            function: &function,
            driver: &drivers[0],
            phases: &phases,
        };
        let (seen, before) = trials(&codes, &args)?;
        phases.enter(Phase::Timing)?;
        let (ns_per_call, cc_ns_per_call) = measure(&function, &drivers, &before);
        let untouched = seen.untouched(function.params());
        Ok(Findings {
            difference: seen.difference,
            untouched: untouched.map(|param| param.name.clone()).collect(),
            not_finite: seen.not_finite,
            object_bytes: function.object_bytes(),
            ns_per_call,
            cc_ns_per_call,
        })
    }

    fn drivers(&self) -> Result<Vec<Library>, CliError> {
        let load = |path: &PathBuf| {
            Library::load(path, self.task.index).map_err(|error| CliError::Driver {
                message: error.to_string(),
            })
        };
        self.task.drivers.iter().map(load).collect()
    }

    fn compile(&self) -> Result<Function, CliError> {
        let engine = Engine::new(self.config.clone())?;
        kernels::declare(&self.task.constants, &engine)?;
        let kernel = engine.kernel(&self.text, Some(&self.task.function));
        Ok(engine.function(&kernel, &self.task.extents())?)
    }

    fn signature(&self) -> Result<Vec<ArgSignature>, CliError> {
        let constants = kernels::specialised(&self.task.constants);
        let text = KernelText {
            text: &self.text,
            function: Some(&self.task.function),
            constants: &constants,
            hosts: &[],
        };
        let kernel = || self.task.function.clone();
        let checked = check_kernel(&text).map_err(|diagnostics| Error::Text {
            kernel: kernel(),
            diagnostics,
        })?;
        let signature = function_signature(&checked, &self.task.extents());
        let signature = signature.map_err(|reason| Error::Extent {
            kernel: kernel(),
            reason,
        })?;
        Ok(signature.args)
    }
}

/// Median time of a call in nanoseconds: of our code, and of each driver's, measured in turn.
fn measure(function: &Function, drivers: &[Library], before: &[Values]) -> (f64, Vec<f64>) {
    let mut values = before.to_vec();
    let mut time = |times: usize, call: &dyn Fn(&mut [Values], usize)| {
        for (values, before) in values.iter_mut().zip(before) {
            values.restore(before);
        }
        let started = Instant::now();
        call(&mut values, times);
        started.elapsed()
    };
    // What a call leaves behind may be more than the next can take: then fewer are made in a row, at least one.
    let failed = Cell::new(false);
    let ours = |values: &mut [Values], times: usize| {
        failed.set(drivers[0].run_ours(function, values, times) != 0);
    };
    let mut times = 1;
    // One that was interrupted does not say that they are enough.
    let mut is_short = |times| (0..TRIES).any(|_| time(times, &ours) < SAMPLE);
    while is_short(times) && times < 1 << 24 && !failed.get() {
        times *= 2;
    }
    while failed.get() && times > 1 {
        times /= 2;
        time(times, &ours);
    }
    let mut samples = vec![Vec::with_capacity(SAMPLES); drivers.len() + 1];
    for _ in 0..SAMPLES {
        samples[0].push(time(times, &ours));
        for (driver, samples) in drivers.iter().zip(&mut samples[1..]) {
            samples.push(time(times, &|values, times| {
                driver.run_theirs(values, times)
            }));
        }
    }
    let median = |samples: &mut Vec<Duration>| {
        samples.sort();
        samples[SAMPLES / 2].as_secs_f64() * 1e9 / times as f64
    };
    let mut medians = samples.iter_mut().map(median);
    let first = medians.next().unwrap_or_default();
    (first, medians.collect())
}
