//! `parloop cache ls`: the entries, by name, size, age, uses or time saved.
//!
//! Uses, and so the time saved, are a hint that the directory keeps and that ages: of late, not of all time.

use super::{Age, open, short};
use crate::args::{LsArgs, LsSort};
use crate::error::CliError;
use crate::output;
use crate::table::{bytes, duration, lines, table};
use parloop::{Config, Mode};
use parloop_cache::{Listed, Store, Table};
use serde::Serialize;
use std::cmp::Reverse;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Serialize)]
struct Listing {
    path: PathBuf,
    entries: Vec<ListedEntry>,
}

#[derive(Serialize)]
struct ListedEntry {
    fingerprint: String,
    kernel: String,
    file: Option<PathBuf>,
    file_bytes: u64,
    object_bytes: u64,
    compile_us: f64,
    created_unix_s: u64,
    uses: u8,
    saved_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<&'static str>,
}

pub(super) fn run(
    args: &LsArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let store = open(directory, config, Mode::ReadOnly)?;
    let mut entries: Vec<ListedEntry> = Vec::new();
    if let Some(store) = &store {
        let listed = store.entries_of(Table::Objects);
        let listed = listed.filter(|listed| is_of(listed, args.kernel.as_deref()));
        entries.extend(listed.map(|listed| listed_entry(&listed, store)));
    }
    sort(&mut entries, args.sort);
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
        "uses",
        "saved",
        "age",
        "",
    ];
    let mut shown = table(&headings, &[2, 3, 4, 5, 6, 7]);
    let mut files = Vec::new();
    for entry in &entries {
        shown.add_row([
            short(&entry.fingerprint),
            &entry.kernel,
            &bytes(entry.file_bytes),
            &bytes(entry.object_bytes),
            &duration(Duration::from_secs_f64(entry.compile_us / 1e6)),
            &entry.uses.to_string(),
            &duration(Duration::from_secs_f64(entry.saved_us / 1e6)),
            &Age::of(entry.created_unix_s).column(),
            entry.defect.unwrap_or_default(),
        ]);
        let file = entry.file.as_ref().filter(|_| args.kernel.is_some());
        files.extend(file.map(|file| file.display().to_string()));
    }
    if !entries.is_empty() {
        write!(out, "{}", lines(&shown))?;
    }
    for file in files {
        writeln!(out, "{}", output::line(&file))?;
    }
    let shown = output::line(&directory.display().to_string());
    let noun = match entries.len() {
        1 => "entry",
        _ => "entries",
    };
    writeln!(out, "{} {noun} in {shown}", entries.len())?;
    Ok(())
}

/// Whether an entry is of a kernel of this name, if one is given.
fn is_of(listed: &Listed, kernel: Option<&str>) -> bool {
    let label = || {
        listed
            .entry
            .as_ref()
            .is_ok_and(|e| Some(e.label()) == kernel)
    };
    kernel.is_none() || label()
}

fn listed_entry(listed: &Listed, store: &Store) -> ListedEntry {
    let mut shown = ListedEntry {
        fingerprint: listed.key.to_string(),
        kernel: String::new(),
        file: store.path_of(Table::Objects, &listed.key),
        file_bytes: listed.file_bytes,
        object_bytes: 0,
        compile_us: 0.0,
        created_unix_s: 0,
        uses: listed.uses,
        saved_us: 0.0,
        defect: None,
    };
    match &listed.entry {
        Ok(entry) => {
            let metadata = entry.metadata();
            shown.kernel = metadata.label_escaped();
            shown.object_bytes = entry.payload().len() as u64;
            shown.compile_us = metadata.compile_time.as_secs_f64() * 1e6;
            shown.saved_us = shown.compile_us * f64::from(listed.uses);
            shown.created_unix_s = metadata.created_unix_s;
        }
        Err(miss) => shown.defect = Some(miss.code()),
    }
    shown
}

/// The largest, oldest, most used, or what saved most first; what is equal by name.
fn sort(entries: &mut [ListedEntry], by: LsSort) {
    entries.sort_by(|a, b| (&a.kernel, &a.fingerprint).cmp(&(&b.kernel, &b.fingerprint)));
    match by {
        LsSort::Name => {}
        LsSort::Size => entries.sort_by_key(|entry| Reverse(entry.file_bytes)),
        LsSort::Age => entries.sort_by_key(|entry| entry.created_unix_s),
        LsSort::Uses => entries.sort_by_key(|entry| Reverse(entry.uses)),
        LsSort::Saved => entries.sort_by(|a, b| b.saved_us.total_cmp(&a.saved_us)),
    }
}
