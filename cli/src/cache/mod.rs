//! `parloop cache`: what lies in the cache directory. All but `rm`, `clear`, `gc` and `warm` only look, and make no directory.

mod doctor;
mod explain;
mod inspect;
mod ls;
mod rm;
mod stats;
mod verify;
mod warm;

use crate::args::CacheCommand;
use crate::error::CliError;
use crate::output;
use crate::table::bytes;
use parloop::{Config, Mode};
use parloop_cache::{State, Store, StoreConfig, Why};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So much of a fingerprint tells entries apart.
const SHOWN_CHARACTERS: usize = 12;

/// The beginning of a fingerprint.
fn short(fingerprint: &str) -> &str {
    &fingerprint[..SHOWN_CHARACTERS.min(fingerprint.len())]
}

pub(crate) fn run(
    command: &CacheCommand,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    // It says itself what is wrong with having no directory.
    if let CacheCommand::Doctor(args) = command {
        return doctor::run(args, config, out);
    }
    let directory = config.cache_dir.as_deref();
    let directory = directory.ok_or(CliError::NoCacheDirectory)?;
    match command {
        CacheCommand::Path => writeln!(out, "{}", directory.display())?,
        CacheCommand::Ls(args) => ls::run(args, directory, config, out)?,
        CacheCommand::Stats(args) => stats::run(args, directory, config, out)?,
        CacheCommand::Inspect(args) => match open(directory, config, Mode::ReadOnly)? {
            Some(store) => inspect::run(args, &store, out)?,
            None => {
                let prefix = args.fingerprint.clone();
                return Err(CliError::NoEntry { prefix });
            }
        },
        CacheCommand::Explain(args) => explain::run(args, directory, config, out)?,
        CacheCommand::Doctor(args) => doctor::run(args, config, out)?,
        CacheCommand::Verify(args) => verify::run(args, directory, config, out)?,
        CacheCommand::Gc => gc(directory, config, out)?,
        CacheCommand::Rm(args) => rm::run(args, directory, config, out)?,
        CacheCommand::Clear => clear(directory, config, out)?,
        CacheCommand::Warm(args) => warm::run(args, config, out)?,
    }
    Ok(())
}

/// The store of a directory that is to be written to; `None` if there is no such directory. One that is only to be read is
/// refused; mode `off` is for programs, and a cache that they are not to use may be emptied.
fn open_to_write(directory: &Path, config: &Config) -> Result<Option<Store>, CliError> {
    if config.cache_mode == Mode::ReadOnly {
        let why = Why::Mode(Mode::ReadOnly);
        let path = directory.to_owned();
        return Err(CliError::CacheUnusable { path, why });
    }
    let store = open(directory, config, Mode::ReadWrite)?;
    match store.as_ref().map(Store::state) {
        Some(State::ReadOnly { why }) => {
            let path = directory.to_owned();
            Err(CliError::CacheUnusable { path, why })
        }
        _ => Ok(store),
    }
}

fn gc(directory: &Path, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let store = open_to_write(directory, config)?;
    let path = directory.to_owned();
    let collected = match store {
        None => parloop_cache::Collected::default(),
        Some(store) => store
            .collect()
            .map_err(|source| CliError::Collect { path, source })?,
    };
    writeln!(
        out,
        "evicted {} files ({}) and removed {} temporary files; {} files ({}) are left, within {} files and {}",
        collected.evicted,
        bytes(collected.evicted_bytes),
        collected.temporary,
        collected.entries,
        bytes(collected.bytes),
        config.cache_entries_max,
        bytes(config.cache_bytes_max),
    )?;
    if collected.outdated > 0 {
        writeln!(
            out,
            "removed {} files of other format versions, which nothing used for 30 days",
            collected.outdated
        )?;
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

/// When something says that it was made.
#[derive(Debug, PartialEq)]
enum Age {
    /// It does not say.
    Unknown,
    /// So long ago, in one unit.
    Ago(String),
    Future,
}

impl Age {
    fn of(unix_s: u64) -> Age {
        // An entry may state any time, also one that no clock has.
        let then = UNIX_EPOCH.checked_add(Duration::from_secs(unix_s));
        let age = then.and_then(|then| SystemTime::now().duration_since(then).ok());
        match age.map(|age| age.as_secs()) {
            _ if unix_s == 0 => Age::Unknown,
            None => Age::Future,
            Some(s @ 0..60) => Age::Ago(format!("{s} s")),
            Some(s @ 60..3600) => Age::Ago(format!("{} min", s / 60)),
            Some(s @ 3600..172_800) => Age::Ago(format!("{} h", s / 3600)),
            Some(s) => Age::Ago(format!("{} d", s / 86_400)),
        }
    }

    /// In a column of ages.
    fn column(self) -> String {
        match self {
            Age::Unknown => String::new(),
            Age::Ago(age) => age,
            Age::Future => "in future".to_owned(),
        }
    }

    /// In a sentence.
    fn words(self) -> String {
        match self {
            Age::Unknown => "(unknown)".to_owned(),
            Age::Ago(age) => age + " ago",
            Age::Future => "in future".to_owned(),
        }
    }
}

fn clear(directory: &Path, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let store = open_to_write(directory, config)?;
    let removed = store.map(|store| store.clear()).unwrap_or_default();
    writeln!(
        out,
        "removed {} entries, {} shortcuts and {} temporary files ({}) from {}",
        removed.objects,
        removed.shortcuts,
        removed.temporary,
        bytes(removed.bytes()),
        output::line(&directory.display().to_string()),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_too_far_away_to_be_shown() {
        for late in [u64::MAX, u64::MAX / 2, 1 << 40] {
            assert_eq!(Age::of(late), Age::Future);
        }
        assert_eq!(Age::of(0), Age::Unknown);
        assert!(Age::of(1).column().ends_with(" d"));
    }

    #[test]
    fn what_was_made_in_the_future_was_not_made_ago() {
        assert_eq!(Age::of(u64::MAX).words(), "in future");
        assert_eq!(Age::of(0).words(), "(unknown)");
        assert!(Age::of(1).words().ends_with(" d ago"));
    }
}
