//! `parloop cache doctor`: each condition that makes the cache slower or refuses it, with what to do.

use crate::args::JsonArgs;
use crate::error::CliError;
use crate::output;
use parloop::Config;
use parloop_cache::{Condition, Mode, Severity, Store, StoreConfig};
use serde::Serialize;
use std::io::Write;
use std::sync::Arc;

#[derive(Serialize)]
struct Shown<'a> {
    code: &'a str,
    severity: &'a str,
    what: &'a str,
    advice: &'a str,
}

pub(super) fn run(args: &JsonArgs, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let mut settings = StoreConfig::default();
    settings.directory = config.cache_dir.clone();
    settings.size_bytes_max = config.cache_bytes_max;
    settings.entries_max = config.cache_entries_max;
    // A directory that is not there is not made, and one that is off is looked into all the same.
    settings.mode = Mode::ReadOnly;
    let store = Store::open(settings, Arc::new(()));
    let found = store.diagnose(config.cache_mode);
    if args.json {
        let shown: Vec<Shown<'_>> = found.iter().map(shown).collect();
        output::json(out, &shown)?;
    } else {
        print(&found, out)?;
    }
    let refused = found
        .iter()
        .filter(|condition| condition.severity == Severity::Refused);
    match refused.count() {
        0 => Ok(()),
        _ => Err(CliError::Unwell),
    }
}

fn shown(condition: &Condition) -> Shown<'_> {
    Shown {
        code: condition.code,
        severity: condition.severity.name(),
        what: &condition.what,
        advice: condition.advice,
    }
}

fn print(found: &[Condition], out: &mut dyn Write) -> Result<(), CliError> {
    if found.is_empty() {
        writeln!(out, "nothing is wrong")?;
    }
    for condition in found {
        let Shown {
            code,
            severity,
            what,
            advice,
        } = shown(condition);
        writeln!(out, "{severity}  {code}: {what}")?;
        writeln!(out, "  {advice}")?;
    }
    Ok(())
}
