//! `parloop bench compile`: how long each loop of all apps takes from its C text to a function that can be called, and where that goes.
//!
//! The time is what an engine without a cache directory needs: to read the text, to check it, to compile and to link. The stages
//! are those of one compilation by itself; what they leave of the time is the engine's own work.

mod counts;
mod show;

use super::compare::{Compiler, constants, geometric_mean};
use super::report::micros;
use super::{app, machine, suite};
use crate::args::{AppCommand, BenchArgs, ComparedWith, CompileBenchArgs, OrderArg, SizeArg};
use crate::clock::{Clock, FRONT_END};
use crate::error::CliError;
use crate::output;
use parloop::{Config, Engine, Mode};
use parloop_compiler::{
    CheckedKernel, Compiled, KernelText, Request, Target, check_kernel, compile_watched,
};
use parloop_kernels::app::AppLoop;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) use counts::CountError;

/// What is measured, and what a later one is held against.
#[derive(Serialize, Deserialize)]
struct CompileReport {
    schema: String,
    machine: String,
    commit: String,
    level: String,
    rounds: u64,
    kernels: Vec<KernelReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_geomean: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct KernelReport {
    app: String,
    name: String,
    /// From the text to a function that can be called.
    callable_us: f64,
    /// Of a compilation by itself, by the stages' names.
    stages_us: BTreeMap<String, f64>,
    clif_instructions: usize,
    object_bytes: usize,
    /// Instructions that a compilation takes, from the text to the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<u64>,
    /// The C compiler's time, from the text to a shared object.
    #[serde(skip_serializing_if = "Option::is_none")]
    cc_us: Option<f64>,
    /// Of `callable_us` to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

const SCHEMA: &str = "parloop.bench-compile/1";

pub(super) fn run(
    args: &CompileBenchArgs,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut config = config.clone();
    config.cache_mode = Mode::Off;
    let commands = commands(args.app.as_deref())?;
    if args.counted {
        return counts::compile_each(&commands, &config);
    }
    let before = args.against.as_deref().map(read).transpose()?;
    let mut kernels = Vec::new();
    for command in &commands {
        kernels.append(&mut measured(command, args, &config)?);
    }
    if args.instructions {
        let counted = counts::count(args.app.as_deref(), kernels.len(), &config)?;
        for (kernel, count) in kernels.iter_mut().zip(counted) {
            kernel.instructions = Some(count);
        }
    }
    let report = CompileReport {
        schema: SCHEMA.to_owned(),
        machine: machine::machine(),
        commit: machine::COMMIT.to_owned(),
        level: Engine::new(config)?.level().name().to_owned(),
        rounds: args.rounds,
        ratio_geomean: geometric_mean(kernels.iter().filter_map(|kernel| kernel.ratio)),
        kernels,
    };
    match args.json {
        true => output::json(out, &report)?,
        false => write!(out, "{}", show::summary(&report, before.as_ref()))?,
    }
    Ok(())
}

/// All apps, or the one of a name; nothing of them is run.
fn commands(name: Option<&str>) -> Result<Vec<AppCommand>, CliError> {
    let bench = BenchArgs {
        iterations: None,
        json: false,
        with: ComparedWith {
            compare: None,
            cc_flags: String::new(),
        },
        baselines: Vec::new(),
    };
    // Loops are compiled for sets of any size; small ones leave the processor's caches to the compiler.
    let mut commands = suite::commands(SizeArg::L1, OrderArg::Natural, &bench);
    let Some(name) = name else {
        return Ok(commands);
    };
    let known: Vec<&str> = commands.iter().map(AppCommand::name).collect();
    let unknown = CliError::NoApp {
        name: name.to_owned(),
        known: known.join(", "),
    };
    commands.retain(|command| command.name() == name);
    if commands.is_empty() {
        return Err(unknown);
    }
    Ok(commands)
}

fn read(path: &Path) -> Result<CompileReport, CliError> {
    let bytes = std::fs::read(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })?;
    let report: CompileReport = serde_json::from_slice(&bytes).map_err(|source| {
        let path = path.to_owned();
        CliError::NoRecord { path, source }
    })?;
    Ok(report)
}

/// Times of one loop, a time of each round.
#[derive(Default)]
struct Times {
    callable: Vec<Duration>,
    stages: BTreeMap<&'static str, Vec<Duration>>,
    made: Option<Compiled>,
}

/// Compiles the loops of an app, round after round, each time in an engine that knows nothing.
fn measured(
    command: &AppCommand,
    args: &CompileBenchArgs,
    config: &Config,
) -> Result<Vec<KernelReport>, CliError> {
    let mut times: Vec<Times> = Vec::new();
    let prepared = || -> Result<_, CliError> {
        let engine = Engine::new(config.clone())?;
        let app = app(command, &engine)?;
        Ok((engine, app))
    };
    let (mut engine, mut app) = prepared()?;
    for round in 0..args.rounds {
        if round > 0 {
            (engine, app) = prepared()?;
        }
        times.resize_with(app.loops().len(), Times::default);
        for (of, times) in app.loops().iter().zip(&mut times) {
            times.callable.push(of.prepared.acquire_time());
            times.compile(&Loop::new(&engine, of)?)?;
        }
    }
    let compiler = match args.with.compare {
        Some(_) => Some(Compiler::find(&args.with.cc_flags)?),
        None => None,
    };
    let reports = app.loops().iter().zip(times).map(|(of, times)| {
        let cc = match &compiler {
            Some(compiler) => Some(compiler.build(&engine, of)?.compile_time),
            None => None,
        };
        Ok(times.report(command.name(), of, cc))
    });
    reports.collect()
}

impl Times {
    /// Compiles a loop by itself, with a clock on each stage.
    fn compile(&mut self, of: &Loop<'_>) -> Result<(), CliError> {
        let started = Instant::now();
        let checked = of.check()?;
        let front_end = started.elapsed();
        let mut clock = Clock::new(None);
        let made = compile_watched(&of.request(checked), &mut clock)?;
        let stages = std::iter::once((FRONT_END, front_end)).chain(clock.stages);
        for (stage, time) in stages {
            self.stages.entry(stage).or_default().push(time);
        }
        self.made = Some(made);
        Ok(())
    }

    fn report(self, app: &'static str, of: &AppLoop, cc: Option<Duration>) -> KernelReport {
        let callable_us = micros(median(self.callable));
        let cc_us = cc.map(micros);
        let stages = self.stages.into_iter();
        let made = self.made.expect("there is a round");
        KernelReport {
            app: app.to_owned(),
            name: of.label.clone(),
            callable_us,
            stages_us: stages
                .map(|(stage, times)| (stage.to_owned(), micros(median(times))))
                .collect(),
            clif_instructions: made.clif_instructions,
            object_bytes: made.object.len(),
            instructions: None,
            cc_us,
            ratio: cc_us.map(|cc| callable_us / cc),
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A loop of an app, to be compiled by itself.
struct Loop<'a> {
    of: &'a AppLoop,
    constants: Vec<parloop_compiler::ConstantDecl>,
    options: parloop::Options,
    target: Target,
}

impl<'a> Loop<'a> {
    fn new(engine: &Engine, of: &'a AppLoop) -> Result<Loop<'a>, CliError> {
        let checked = engine.kernel(&of.text, Some(of.function)).check()?;
        Ok(Loop {
            of,
            constants: constants(&checked),
            options: engine.config().options,
            target: Target {
                level: engine.level(),
            },
        })
    }

    /// Reads and checks its text.
    fn check(&self) -> Result<CheckedKernel, CliError> {
        let text = KernelText {
            text: &self.of.text,
            function: Some(self.of.function),
            constants: &self.constants,
            hosts: &[],
        };
        let refused = |diagnostics| parloop::Error::Text {
            kernel: self.of.function.to_owned(),
            diagnostics,
        };
        Ok(check_kernel(&text).map_err(refused)?)
    }

    fn request(&self, checked: CheckedKernel) -> Request {
        Request {
            kernel: checked.kernel,
            signature: self.of.prepared.signature().clone(),
            options: self.options,
            target: self.target,
        }
    }
}
