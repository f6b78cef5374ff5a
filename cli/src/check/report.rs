//! What `parloop check` says of a file: diagnostics drawn over the text, or one JSON object.

use super::compile::Outcome;
use crate::table::{bytes, duration, lines, table};
use parloop_cache::Key;
use parloop_compiler::{Diagnostic, Severity, SkippedItem};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// Skipped items that are shown as text.
const SKIPPED_MAX: usize = 20;

#[derive(Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) file: &'a str,
    pub(crate) functions: Vec<Function<'a>>,
    skipped: Vec<Skipped<'a>>,
    pub(crate) total_us: f64,
}

#[derive(Serialize)]
pub(crate) struct Function<'a> {
    name: &'a str,
    ok: bool,
    diagnostics: Vec<Finding<'a>>,
    clif_instructions: Option<usize>,
    object_bytes: Option<usize>,
    #[serde(serialize_with = "stages")]
    stage_us: &'a [(&'static str, Duration)],
    fingerprint: Option<String>,
}

/// What no kernel needs.
#[derive(Serialize)]
struct Skipped<'a> {
    name: &'a str,
    line: u32,
    why: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    severity: &'static str,
    code: &'a str,
    message: &'a str,
    line: Option<u32>,
    column: Option<usize>,
    help: Option<&'a str>,
    rendered: String,
}

impl<'a> Report<'a> {
    pub(crate) fn new(
        file: &'a str,
        text: &str,
        outcomes: &'a [Outcome],
        skipped: &'a [SkippedItem],
        total: Duration,
    ) -> Report<'a> {
        let skipped = skipped.iter().map(|item| Skipped {
            name: &item.name,
            line: item.span.line(text),
            why: item.why,
        });
        let functions = outcomes.iter().map(|o| function(file, text, o)).collect();
        Report {
            file,
            functions,
            skipped: skipped.collect(),
            total_us: micros(total),
        }
    }
}

fn function<'a>(file: &str, text: &str, outcome: &'a Outcome) -> Function<'a> {
    let made = outcome.made.as_ref();
    let refusal = outcome.refusal.as_deref().map(|message| Finding {
        severity: severity(Severity::Error),
        code: "not-compiled",
        message,
        line: None,
        column: None,
        help: None,
        rendered: format!("error: {message}"),
    });
    let findings = outcome.findings.iter().map(|d| finding(file, text, d));
    Function {
        name: &outcome.name,
        ok: outcome.is_ok(),
        diagnostics: findings.chain(refusal).collect(),
        clif_instructions: made.map(|m| m.compiled.clif_instructions),
        object_bytes: made.map(|m| m.compiled.object.len()),
        stage_us: &outcome.stages,
        fingerprint: made.map(|m| Key::new(m.fingerprint.0).to_string()),
    }
}

fn finding<'a>(file: &str, text: &str, diagnostic: &'a Diagnostic) -> Finding<'a> {
    let start = (diagnostic.span.start as usize).min(text.len());
    let line_start = text.as_bytes()[..start]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    Finding {
        severity: severity(diagnostic.severity),
        code: &diagnostic.code,
        message: &diagnostic.message,
        line: Some(diagnostic.span.line(text)),
        column: Some(start - line_start + 1),
        help: diagnostic.help.as_deref(),
        rendered: diagnostic.render(file, text),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn stages<S: Serializer>(
    stages: &&[(&'static str, Duration)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(stages.iter().map(|(name, time)| (name, micros(*time))))
}

/// Diagnostics, drawn over the text.
pub(crate) fn findings(file: &str, text: &str, outcome: &Outcome) -> String {
    let mut shown: String = outcome
        .findings
        .iter()
        .map(|diagnostic| diagnostic.render(file, text) + "\n\n")
        .collect();
    if let Some(refusal) = &outcome.refusal {
        shown += &format!("error: {file}: {}: {refusal}\n\n", outcome.name);
    }
    let undeclared = |d: &Diagnostic| d.code == "undeclared-name";
    if outcome.findings.iter().any(undeclared) {
        shown += "note: kernel constants are declared with --constant NAME[:TYPE][:DIM]\n\n";
    }
    shown
}

/// What no kernel needs, a line each; of many the first.
pub(crate) fn skipped(text: &str, items: &[SkippedItem]) -> String {
    let mut shown = String::new();
    for item in items.iter().take(SKIPPED_MAX) {
        let line = item.span.line(text);
        shown += &format!("skipped: {} (line {line}): {}\n", item.name, item.why);
    }
    if let Some(more) = items.len().checked_sub(SKIPPED_MAX + 1) {
        shown += &format!("skipped: {} more\n", more + 1);
    }
    shown
}

/// Sizes and times of the kernels that compile.
pub(crate) fn sizes(outcomes: &[Outcome], total: Duration) -> String {
    let mut shown = table(
        &[
            "function",
            "arguments",
            "instructions",
            "object",
            "check",
            "compile",
            "fingerprint",
        ],
        &[2, 3, 4, 5],
    );
    for outcome in outcomes {
        let Some(made) = &outcome.made else { continue };
        let (front, rest) = outcome.stages.split_at(outcome.stages.len().min(1));
        let sum = |stages: &[(&str, Duration)]| duration(stages.iter().map(|(_, t)| *t).sum());
        let arguments = made.signature.args.iter();
        let arguments: Vec<String> = arguments
            .map(|arg| format!("{}:{}", arg.access, arg.dim))
            .collect();
        let fingerprint = Key::new(made.fingerprint.0).to_string();
        shown.add_row([
            outcome.name.clone(),
            arguments.join(" "),
            made.compiled.clif_instructions.to_string(),
            bytes(made.compiled.object.len() as u64),
            sum(front),
            sum(rest),
            fingerprint[..12].to_owned(),
        ]);
    }
    format!("{}all functions: {}\n", lines(&shown), duration(total))
}
