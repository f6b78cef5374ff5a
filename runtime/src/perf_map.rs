//! Tells `perf` the names of loops: a line for each in `/tmp/perf-PID.map`, the file it looks for.
//!
//! Written only on request. Lines are never taken back: an address that is reused later has a later line.

use crate::code::Code;
use std::fs::OpenOptions;
use std::io::Write;

/// Appends the line of a loop. A file that can't be written costs names in a profile, nothing else.
pub(crate) fn note(code: &Code, kernel: &str) {
    let (address, bytes) = code.range();
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let name: String = kernel.chars().map(plain).collect();
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let file = OpenOptions::new().create(true).append(true).open(path);
    let _names_missing =
        file.and_then(|mut file| writeln!(file, "{address:x} {bytes:x} parloop::{name}"));
}
