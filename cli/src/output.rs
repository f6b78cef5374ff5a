//! JSON on standard output: one object, one line, fields in the order of their structure.

use serde::Serialize;
use std::io::{self, Write};

/// Writes `value` as one line.
pub(crate) fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}
