//! `parloop cache warm`: compiles the kernels of C files as plain functions, and has them kept for processes to come.
//!
//! Loops can't be warmed: what they are compiled for, their arguments, is not in a file. What else can't be, an extent that depends on
//! data for one, is listed with the reason, and makes the command fail when the rest is done.

use super::short;
use crate::args::WarmArgs;
use crate::error::CliError;
use crate::kernels::KernelFile;
use crate::output;
use crate::table::duration;
use parloop::{Config, Engine};
use parloop_cache::{Bypass, State};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Writing may take this long when all is compiled.
const FLUSH_MAX: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Warmed {
    file: String,
    kernel: String,
    /// `compiled`, `disk` or `memory`; empty if it is not warmed.
    source: &'static str,
    acquire_us: f64,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

pub(super) fn run(args: &WarmArgs, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let engine = Engine::new(config.clone())?;
    match engine.store().state() {
        State::ReadWrite => {}
        State::ReadOnly { why } | State::Disabled { why } => {
            let path = config.cache_dir.clone().unwrap_or_default();
            return Err(CliError::CacheUnusable { path, why });
        }
        _ => {}
    }
    let mut warmed = Vec::new();
    for path in &args.files {
        warm(&engine, path, args, &mut warmed)?;
    }
    let written = engine.flush(FLUSH_MAX);
    if args.json {
        output::json(out, &warmed)?;
    } else {
        print(&warmed, out)?;
    }
    let failed = warmed
        .iter()
        .filter(|kernel| kernel.refused.is_some())
        .count();
    let path = args.files.first().cloned().unwrap_or_default();
    let bypasses = engine.stats().bypasses;
    let lost = bypasses
        .keys()
        .any(|(_, reason)| *reason != Bypass::Present.code());
    match (failed, written && !lost) {
        (0, true) => Ok(()),
        (0, false) => Err(CliError::NotKept),
        (failed, _) => Err(CliError::NotWarmed {
            path,
            failed,
            total: warmed.len(),
        }),
    }
}

fn warm(
    engine: &Engine,
    path: &Path,
    args: &WarmArgs,
    warmed: &mut Vec<Warmed>,
) -> Result<(), CliError> {
    let file = KernelFile::read(path, &args.kernels)?;
    file.declare(engine)?;
    let names = file.names()?;
    let kernels: Vec<_> = names
        .iter()
        .map(|name| {
            let kernel = engine.kernel(&file.text, Some(name));
            let extents = match args.kernels.extents.is_empty() {
                true => Vec::new(),
                // What does not check is said by the engine, too.
                false => kernel
                    .check()
                    .map_or_else(|_| Vec::new(), |c| file.extents(&c.params)),
            };
            (kernel, extents)
        })
        .collect();
    let wanted: Vec<_> = kernels.iter().map(|(k, e)| (k, e.as_slice())).collect();
    for (name, made) in names.iter().zip(engine.functions(&wanted)) {
        let mut one = Warmed {
            file: path.display().to_string(),
            kernel: name.clone(),
            source: "",
            acquire_us: 0.0,
            fingerprint: String::new(),
            refused: None,
        };
        match made {
            Ok(function) => {
                let (source, acquire) = function.source();
                one.source = source.name();
                one.acquire_us = acquire.as_secs_f64() * 1e6;
                one.fingerprint = function.fingerprint();
            }
            Err(error) => one.refused = Some(error.to_string()),
        }
        warmed.push(one);
    }
    Ok(())
}

fn print(warmed: &[Warmed], out: &mut dyn Write) -> Result<(), CliError> {
    for one in warmed {
        let name = one.kernel.escape_debug();
        match &one.refused {
            None => {
                let time = duration(Duration::from_secs_f64(one.acquire_us / 1e6));
                let fingerprint = short(&one.fingerprint);
                writeln!(out, "{fingerprint} {name}: {} in {time}", one.source)?;
            }
            Some(reason) => writeln!(out, "{name}: not warmed: {reason}")?,
        }
    }
    Ok(())
}
