//! `parloop cache stats`: what lies in the directory, and what it did over its life, all processes together.

use super::open;
use crate::args::JsonArgs;
use crate::error::CliError;
use crate::output;
use crate::table::{bytes, duration};
use parloop::{Config, Mode};
use parloop_cache::{Layer, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Serialize)]
struct Totals {
    path: PathBuf,
    entries: u64,
    bytes: u64,
    entry_bytes: u64,
    shortcuts: u64,
    shortcut_bytes: u64,
    temporary: u64,
    problems: Vec<Problem>,
    lifetime: Lifetime,
}

#[derive(Serialize)]
struct Problem {
    path: PathBuf,
    code: &'static str,
}

#[derive(Serialize, Default)]
struct Lifetime {
    disk_hits: u64,
    shortcut_hits: u64,
    disk_misses: u64,
    shortcut_misses: u64,
    published: u64,
    rejected: u64,
    evicted: u64,
    saved_us: f64,
    misses: BTreeMap<String, u64>,
    rejects: BTreeMap<String, u64>,
    bypasses: BTreeMap<&'static str, u64>,
}

pub(super) fn run(
    args: &JsonArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let store = open(directory, config, Mode::ReadOnly)?;
    let totals = totals(directory, store.as_ref());
    if args.json {
        output::json(out, &totals)?;
        return Ok(());
    }
    let Lifetime {
        disk_hits,
        shortcut_hits,
        disk_misses,
        shortcut_misses,
        published,
        rejected,
        evicted,
        saved_us,
        misses,
        rejects,
        bypasses,
    } = &totals.lifetime;
    let shown = directory.display().to_string();
    writeln!(out, "directory  {}", output::line(&shown))?;
    writeln!(
        out,
        "entries    {} ({})",
        totals.entries,
        bytes(totals.entry_bytes)
    )?;
    writeln!(
        out,
        "shortcuts  {} ({})",
        totals.shortcuts,
        bytes(totals.shortcut_bytes)
    )?;
    if totals.temporary > 0 {
        writeln!(out, "temporary  {}", totals.temporary)?;
    }
    writeln!(
        out,
        "lifetime   {disk_hits} hits, {disk_misses} misses; shortcuts {shortcut_hits} hits, {shortcut_misses} misses; {published} files written, {rejected} rejected, {evicted} evicted; {} of compiling saved",
        duration(Duration::from_secs_f64(saved_us / 1e6)),
    )?;
    for (reason, count) in misses {
        writeln!(out, "missed     {reason}: {count}")?;
    }
    for (reason, count) in rejects {
        writeln!(out, "rejected   {reason}: {count}")?;
    }
    for (reason, count) in bypasses {
        writeln!(out, "not kept   {reason}: {count}")?;
    }
    for problem in &totals.problems {
        writeln!(
            out,
            "problem    {}: {}",
            problem.code,
            problem.path.to_string_lossy().escape_debug()
        )?;
    }
    Ok(())
}

fn totals(directory: &Path, store: Option<&Store>) -> Totals {
    let usage = store.map(Store::usage).unwrap_or_default();
    let problems = store.map(Store::problems).unwrap_or_default();
    let lifetime = store.map(|store| {
        let counts = store.lifetime();
        Lifetime {
            disk_hits: counts.disk_hits,
            shortcut_hits: counts.shortcut_hits,
            disk_misses: counts.disk_misses,
            shortcut_misses: counts.shortcut_misses,
            published: counts.published,
            rejected: counts.rejected,
            evicted: counts.evicted,
            saved_us: counts.saved.as_secs_f64() * 1e6,
            misses: counts.misses.iter().map(by_layer).collect(),
            rejects: counts.rejects.iter().map(by_layer).collect(),
            bypasses: counts.bypasses,
        }
    });
    Totals {
        path: directory.to_owned(),
        entries: usage.objects,
        bytes: usage.bytes(),
        entry_bytes: usage.object_bytes,
        shortcuts: usage.shortcuts,
        shortcut_bytes: usage.shortcut_bytes,
        temporary: usage.temporary,
        problems: problems
            .into_iter()
            .map(|problem| Problem {
                path: problem.path,
                code: problem.code,
            })
            .collect(),
        lifetime: lifetime.unwrap_or_default(),
    }
}

/// A count under a name for its layer and reason.
fn by_layer(((layer, reason), count): (&(Layer, &'static str), &u64)) -> (String, u64) {
    (format!("{} {reason}", layer.name()), *count)
}
