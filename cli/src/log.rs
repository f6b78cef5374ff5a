//! `PARLOOP_LOG`: shows on standard error what the library tells `tracing`, as far as the variable's filter lets it.
//!
//! The library never listens to itself; this is the one place that does. Invariant: an event is a line, and nothing in it steers a
//! terminal.

use crate::error::CliError;
use crate::output;
use std::env;
use std::io::{self, Write};
use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "PARLOOP_LOG";

/// Listens if the variable is there and says what to.
pub(crate) fn listen() -> Result<(), CliError> {
    let value = env::var_os(VARIABLE).unwrap_or_default();
    if value.is_empty() {
        return Ok(());
    }
    let value = value.to_string_lossy().into_owned();
    let filter = match EnvFilter::builder().parse(&value) {
        Ok(filter) => filter,
        Err(reason) => {
            let reason = reason.to_string();
            return Err(CliError::LogFilter { value, reason });
        }
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(|| Escaped(io::stderr()));
    // Nobody else listens in this process.
    let _first = subscriber.try_init();
    Ok(())
}

/// Takes a line at a time, and escapes what is in it.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.0, "{}", output::line(text))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_and_steers_no_terminal() {
        let mut out = Vec::new();
        let line = "it's \"so\"\u{1b}[2J\nmore\n";
        Escaped(&mut out).write_all(line.as_bytes()).unwrap();
        assert_eq!(out, b"it's \"so\"\\u{1b}[2J\\nmore\n");
    }
}
