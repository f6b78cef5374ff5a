//! The report for people.

use super::super::compare::geometric_mean;
use super::{CompileReport, KernelReport};
use crate::clock::FRONT_END;
use crate::table::{lines, table};
use parloop_compiler::Stage;
use std::fmt::Write;

/// Columns of shares, and the stages that each sums up.
const SHARES: [(&str, &[&str]); 4] = [
    ("front end", &[FRONT_END]),
    (
        "passes",
        &[
            Stage::Prepared.name(),
            Stage::Wrapped.name(),
            Stage::Guarded.name(),
            Stage::Optimised.name(),
        ],
    ),
    ("translation", &[Stage::Clif.name()]),
    ("code", &[Stage::Object.name()]),
];

/// A table with a line for each loop, and what they come to.
pub(super) fn summary(report: &CompileReport, before: Option<&CompileReport>) -> String {
    let has_counts = report.kernels.iter().any(|k| k.instructions.is_some());
    let has_ratios = report.ratio_geomean.is_some();
    let mut headings = vec!["ms"];
    headings.extend(SHARES.map(|(heading, _)| heading));
    headings.push("bytes");
    headings.extend(has_counts.then_some("instructions"));
    headings.extend(before.map(|_| "to before"));
    headings.extend(has_ratios.then_some("cc/ours"));
    let numbers: Vec<usize> = (0..headings.len()).collect();
    headings.extend(["kernel", "app"]);
    let mut shown = table(&headings, &numbers);
    for kernel in &report.kernels {
        let mut row = vec![format!("{:.2}", kernel.callable_us / 1e3)];
        row.extend(SHARES.map(|(_, stages)| format!("{:.0}%", 100.0 * share(kernel, stages))));
        row.push(kernel.object_bytes.to_string());
        row.extend(kernel.instructions.map(|count| count.to_string()));
        if let Some(before) = before {
            let ratio = change(kernel, before);
            row.push(ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}")));
        }
        row.extend(kernel.ratio.map(|ratio| format!("{:.0}", 1.0 / ratio)));
        row.extend([kernel.name.clone(), kernel.app.clone()]);
        shown.add_row(row);
    }
    let mut text = lines(&shown);
    text.push('\n');
    text.push_str(&totals(report, before));
    text
}

/// The share of some stages in all of a compilation's.
fn share(kernel: &KernelReport, stages: &[&str]) -> f64 {
    let all = &kernel.stages_us;
    let times = stages.iter().filter_map(|stage| all.get(*stage));
    times.sum::<f64>() / all.values().sum::<f64>()
}

/// How many instructions a loop takes for each one that it took before.
fn change(kernel: &KernelReport, before: &CompileReport) -> Option<f64> {
    let mut kernels = before.kernels.iter();
    let same = kernels.find(|other| (&other.app, &other.name) == (&kernel.app, &kernel.name))?;
    Some(kernel.instructions? as f64 / same.instructions? as f64)
}

fn totals(report: &CompileReport, before: Option<&CompileReport>) -> String {
    let kernels = &report.kernels;
    let mean = geometric_mean(kernels.iter().map(|kernel| kernel.callable_us));
    let mut text = format!(
        "{} loops, medians of {} rounds: geometric mean {:.2} ms from text to callable\n",
        kernels.len(),
        report.rounds,
        mean.unwrap_or(f64::NAN) / 1e3,
    );
    if let Some(ratio) = report.ratio_geomean {
        let _ = writeln!(
            text,
            "the C compiler takes {:.0} times as long",
            1.0 / ratio
        );
    }
    let counts: Option<u64> = kernels.iter().map(|kernel| kernel.instructions).sum();
    if let Some(all) = counts {
        let _ = writeln!(text, "{all} instructions at x86-64-v3, from text to object");
    }
    if let Some(before) = before {
        let changes = kernels.iter().filter_map(|kernel| change(kernel, before));
        let told = geometric_mean(changes).map_or_else(
            || "no loop is in the record with a count".to_owned(),
            |mean| {
                format!(
                    "geometric mean {mean:.4} of the counts at commit {}",
                    before.commit
                )
            },
        );
        let _ = writeln!(text, "{told}");
    }
    text
}
