//! `parloop cache inspect`: one entry: what it says of itself, the request it was made from, and its code.

use super::Age;
use crate::args::InspectArgs;
use crate::error::CliError;
use crate::objdump;
use crate::output;
use crate::table::{bytes, duration};
use parloop_cache::{Entry, Key, Store, Table};
use parloop_compiler::fingerprint::{Identity, decode_request};
use parloop_compiler::{Fingerprint, Request, describe_argument};
use std::io::Write;

pub(crate) fn run(args: &InspectArgs, store: &Store, out: &mut dyn Write) -> Result<(), CliError> {
    let key = find(&args.fingerprint, store)?;
    let entry = entry(&key, store)?;
    describe(&key, &entry, out)?;
    match decode_request(entry.preimage()) {
        Ok((request, identity)) => show_request(&request, &identity, out)?,
        Err(error) => writeln!(out, "\nrequest: written by another version: {error}")?,
    }
    if args.no_asm {
        return Ok(());
    }
    match objdump::disassemble(entry.payload()) {
        Ok(code) => write!(out, "\n{}", code.trim_start_matches('\n'))?,
        Err(error) => writeln!(out, "\ncode: {error}")?,
    }
    Ok(())
}

/// The entry under a key.
pub(super) fn entry(key: &Key, store: &Store) -> Result<Entry, CliError> {
    let found = store.inspect(Table::Objects, key);
    found.map_err(|reason| CliError::DamagedEntry {
        key: key.to_string(),
        reason,
    })
}

/// The entry whose fingerprint begins so: in letters as file names have it, or in hexadecimal.
pub(super) fn find(prefix: &str, store: &Store) -> Result<Key, CliError> {
    if let Ok(Fingerprint(bytes)) = prefix.parse() {
        return Ok(Key::new(bytes));
    }
    let keys = store.keys_with_prefix(Table::Objects, &prefix.to_ascii_lowercase());
    let prefix = prefix.to_owned();
    match keys.as_slice() {
        [key] => Ok(*key),
        [] => Err(CliError::NoEntry { prefix }),
        many => Err(CliError::AmbiguousEntry {
            prefix,
            count: many.len(),
        }),
    }
}

fn describe(key: &Key, entry: &Entry, out: &mut dyn Write) -> Result<(), CliError> {
    let metadata = entry.metadata();
    let or_none = |text: String| {
        if text.is_empty() {
            "(none)".to_owned()
        } else {
            text
        }
    };
    let rows = [
        ("fingerprint", key.to_string()),
        ("kernel", metadata.label_escaped()),
        ("file", bytes(entry.file_bytes())),
        ("object", bytes(entry.payload().len() as u64)),
        ("compiled in", duration(metadata.compile_time)),
        ("written", Age::of(metadata.created_unix_s).words()),
        ("by", metadata.producer.escape_debug().to_string()),
        (
            "code generator",
            metadata.generator.escape_debug().to_string(),
        ),
        (
            "CPU features",
            or_none(metadata.features.join(" ").escape_debug().to_string()),
        ),
    ];
    for (name, value) in rows {
        writeln!(out, "{name:<15} {value}")?;
    }
    Ok(())
}

fn show_request(
    request: &Request,
    identity: &Identity,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let Request {
        kernel,
        signature,
        options,
        target,
    } = request;
    writeln!(
        out,
        "{:<15} {}",
        "compiler",
        identity.build_id.escape_debug()
    )?;
    writeln!(out, "{:<15} {}", "ABI", identity.abi)?;
    writeln!(out, "{:<15} {}", "target", target.level)?;
    writeln!(out, "{:<15} {options:?}", "options")?;
    for (index, arg) in signature.args.iter().enumerate() {
        writeln!(
            out,
            "{:<15} {}",
            format!("argument {index}"),
            describe_argument(arg)
        )?;
    }
    writeln!(out, "\n{}", output::lines(&kernel.to_string()))?;
    Ok(())
}
