//! A benchmark's report for people: OP2's timing table, with medians and where each loop's code came from.

use super::report::{KernelReport, Report};
use crate::table::{bytes, duration, lines, scientific, table};
use parloop_kernels::app::Sizes;
use parloop_kernels::order::Order;
use std::fmt::Write;
use std::time::Duration;

/// What is run, before it runs.
pub(crate) fn heading(name: &str, sizes: Sizes, order: Order, iterations: u64) -> String {
    let sets = [
        ("cells", sizes.cells),
        ("nodes", sizes.nodes),
        ("edges", sizes.edges),
        ("boundary edges", sizes.bedges),
    ];
    let sets = sets.iter().filter(|(_, size)| *size > 0);
    let sets: Vec<String> = sets.map(|(set, size)| format!("{size} {set}")).collect();
    let (sets, order) = (sets.join(", "), order.name());
    format!("{name}: {sets}; {order} order; {iterations} iterations")
}

/// The number an app reports, after an iteration.
pub(crate) fn progress_line(iteration: u64, number: f64) -> String {
    format!("{iteration:>8}  {}", scientific(number, 5))
}

/// Everything else. The last line says how the code of the loops was come by.
pub(crate) fn summary(report: &Report) -> String {
    let mut text = String::new();
    let each = report.seconds / report.iterations.max(1) as f64;
    let _ = writeln!(
        text,
        "rms {} after {} iterations in {}, {} an iteration\n",
        scientific(report.rms, 12),
        report.iterations,
        duration(Duration::from_secs_f64(report.seconds)),
        duration(Duration::from_secs_f64(each)),
    );
    text.push_str(&kernels(report));
    if let Some(mean) = report.ratio_geomean {
        text.push_str(&compared(report, mean));
    }
    let cache = &report.cache;
    let _ = writeln!(
        text,
        "\ncache: {} entries, {}",
        cache.entries,
        bytes(cache.bytes)
    );
    if !cache.misses.is_empty() {
        let misses: Vec<String> = cache
            .misses
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let _ = writeln!(text, "misses: {}", misses.join(", "));
    }
    let _ = writeln!(
        text,
        "loops: {} compiled, {} from disk, {} from memory",
        cache.compiled, cache.disk_hits, cache.memory_hits
    );
    text
}

pub(crate) fn kernels(report: &Report) -> String {
    let mut headings = vec![
        "count", "time", "ns/elem", "10%", "90%", "GB/s", "GFLOP/s", "kernel", "code", "acquire",
    ];
    let mut right = vec![0, 1, 2, 3, 4, 5, 6, 9];
    if report.ratio_geomean.is_some() {
        headings.extend(["cc ns/elem", "ratio"]);
        right.extend([10, 11]);
        let more = report.kernels.iter().flat_map(|k| &k.baselines);
        let more = more.take(report.kernels.first().map_or(0, |k| k.baselines.len()));
        for baseline in more {
            right.push(headings.len());
            headings.push(&baseline.flags);
        }
    }
    let mut shown = table(&headings, &right);
    for kernel in &report.kernels {
        shown.add_row(row(kernel));
    }
    lines(&shown)
}

fn row(kernel: &KernelReport) -> Vec<String> {
    let (low, high) = kernel.ns_per_element_spread;
    let mut row = vec![
        kernel.calls.to_string(),
        format!("{:.4} s", kernel.seconds),
        format!("{:.2}", kernel.ns_per_element),
        format!("{low:.2}"),
        format!("{high:.2}"),
        format!("{:.2}", kernel.gb_per_s),
        gflop_per_s(kernel),
        kernel.name.clone(),
        kernel.source.to_owned(),
        duration(Duration::from_secs_f64(kernel.acquire_us / 1e6)),
    ];
    if let (Some(ratio), Some(baseline)) = (kernel.ratio, &kernel.baseline) {
        row.push(format!("{:.2}", baseline.ns_per_element));
        row.push(format!("{ratio:.3}"));
    }
    let more = kernel.baselines.iter();
    row.extend(more.map(|b| b.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}"))));
    row
}

/// With a mark where not every element does so many operations.
fn gflop_per_s(kernel: &KernelReport) -> String {
    let mark = if kernel.flops_exact { "" } else { "<" };
    format!("{mark}{:.2}", kernel.gflop_per_s)
}

fn compared(report: &Report, mean: f64) -> String {
    let baselines = report.kernels.iter().filter_map(|k| k.baseline.as_ref());
    let compile_us: f64 = baselines.clone().map(|b| b.compile_us).sum();
    let acquire_us: f64 = report.kernels.iter().map(|k| k.acquire_us).sum();
    let Some(first) = baselines.clone().next() else {
        return String::new();
    };
    let times = |us: f64| duration(Duration::from_secs_f64(us / 1e6));
    format!(
        "\nparloop / cc, geometric mean: {mean:.3} ({} {})\ncode of all loops: parloop {}, cc {}\n",
        first.compiler,
        first.flags,
        times(acquire_us),
        times(compile_us),
    )
}
