//! `parloop cache warm`: compiles the kernels of C files as plain functions, and has them kept for processes to come.
//!
//! Loops can't be warmed: what they are compiled for, their arguments, is not in a file. What else can't be, an extent that depends on
//! data for one, or a file that can't be read, is listed with the reason, and makes the command fail when the rest is done.

use super::short;
use crate::args::WarmArgs;
use crate::error::CliError;
use crate::kernels::KernelFile;
use crate::output;
use crate::table::duration;
use parloop::{Config, Engine, Function, Kernel};
use parloop_cache::{Bypass, Layer, State};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Writing may take this long when all is compiled.
const FLUSH_MAX: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Warmed {
    file: String,
    /// Empty if no kernel of the file could be found.
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
    let mut unread = 0;
    for path in &args.files {
        match warm(&engine, path, args) {
            Ok(of_file) => warmed.extend(of_file),
            // Wrong usage is that of all files.
            Err(error) if error.exit_code() == 2 => return Err(error),
            Err(error) => {
                unread += 1;
                warmed.push(Warmed::refused(path, "", error.to_string()));
            }
        }
    }
    let written = engine.flush(FLUSH_MAX);
    if args.json {
        output::json(out, &warmed)?;
    } else {
        print(&warmed, out)?;
    }
    let refused = warmed.iter().filter(|one| one.refused.is_some()).count();
    // What memory does not keep is on disk all the same.
    let bypasses = engine.stats().bypasses;
    let lost = bypasses
        .keys()
        .any(|(layer, reason)| *layer != Layer::Memory && *reason != Bypass::Present.code());
    match (refused, written && !lost) {
        (0, true) => Ok(()),
        (0, false) => Err(CliError::NotKept),
        (refused, _) => Err(CliError::NotWarmed {
            failed: refused - unread,
            total: warmed.len() - unread,
            unread,
            files: args.files.len(),
        }),
    }
}

impl Warmed {
    fn refused(path: &Path, kernel: &str, reason: String) -> Warmed {
        Warmed {
            file: path.display().to_string(),
            kernel: kernel.to_owned(),
            source: "",
            acquire_us: 0.0,
            fingerprint: String::new(),
            refused: Some(reason),
        }
    }

    fn kept(path: &Path, kernel: &str, function: &Function) -> Warmed {
        let (source, acquire) = function.source();
        Warmed {
            file: path.display().to_string(),
            kernel: kernel.to_owned(),
            source: source.name(),
            acquire_us: acquire.as_secs_f64() * 1e6,
            fingerprint: function.fingerprint(),
            refused: None,
        }
    }
}

/// What became of the kernels of a file.
fn warm(engine: &Engine, path: &Path, args: &WarmArgs) -> Result<Vec<Warmed>, CliError> {
    let file = KernelFile::read(path, &args.kernels)?;
    file.declare(engine)?;
    let names = file.names()?;
    let functions: Vec<&str> = names.iter().map(String::as_str).collect();
    let kernels = engine.kernels(&file.text, &functions);
    let extents = |kernel: &Kernel| match args.kernels.extents.is_empty() {
        true => Vec::new(),
        // What does not check is said by the engine, too.
        false => kernel
            .check()
            .map_or_else(|_| Vec::new(), |checked| file.extents(&checked.params)),
    };
    let extents: Vec<_> = kernels.iter().map(extents).collect();
    let wanted = kernels.iter().zip(extents.iter().map(Vec::as_slice));
    let made = engine.functions(&wanted.collect::<Vec<_>>());
    let warmed = names.iter().zip(made).map(|(name, made)| match made {
        Ok(function) => Warmed::kept(path, name, &function),
        Err(error) => Warmed::refused(path, name, error.to_string()),
    });
    Ok(warmed.collect())
}

fn print(warmed: &[Warmed], out: &mut dyn Write) -> Result<(), CliError> {
    for one in warmed {
        let name = match one.kernel.as_str() {
            "" => output::line(&one.file),
            kernel => output::line(kernel),
        };
        match &one.refused {
            None => {
                let time = duration(Duration::from_secs_f64(one.acquire_us / 1e6));
                let fingerprint = short(&one.fingerprint);
                writeln!(out, "{fingerprint} {name}: {} in {time}", one.source)?;
            }
            Some(reason) => writeln!(out, "{name}: not warmed: {}", output::line(reason))?,
        }
    }
    Ok(())
}
