//! `parloop bench`: sets an app up, runs its iterations with a clock on every loop, compares if asked, and reports.

mod compare;
mod machine;
mod measure;
mod report;
mod show;

pub(crate) use compare::CompareError;

use crate::args::{AirfoilArgs, BenchArgs, BenchCommand, JacArgs, Precision, ReduceArgs};
use crate::error::CliError;
use crate::output;
use crate::watcher::Watcher;
use compare::Comparison;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use measure::Meter;
use parloop::{Config, Engine};
use parloop_kernels::airfoil::app::Airfoil;
use parloop_kernels::airfoil::file;
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_kernels::app::App;
use parloop_kernels::jac;
use parloop_kernels::order::Order;
use parloop_kernels::reduce::{self, ElementType, app::Reduce};
use report::{CacheReport, Outcome, Report};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The app's number is shown, and kept, at each multiple of this.
const REPORT_EVERY: u64 = 100;

/// How long to wait for the cache directory before its entries are counted.
const FLUSH_WAIT: Duration = Duration::from_secs(10);

/// What a run has besides its app.
struct Run<'a> {
    name: &'static str,
    order: Order,
    args: &'a BenchArgs,
    engine: &'a Engine,
    watcher: &'a Watcher,
}

pub(crate) fn run(
    command: &BenchCommand,
    config: Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let watcher = Arc::new(Watcher::default());
    let engine = Engine::builder()
        .config(config)
        .observer(watcher.clone())
        .build()?;
    let (name, order, args) = match command {
        BenchCommand::Airfoil(args) => ("airfoil", args.order.into(), &args.bench),
        BenchCommand::Jac(args) => ("jac", args.order.into(), &args.bench),
        BenchCommand::Reduce(args) => ("reduce", Order::Natural, &args.bench),
    };
    let mut app = app(command, &engine)?;
    let run = Run {
        name,
        order,
        args,
        engine: &engine,
        watcher: &watcher,
    };
    run.go(&mut *app, out)
}

fn app(command: &BenchCommand, engine: &Engine) -> Result<Box<dyn App>, CliError> {
    Ok(match command {
        BenchCommand::Airfoil(args) => {
            Box::new(Airfoil::in_order(engine, &mesh(args)?, args.order.into())?)
        }
        BenchCommand::Jac(args) => match args.precision {
            Precision::Double => grid_app::<f64>(engine, args)?,
            Precision::Float => grid_app::<f32>(engine, args)?,
        },
        BenchCommand::Reduce(args) => {
            let network = reduce::mesh::Network::new(args.edges.div_ceil(2), args.edges)?;
            Box::new(Reduce::new(engine, &network, &types(args)?)?)
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
    fn go(&self, app: &mut dyn App, out: &mut dyn Write) -> Result<(), CliError> {
        if !self.args.json {
            let heading = show::heading(self.name, app.sizes(), self.order, self.args.iterations);
            writeln!(out, "{heading}")?;
        }
        let outcome = self.iterate(app, out)?;
        let comparison = match self.args.compare {
            Some(_) => self.compare(app)?,
            None => None,
        };
        self.engine.flush(FLUSH_WAIT);
        let cache = CacheReport::of(self.engine, self.watcher);
        let report = Report::new(
            (self.name, self.order),
            app,
            outcome,
            comparison.as_ref(),
            cache,
        );
        if self.args.json {
            output::json(out, &report)?;
        } else {
            write!(out, "{}", show::summary(&report))?;
        }
        Ok(())
    }

    fn iterate(&self, app: &mut dyn App, out: &mut dyn Write) -> Result<Outcome, CliError> {
        let iterations = self.args.iterations;
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
        let (flags, iterations) = (&self.args.cc_flags, self.args.iterations);
        match Comparison::of(self.engine, app, flags, iterations) {
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
