//! `parloop cache rm`: removes single entries. The next run that needs one compiles it again.
//!
//! Invariant: all that is asked for is found before anything is removed, and nothing but entries is.

use super::{inspect, open_to_write, short};
use crate::args::RmArgs;
use crate::error::CliError;
use parloop::Config;
use parloop_cache::Table;
use std::io::Write;
use std::path::Path;

pub(super) fn run(
    args: &RmArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let no_entry = |prefix: &String| CliError::NoEntry {
        prefix: prefix.clone(),
    };
    let Some(store) = open_to_write(directory, config)? else {
        return Err(args
            .fingerprints
            .first()
            .map_or(CliError::NoCacheDirectory, no_entry));
    };
    let mut keys = Vec::new();
    for prefix in &args.fingerprints {
        let key = inspect::find(prefix, &store)?;
        if store.path_of(Table::Objects, &key).is_none() {
            return Err(no_entry(prefix));
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for key in keys {
        let label = store.inspect(Table::Objects, &key);
        let label = label.map_or_else(|_| "damaged".to_owned(), |e| e.metadata().label_escaped());
        let fingerprint = key.to_string();
        match store.remove(Table::Objects, &key) {
            true => writeln!(out, "removed {} ({label})", short(&fingerprint))?,
            false => return Err(CliError::NotRemoved { key: fingerprint }),
        }
    }
    Ok(())
}
