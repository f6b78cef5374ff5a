//! What `parloop compare` says of a file: a table, or one JSON object.

use crate::table::{bytes, duration, lines, scientific, table};
use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) schema: u32,
    pub(super) file: String,
    /// None if nothing was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compiling: Option<Compiling>,
    pub(super) functions: Vec<Compared>,
    pub(super) skipped: Vec<Skipped>,
    /// How many of the skipped killed their process.
    #[serde(skip)]
    pub(super) crashed: usize,
}

/// What it takes from the text to all functions compared, asked for together.
#[derive(Debug, Serialize)]
pub(super) struct Compiling {
    /// That parloop may compile with.
    pub(super) threads: usize,
    pub(super) parloop_us: f64,
    /// The C compiler's for the file, to a loaded shared object.
    pub(super) cc_us: f64,
    pub(super) ratio: f64,
}

/// A function that both sides ran.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    pub(super) name: String,
    /// Within the tolerance, every output written.
    pub(super) agrees: bool,
    pub(super) max_rel: f64,
    pub(super) max_ulp: u64,
    pub(super) untouched: Vec<String>,
    pub(super) not_finite: bool,
    pub(super) cc: Baseline,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) baselines: Vec<Baseline>,
    pub(super) parloop: Ours,
    /// The file's: [`Compiling::ratio`].
    pub(super) compile_ratio: f64,
    pub(super) run_ratio: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Baseline {
    pub(super) compiler: String,
    pub(super) flags: String,
    /// For the whole file.
    pub(super) compile_us: f64,
    pub(super) ns_per_call: f64,
    pub(super) run_ratio: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Ours {
    /// By itself, after those before it in the file.
    pub(super) compile_us: f64,
    pub(super) ns_per_call: f64,
    pub(super) object_bytes: u64,
    pub(super) level: &'static str,
}

/// A function that was not compared.
#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) name: String,
    pub(super) why: String,
}

impl Compiling {
    fn line(&self) -> String {
        let times = |us: f64| duration(Duration::from_secs_f64(us * 1e-6));
        format!(
            "compiling: parloop {} ({} threads), cc {}, ratio 1/{:.1}\n",
            times(self.parloop_us),
            self.threads,
            times(self.cc_us),
            self.ratio.recip(),
        )
    }
}

impl Report {
    /// For people.
    pub(super) fn table(&self) -> String {
        let mut out = String::new();
        if !self.functions.is_empty() {
            out.push_str(&self.functions_table());
        }
        if let Some(compiling) = &self.compiling {
            out.push_str(&compiling.line());
        }
        for skipped in &self.skipped {
            // Writing to a string can't fail.
            let _ = writeln!(out, "skipped {}: {}", skipped.name, skipped.why);
        }
        out
    }

    fn functions_table(&self) -> String {
        let mut headings = vec![
            "function", "agrees", "max rel", "max ulp", "object", "compile", "ns/call", "cc ns",
            "ratio",
        ];
        let first = &self.functions[0];
        headings.extend(first.baselines.iter().map(|b| b.flags.as_str()));
        let right: Vec<usize> = (2..headings.len()).collect();
        let mut shown = table(&headings, &right);
        for f in &self.functions {
            let mut row = vec![
                f.name.clone(),
                verdict(f),
                scientific(f.max_rel, 1),
                f.max_ulp.to_string(),
                bytes(f.parloop.object_bytes),
                duration(Duration::from_secs_f64(f.parloop.compile_us * 1e-6)),
                format!("{:.1}", f.parloop.ns_per_call),
                format!("{:.1}", f.cc.ns_per_call),
                format!("{:.3}", f.run_ratio),
            ];
            row.extend(f.baselines.iter().map(|b| format!("{:.3}", b.run_ratio)));
            shown.add_row(row);
        }
        format!(
            "{}\nratios: parloop / cc ({} {}), geometric mean {:.3}\n",
            lines(&shown),
            first.cc.compiler,
            first.cc.flags,
            self.geometric_mean(),
        )
    }

    fn geometric_mean(&self) -> f64 {
        let logs = self.functions.iter().map(|f| f.run_ratio.ln());
        (logs.sum::<f64>() / self.functions.len() as f64).exp()
    }
}

fn verdict(f: &Compared) -> String {
    match (f.agrees, f.untouched.is_empty(), f.not_finite) {
        (true, _, false) => "yes".to_owned(),
        (true, _, true) => "yes (not all finite)".to_owned(),
        (false, true, _) => "NO".to_owned(),
        (false, false, _) => format!("NO: {} untouched", f.untouched.join(", ")),
    }
}
