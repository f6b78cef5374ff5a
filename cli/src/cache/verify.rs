//! `parloop cache verify`: every file of ours authenticated; deep, every entry compiled again from the kernel that it keeps.
//!
//! Only looks: what is no sound entry is listed, and left to the next run that needs it. An entry of another build of the compiler
//! can't be compared, and is counted as such.

use super::{open, short};
use crate::args::VerifyArgs;
use crate::error::CliError;
use crate::output;
use parloop::{Config, Mode};
use parloop_cache::{Entry, Listed, Table};
use parloop_compiler::fingerprint::decode_request;
use parloop_compiler::{Fingerprint, Preimage, ShortcutRecord, build_id, compile};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Report {
    path: PathBuf,
    /// Sound entries.
    entries: usize,
    /// Sound records.
    shortcuts: usize,
    /// Compiled again, with the same result.
    compiled: usize,
    /// Made by another build of the compiler, so not compiled again.
    other_builds: usize,
    defects: Vec<Defect>,
}

#[derive(Serialize)]
struct Defect {
    table: &'static str,
    fingerprint: String,
    code: &'static str,
}

/// What a look at a sound file came to.
enum Verdict {
    Sound,
    Compiled,
    OtherBuild,
    Defect(&'static str),
}

pub(super) fn run(
    args: &VerifyArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let mut report = Report {
        path: directory.to_owned(),
        entries: 0,
        shortcuts: 0,
        compiled: 0,
        other_builds: 0,
        defects: Vec::new(),
    };
    if let Some(store) = open(directory, config, Mode::ReadOnly)? {
        store
            .entries()
            .for_each(|listed| report.take(&listed, args.deep));
    }
    report
        .defects
        .sort_by(|a, b| (a.table, &a.fingerprint).cmp(&(b.table, &b.fingerprint)));
    if args.json {
        output::json(out, &report)?;
    } else {
        report.print(args.deep, out)?;
    }
    match report.defects.len() {
        0 => Ok(()),
        count => Err(CliError::Unsound {
            count,
            total: count + report.entries + report.shortcuts,
        }),
    }
}

impl Report {
    fn take(&mut self, listed: &Listed, deep: bool) {
        let verdict = match &listed.entry {
            Err(miss) => Verdict::Defect(miss.code()),
            Ok(_) if !deep => Verdict::Sound,
            Ok(entry) => match listed.table {
                Table::Objects => compiled_again(listed, entry),
                Table::Shortcuts => match ShortcutRecord::decode(entry.payload()) {
                    Ok(_) => Verdict::Sound,
                    Err(_) => Verdict::Defect("bad_record"),
                },
            },
        };
        match verdict {
            Verdict::Defect(code) => {
                return self.defects.push(Defect {
                    table: table_name(listed.table),
                    fingerprint: listed.key.to_string(),
                    code,
                });
            }
            Verdict::Compiled => self.compiled += 1,
            Verdict::OtherBuild => self.other_builds += 1,
            Verdict::Sound => {}
        }
        match listed.table {
            Table::Objects => self.entries += 1,
            Table::Shortcuts => self.shortcuts += 1,
        }
    }

    fn print(&self, deep: bool, out: &mut dyn Write) -> Result<(), CliError> {
        for defect in &self.defects {
            let fingerprint = short(&defect.fingerprint);
            writeln!(out, "{} {fingerprint}: {}", defect.table, defect.code)?;
        }
        let sound = format!(
            "{} entries and {} shortcuts are sound",
            self.entries, self.shortcuts
        );
        let path = self.path.display().to_string();
        writeln!(out, "{sound} in {}", path.escape_debug())?;
        if deep {
            writeln!(
                out,
                "{} entries compiled again with the same result, {} of other builds not compared",
                self.compiled, self.other_builds
            )?;
        }
        Ok(())
    }
}

const fn table_name(table: Table) -> &'static str {
    match table {
        Table::Objects => "entry",
        Table::Shortcuts => "shortcut",
    }
}

fn compiled_again(listed: &Listed, entry: &Entry) -> Verdict {
    let Ok((request, by)) = decode_request(entry.preimage()) else {
        return Verdict::OtherBuild;
    };
    if by.build_id != build_id() {
        return Verdict::OtherBuild;
    }
    let Fingerprint(own) = Preimage::of(&request).fingerprint();
    if own != *listed.key.as_bytes() {
        return Verdict::Defect("wrong_key");
    }
    match compile(&request) {
        Ok(compiled) if compiled.object == entry.payload() => Verdict::Compiled,
        _ => Verdict::Defect("differs"),
    }
}
