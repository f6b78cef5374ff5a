//! What a benchmark reports, as one structure: the table and the JSON object are both made of it.
//!
//! Times an element are medians over calls. Bandwidth counts useful bytes: each distinct value once for each direction of a
//! call, each map entry once.

use super::compare::Comparison;
use super::machine;
use super::measure::{Meter, Samples};
use crate::watcher::Watcher;
use parloop::Engine;
use parloop_compiler::Flops;
use parloop_kernels::app::{App, AppLoop};
use parloop_kernels::order::Order;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) schema: &'static str,
    pub(crate) app: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) machine: String,
    pub(crate) threads: u32,
    pub(crate) mesh: Mesh,
    /// In which its sets are numbered.
    pub(crate) order: &'static str,
    pub(crate) iterations: u64,
    pub(crate) rms: f64,
    pub(crate) history: Vec<(u64, f64)>,
    pub(crate) seconds: f64,
    pub(crate) kernels: Vec<KernelReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_geomean: Option<f64>,
    pub(crate) cache: CacheReport,
}

#[derive(Serialize)]
pub(crate) struct Mesh {
    pub(crate) nodes: usize,
    pub(crate) cells: usize,
    pub(crate) edges: usize,
    pub(crate) bedges: usize,
}

#[derive(Serialize)]
pub(crate) struct KernelReport {
    pub(crate) name: String,
    pub(crate) calls: u64,
    pub(crate) elements: u64,
    pub(crate) seconds: f64,
    pub(crate) ns_per_element: f64,
    pub(crate) ns_per_element_min: f64,
    /// What a tenth and nine tenths of the calls do not exceed.
    #[serde(skip)]
    pub(crate) ns_per_element_spread: (f64, f64),
    pub(crate) gb_per_s: f64,
    /// Floating-point operations of the kernel's text, of an element.
    pub(crate) flops_per_element: u64,
    /// Whether each element does so many.
    pub(crate) flops_exact: bool,
    pub(crate) gflop_per_s: f64,
    /// Operations for each useful byte.
    pub(crate) intensity: f64,
    pub(crate) source: &'static str,
    pub(crate) acquire_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<Baseline>,
    /// Others than the one that the ratio is of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) baselines: Vec<Baseline>,
}

#[derive(Serialize)]
pub(crate) struct Baseline {
    pub(crate) compiler: String,
    pub(crate) flags: String,
    pub(crate) ns_per_element: f64,
    pub(crate) compile_us: f64,
    /// Of our time to its.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
}

#[derive(Serialize)]
pub(crate) struct CacheReport {
    pub(crate) compiled: u64,
    pub(crate) disk_hits: u64,
    pub(crate) memory_hits: u64,
    pub(crate) misses: BTreeMap<&'static str, u64>,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// What the iterations came to.
pub(crate) struct Outcome {
    pub(crate) iterations: u64,
    pub(crate) history: Vec<(u64, f64)>,
    pub(crate) elapsed: Duration,
    pub(crate) meter: Meter,
}

impl Report {
    pub(crate) fn new(
        (name, order): (&'static str, Order),
        app: &dyn App,
        flops: &[Flops],
        outcome: Outcome,
        comparison: Option<&Comparison>,
        cache: CacheReport,
    ) -> Report {
        let sizes = app.sizes();
        let kernels = app.loops().iter().enumerate();
        let kernels = kernels
            .map(|(index, of)| {
                let measured = outcome.meter.of(index);
                let timed = comparison.map_or(measured, |comparison| comparison.ours(index));
                let mut report = kernel(of, flops[index], measured, timed);
                if let Some(comparison) = comparison {
                    report.ratio = comparison.ratio(index);
                    let mut baselines = comparison.baselines(index, of.elements).into_iter();
                    report.baseline = baselines.next();
                    report.baselines = baselines.collect();
                }
                report
            })
            .collect();
        Report {
            schema: "parloop.bench/1",
            app: name,
            commit: machine::COMMIT,
            machine: machine::machine(),
            threads: 1,
            mesh: Mesh {
                nodes: sizes.nodes,
                cells: sizes.cells,
                edges: sizes.edges,
                bedges: sizes.bedges,
            },
            order: order.name(),
            iterations: outcome.iterations,
            rms: outcome.history.last().map_or(0.0, |(_, rms)| *rms),
            history: outcome.history,
            seconds: outcome.elapsed.as_secs_f64(),
            kernels,
            ratio_geomean: comparison.and_then(Comparison::geometric_mean),
            cache,
        }
    }
}

/// Totals are of the `measured` run; times an element of the calls to be `timed`, those that alternated with the baseline's
/// where there is one.
fn kernel(of: &AppLoop, flops: Flops, measured: &Samples, timed: &Samples) -> KernelReport {
    let [low, median, high] = timed.spread_ns();
    let operations = flops.count as f64 * of.elements as f64;
    let bytes = of.prepared.useful_bytes() as f64;
    KernelReport {
        name: of.label.clone(),
        calls: measured.calls(),
        elements: measured.calls() * of.elements as u64,
        seconds: measured.total().as_secs_f64(),
        ns_per_element: per_element(median, of.elements),
        ns_per_element_min: per_element(timed.least_ns(), of.elements),
        ns_per_element_spread: (
            per_element(low, of.elements),
            per_element(high, of.elements),
        ),
        // Bytes a nanosecond are gigabytes a second.
        gb_per_s: quotient(bytes, median as f64),
        flops_per_element: flops.count,
        flops_exact: flops.is_exact,
        gflop_per_s: quotient(operations, median as f64),
        intensity: quotient(operations, bytes),
        source: of.prepared.source().name(),
        acquire_us: micros(of.prepared.acquire_time()),
        ratio: None,
        baseline: None,
        baselines: Vec::new(),
    }
}

impl CacheReport {
    /// The counts of this process, and what the directory holds once everything is written.
    pub(crate) fn of(engine: &Engine, watcher: &Watcher) -> CacheReport {
        let stats = engine.stats();
        let usage = engine.store().usage();
        CacheReport {
            compiled: stats.compiled,
            disk_hits: stats.disk_hits,
            memory_hits: stats.memory_hits,
            misses: watcher.misses(),
            entries: usage.objects,
            bytes: usage.bytes(),
        }
    }
}

pub(crate) fn per_element(ns: u64, elements: usize) -> f64 {
    quotient(ns as f64, elements as f64)
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Zero where there is nothing to divide by: a set may be empty.
fn quotient(of: f64, by: f64) -> f64 {
    if by > 0.0 { of / by } else { 0.0 }
}
