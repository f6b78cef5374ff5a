//! `parloop bench all`: every app and every part of the catalogue, each in an engine of its own, and what their ratios come to.

use super::compare::geometric_mean;
use super::peaks::Peaks;
use super::report::Report;
use super::{chart, machine, measure, roofline, show, suite};
use crate::args::{AllArgs, AppCommand};
use crate::cc::Cc;
use crate::error::CliError;
use crate::output;
use crate::table::{lines, table};
use clap::ValueEnum;
use parloop::Config;
use parloop_kernels::order::Order;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What a comparison is with besides `--cc-flags`, unless baselines are given.
const MORE_FLAGS: [&str; 2] = [
    "-O3 -march=native -ffast-math",
    "-O3 -march=native -fno-math-errno -fno-trapping-math",
];
const CLANG_FLAGS: &str = "clang -O3 -march=native";

/// So many of the loops that lose most are named.
const WORST: usize = 10;

#[derive(Serialize)]
struct AllReport {
    schema: &'static str,
    machine: String,
    commit: &'static str,
    order: &'static str,
    size: String,
    peaks: Peaks,
    apps: Vec<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_geomean: Option<f64>,
    worst: Vec<Ratio>,
}

/// A loop's time over the C compiler's.
#[derive(Clone, Serialize)]
pub(super) struct Ratio {
    pub(super) app: &'static str,
    pub(super) kernel: String,
    pub(super) ratio: f64,
}

pub(super) fn run(args: &AllArgs, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let mut apps = Vec::new();
    for command in commands(args) {
        let report = measure(&command, config.clone(), &mut std::io::sink())?;
        if !args.bench.json {
            let heading = format!("{}: {} iterations", report.app, report.iterations);
            writeln!(out, "{heading}\n\n{}", show::kernels(&report))?;
            out.flush()?;
        }
        apps.push(report);
    }
    let ratios = ratios(&apps);
    if let Some(path) = &args.svg {
        write_chart(path, &chart::svg(&ratios, &caption(args, &ratios)))?;
    }
    let peaks = Peaks::of(&apps);
    if let Some(path) = &args.roofline {
        write_chart(path, &roofline::svg(&apps, peaks, &machine_caption(args)))?;
    }
    let mut worst = ratios.clone();
    worst.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    worst.truncate(WORST);
    let report = AllReport {
        schema: "parloop.bench-all/1",
        machine: machine::machine(),
        commit: machine::COMMIT,
        order: Order::from(args.order).name(),
        size: size(args),
        peaks,
        ratio_geomean: geometric_mean(ratios.iter().map(|ratio| ratio.ratio)),
        apps,
        worst,
    };
    match args.bench.json {
        true => output::json(out, &report)?,
        false => write!(out, "{}", summary(&report, ratios.len()))?,
    }
    Ok(())
}

/// What is run, and what it is compared with.
fn commands(args: &AllArgs) -> Vec<AppCommand> {
    let mut bench = args.bench.clone();
    if bench.with.compare.is_some() && bench.baselines.is_empty() {
        bench.baselines = MORE_FLAGS.map(str::to_owned).to_vec();
        if Cc::find(Some("clang")).is_ok() {
            bench.baselines.push(CLANG_FLAGS.to_owned());
        }
    }
    suite::commands(args.size, args.order, &bench)
}

fn ratios(apps: &[Report]) -> Vec<Ratio> {
    let ratio = |(app, kernel): (&'static str, &super::report::KernelReport)| {
        Some(Ratio {
            app,
            kernel: kernel.name.clone(),
            ratio: kernel.ratio?,
        })
    };
    let kernels = apps
        .iter()
        .flat_map(|report| report.kernels.iter().map(|kernel| (report.app, kernel)));
    kernels.filter_map(ratio).collect()
}

fn size(args: &AllArgs) -> String {
    let value = args.size.to_possible_value();
    value.map_or(String::new(), |value| value.get_name().to_owned())
}

fn caption(args: &AllArgs, ratios: &[Ratio]) -> String {
    let mean = geometric_mean(ratios.iter().map(|ratio| ratio.ratio)).unwrap_or(f64::NAN);
    format!(
        "time of parloop / time of cc {}: geometric mean {mean:.2} of {} loops, {} order, data in {}\n{}, commit {}",
        args.bench.with.cc_flags,
        ratios.len(),
        Order::from(args.order).name(),
        size(args),
        machine::machine(),
        machine::COMMIT,
    )
}

fn machine_caption(args: &AllArgs) -> String {
    format!(
        "one core of {}, {} order, data in {}, commit {}",
        machine::machine(),
        Order::from(args.order).name(),
        size(args),
        machine::COMMIT,
    )
}

fn write_chart(path: &Path, svg: &str) -> Result<(), CliError> {
    std::fs::write(path, svg).map_err(|source| CliError::Write {
        path: path.to_owned(),
        source,
    })
}

/// What the machine can do, and what the ratios come to, if there are any.
fn summary(report: &AllReport, loops: usize) -> String {
    let peaks = report.peaks.told();
    let Some(mean) = report.ratio_geomean else {
        return peaks;
    };
    let mut shown = table(&["ratio", "kernel", "app"], &[0]);
    for Ratio { app, kernel, ratio } in &report.worst {
        shown.add_row([&format!("{ratio:.3}"), kernel, *app]);
    }
    format!(
        "{peaks}parloop / cc over {loops} loops: geometric mean {mean:.3}; the highest:\n\n{}",
        lines(&shown)
    )
}
