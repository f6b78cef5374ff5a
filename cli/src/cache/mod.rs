//! `parloop cache`: what lies in the cache directory. All but `clear` only look, and make no directory.

mod inspect;

use crate::args::{CacheCommand, JsonArgs};
use crate::error::CliError;
use crate::output;
use crate::table::{bytes, duration, lines, table};
use parloop::{Config, Mode};
use parloop_cache::{Listed, State, Store, StoreConfig, Table};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So much of a fingerprint tells entries apart.
const SHOWN_CHARACTERS: usize = 12;

pub(crate) fn run(
    command: &CacheCommand,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let directory = config.cache_dir.as_deref();
    let directory = directory.ok_or(CliError::NoCacheDirectory)?;
    match command {
        CacheCommand::Path => writeln!(out, "{}", directory.display())?,
        CacheCommand::Ls(args) => list(args, directory, config, out)?,
        CacheCommand::Stats(args) => stats(args, directory, config, out)?,
        CacheCommand::Inspect(args) => match open(directory, config, Mode::ReadOnly)? {
            Some(store) => inspect::run(args, &store, out)?,
            None => {
                let prefix = args.fingerprint.clone();
                return Err(CliError::NoEntry { prefix });
            }
        },
        CacheCommand::Clear => clear(directory, config, out)?,
    }
    Ok(())
}

/// The store of a directory; `None` if there is no such directory.
fn open(directory: &Path, config: &Config, mode: Mode) -> Result<Option<Store>, CliError> {
    if !directory.exists() {
        return Ok(None);
    }
    let mut settings = StoreConfig::at(directory);
    settings.mode = mode;
    settings.size_bytes_max = config.cache_bytes_max;
    settings.entries_max = config.cache_entries_max;
    let store = Store::open(settings, Arc::new(()));
    match store.state() {
        State::Disabled { why } => Err(CliError::CacheUnusable {
            path: directory.to_owned(),
            why,
        }),
        _ => Ok(Some(store)),
    }
}

#[derive(Serialize)]
struct Listing {
    path: PathBuf,
    entries: Vec<ListedEntry>,
}

#[derive(Serialize)]
struct ListedEntry {
    fingerprint: String,
    kernel: String,
    file_bytes: u64,
    object_bytes: u64,
    compile_us: f64,
    created_unix_s: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<&'static str>,
}

fn list(
    args: &JsonArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let store = open(directory, config, Mode::ReadOnly)?;
    let mut entries: Vec<ListedEntry> = store
        .iter()
        .flat_map(Store::entries)
        .filter(|listed| listed.table == Table::Objects)
        .map(|listed| listed_entry(&listed))
        .collect();
    entries.sort_by(|a, b| (&a.kernel, &a.fingerprint).cmp(&(&b.kernel, &b.fingerprint)));
    if args.json {
        let path = directory.to_owned();
        output::json(out, &Listing { path, entries })?;
        return Ok(());
    }
    let headings = [
        "fingerprint",
        "kernel",
        "file",
        "object",
        "compile",
        "age",
        "",
    ];
    let mut shown = table(&headings, &[2, 3, 4, 5]);
    for entry in &entries {
        shown.add_row([
            &entry.fingerprint[..SHOWN_CHARACTERS.min(entry.fingerprint.len())],
            &entry.kernel,
            &bytes(entry.file_bytes),
            &bytes(entry.object_bytes),
            &duration(Duration::from_secs_f64(entry.compile_us / 1e6)),
            &age(entry.created_unix_s),
            entry.defect.unwrap_or_default(),
        ]);
    }
    if !entries.is_empty() {
        write!(out, "{}", lines(&shown))?;
    }
    writeln!(out, "{} entries in {}", entries.len(), directory.display())?;
    Ok(())
}

fn listed_entry(listed: &Listed) -> ListedEntry {
    let mut shown = ListedEntry {
        fingerprint: listed.key.to_string(),
        kernel: String::new(),
        file_bytes: listed.file_bytes,
        object_bytes: 0,
        compile_us: 0.0,
        created_unix_s: 0,
        defect: None,
    };
    match &listed.entry {
        Ok(entry) => {
            let metadata = entry.metadata();
            shown.kernel = metadata.label_escaped();
            shown.object_bytes = entry.payload().len() as u64;
            shown.compile_us = metadata.compile_time.as_secs_f64() * 1e6;
            shown.created_unix_s = metadata.created_unix_s;
        }
        Err(miss) => shown.defect = Some(miss.code()),
    }
    shown
}

/// How long ago, in one unit.
fn age(unix_s: u64) -> String {
    let then = UNIX_EPOCH + Duration::from_secs(unix_s);
    let Ok(age) = SystemTime::now().duration_since(then) else {
        return "in future".to_owned();
    };
    match age.as_secs() {
        _ if unix_s == 0 => String::new(),
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s @ 3600..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

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
}

fn stats(
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
    } = totals.lifetime;
    writeln!(out, "directory  {}", directory.display())?;
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
    for problem in &totals.problems {
        writeln!(
            out,
            "problem    {}: {}",
            problem.code,
            problem.path.display()
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

fn clear(directory: &Path, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let removed = match open(directory, config, Mode::ReadWrite)? {
        None => parloop_cache::Usage::default(),
        Some(store) => match store.state() {
            State::ReadOnly { why } => {
                let path = directory.to_owned();
                return Err(CliError::CacheUnusable { path, why });
            }
            _ => store.clear(),
        },
    };
    writeln!(
        out,
        "removed {} entries, {} shortcuts and {} temporary files ({}) from {}",
        removed.objects,
        removed.shortcuts,
        removed.temporary,
        bytes(removed.bytes()),
        directory.display(),
    )?;
    Ok(())
}
