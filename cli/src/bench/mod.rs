//! `parloop bench`: sets an app up, runs its iterations with a clock on every loop, compares if asked, and reports.

mod all;
mod chart;
mod compare;
mod compile;
mod machine;
mod measure;
mod peaks;
mod report;
mod roofline;
mod show;
mod suite;

pub(crate) use compare::CompareError;
pub(crate) use compile::CountError;

use crate::args::{
    AirfoilArgs, AppCommand, BenchArgs, BenchCommand, JacArgs, Precision, ReduceArgs,
};
use crate::error::CliError;
use crate::output;
use crate::watcher::Watcher;
use compare::Comparison;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use measure::Meter;
use parloop::{Config, Engine};
use parloop_compiler::Flops;
use parloop_kernels::airfoil::app::Airfoil;
use parloop_kernels::airfoil::file;
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_kernels::app::App;
use parloop_kernels::catalogue::{Catalogue, Part};
use parloop_kernels::jac;
use parloop_kernels::order::Order;
use parloop_kernels::reduce::{self, ElementType, app::Reduce};
use report::{CacheReport, Outcome, Report};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The app's number is shown, and kept, at each multiple of this.
const REPORT_EVERY: u64 = 100;

/// Iterations of an app, and of a part of the catalogue.
const ITERATIONS: u64 = 1000;
const CATALOGUE_ITERATIONS: u64 = 30;

/// How long to wait for the cache directory before its entries are counted.
const FLUSH_WAIT: Duration = Duration::from_secs(10);

/// What a run has besides its app.
struct Run<'a> {
    name: &'static str,
    order: Order,
    args: &'a BenchArgs,
    iterations: u64,
    engine: &'a Engine,
    watcher: &'a Watcher,
}

pub(crate) fn run(
    command: &BenchCommand,
    config: Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match command {
        BenchCommand::App(command) => run_app(command, config, out),
        BenchCommand::All(args) => all::run(args, &config, out),
        BenchCommand::Compile(args) => compile::run(args, &config, out),
    }
}

fn run_app(command: &AppCommand, config: Config, out: &mut dyn Write) -> Result<(), CliError> {
    let report = measure(command, config, out)?;
    match command.args().json {
        true => output::json(out, &report)?,
        false => write!(out, "{}", show::summary(&report))?,
    }
    Ok(())
}

/// Runs one app, in an engine of its own.
fn measure(command: &AppCommand, config: Config, out: &mut dyn Write) -> Result<Report, CliError> {
    let watcher = Arc::new(Watcher::default());
    let engine = Engine::builder()
        .config(config)
        .observer(watcher.clone())
        .build()?;
    let mut app = app(command, &engine)?;
    let run = Run {
        name: command.name(),
        order: command.order(),
        args: command.args(),
        iterations: command.args().iterations.unwrap_or(command.iterations()),
        engine: &engine,
        watcher: &watcher,
    };
    run.go(&mut *app, out)
}

impl AppCommand {
    fn name(&self) -> &'static str {
        match self {
            AppCommand::Airfoil(_) => "airfoil",
            AppCommand::Jac(_) => "jac",
            AppCommand::Reduce(_) => "reduce",
            AppCommand::Catalogue(args) => Part::from(args.part).name(),
        }
    }

    fn args(&self) -> &BenchArgs {
        match self {
            AppCommand::Airfoil(args) => &args.bench,
            AppCommand::Jac(args) => &args.bench,
            AppCommand::Reduce(args) => &args.bench,
            AppCommand::Catalogue(args) => &args.bench,
        }
    }

    fn order(&self) -> Order {
        match self {
            AppCommand::Airfoil(args) => args.order.into(),
            AppCommand::Jac(args) => args.order.into(),
            AppCommand::Reduce(_) => Order::Natural,
            AppCommand::Catalogue(args) => args.order.into(),
        }
    }

    /// How many iterations it runs if none are asked for.
    fn iterations(&self) -> u64 {
        match self {
            AppCommand::Catalogue(_) => CATALOGUE_ITERATIONS,
            _ => ITERATIONS,
        }
    }
}

fn app(command: &AppCommand, engine: &Engine) -> Result<Box<dyn App>, CliError> {
    Ok(match command {
        AppCommand::Airfoil(args) => {
            Box::new(Airfoil::in_order(engine, &mesh(args)?, args.order.into())?)
        }
        AppCommand::Jac(args) => match args.precision {
            Precision::Double => grid_app::<f64>(engine, args)?,
            Precision::Float => grid_app::<f32>(engine, args)?,
        },
        AppCommand::Reduce(args) => {
            let network = reduce::mesh::Network::new(args.edges.div_ceil(2), args.edges)?;
            Box::new(Reduce::new(engine, &network, &types(args)?)?)
        }
        AppCommand::Catalogue(args) => {
            let (part, size) = (args.part.into(), args.size.into());
            Box::new(Catalogue::new(engine, part, size, args.order.into())?)
        }
    })
}

fn mesh(args: &AirfoilArgs) -> Result<Mesh, CliError> {
    let blocks = match (&args.mesh, args.blocks) {
        (Some(path), _) => return Ok(file::read(path)?),
        (None, Some((i, j))) => Blocks::new(i, j)?,
        (None, None) => Blocks::for_cells(args.cells)?,
    };
    Ok(Mesh::generate(blocks)?)
}

fn grid_app<T: jac::app::Precision>(
    engine: &Engine,
    args: &JacArgs,
) -> Result<Box<dyn App>, CliError> {
    let grid = jac::mesh::Grid::<T>::new(args.squares)?;
    let jac = jac::app::Jac::in_order(engine, &grid, args.order.into())?;
    Ok(Box::new(jac))
}

fn types(args: &ReduceArgs) -> Result<Vec<ElementType>, CliError> {
    if args.types.iter().any(|name| name == "all") {
        return Ok(ElementType::ALL.to_vec());
    }
    let named = |name: &String| {
        let found = ElementType::ALL.into_iter().find(|t| t.c_name() == name);
        found.ok_or_else(|| CliError::ElementType {
            name: name.clone(),
            known: ElementType::ALL.map(ElementType::c_name).join(", "),
        })
    };
    args.types.iter().map(named).collect()
}

impl Run<'_> {
    /// What each loop's kernel computes.
    fn flops(&self, app: &dyn App) -> Result<Vec<Flops>, CliError> {
        let each = app.loops().iter().map(|of| {
            let kernel = self.engine.kernel(&of.text, Some(of.function));
            Ok(Flops::of(&kernel.check()?.kernel))
        });
        each.collect()
    }

    fn go(&self, app: &mut dyn App, out: &mut dyn Write) -> Result<Report, CliError> {
        if !self.args.json {
            let heading = show::heading(self.name, app.sizes(), self.order, self.iterations);
            writeln!(out, "{heading}")?;
        }
        let outcome = self.iterate(app, out)?;
        let comparison = match self.args.with.compare {
            Some(_) => self.compare(app)?,
            None => None,
        };
        self.engine.flush(FLUSH_WAIT);
        let cache = CacheReport::of(self.engine, self.watcher);
        let heading = (self.name, self.order);
        Ok(Report::new(
            heading,
            app,
            &self.flops(app)?,
            outcome,
            comparison.as_ref(),
            cache,
        ))
    }

    fn iterate(&self, app: &mut dyn App, out: &mut dyn Write) -> Result<Outcome, CliError> {
        let iterations = self.iterations;
        let bar = progress_bar(iterations);
        let mut meter = Meter::new(app.loops().len());
        let mut history = Vec::new();
        let mut elapsed = Duration::ZERO;
        for iteration in 1..=iterations {
            let started = Instant::now();
            let number = app.iterate_with(&mut |index, prepared| meter.run(index, prepared))?;
            elapsed += started.elapsed();
            bar.set_position(iteration);
            if iteration % REPORT_EVERY == 0 || iteration == iterations {
                history.push((iteration, number));
                if !self.args.json {
                    let line = show::progress_line(iteration, number);
                    bar.suspend(|| writeln!(out, "{line}").and_then(|()| out.flush()))?;
                }
            }
        }
        bar.finish_and_clear();
        Ok(Outcome {
            iterations,
            history,
            elapsed,
            meter,
        })
    }

    /// `None`, after saying so, if there is no C compiler.
    fn compare(&self, app: &mut dyn App) -> Result<Option<Comparison>, CliError> {
        let more = self.args.baselines.iter();
        let flags = std::iter::once(&self.args.with.cc_flags).chain(more);
        let flags: Vec<&str> = flags.map(String::as_str).collect();
        match Comparison::of(self.engine, app, &flags, self.iterations) {
            Ok(comparison) => Ok(Some(comparison)),
            Err(error @ CompareError::NoCompiler { .. }) => {
                writeln!(std::io::stderr(), "parloop: no comparison: {error}")?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A progress bar on standard error; nothing is drawn unless that is a terminal.
fn progress_bar(iterations: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} (eta {eta})");
    let bar = ProgressBar::with_draw_target(Some(iterations), target);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
