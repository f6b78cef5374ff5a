//! JSON on standard output: one object, one line, fields in the order of their structure; and text that steers no terminal.

use serde::Serialize;
use std::io::{self, Write};

/// Writes `value` as one line.
pub(crate) fn json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

/// A line of text with everything escaped that could steer a terminal or break the line. Quotes stay.
pub(crate) fn line(text: &str) -> String {
    let escaped = |c: char| match c {
        '\'' | '"' | '\\' => (Some(c), None),
        c => (None, Some(c.escape_debug())),
    };
    let parts = text.chars().map(escaped);
    parts
        .flat_map(|(plain, escaped)| plain.into_iter().chain(escaped.into_iter().flatten()))
        .collect()
}

/// The same of several lines, indented as they are.
pub(crate) fn lines(text: &str) -> String {
    let each = text.split('\n');
    let each = each.map(|one| one.split('\t').map(line).collect::<Vec<_>>().join("\t"));
    each.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_all_else_stays() {
        let text = "it's \"\u{e9}\" \\ \u{1b}[2J\n\tb\u{202e}\r";
        assert_eq!(
            line(text),
            "it's \"\u{e9}\" \\ \\u{1b}[2J\\n\\tb\\u{202e}\\r"
        );
        assert_eq!(
            lines(text),
            "it's \"\u{e9}\" \\ \\u{1b}[2J\n\tb\\u{202e}\\r"
        );
    }
}
