//! The kernel's text, with what would clash with the file around it blanked, line for line.
//!
//! Blanked are `#include`s, as the front end does not read them and the file has its own, and `extern` declarations of data,
//! which name kernel constants: the file defines those before the text. All else stands as its author wrote it.

use std::collections::BTreeSet;

/// A text that stands well in the file.
pub(super) struct Neutral {
    pub(super) text: String,
    /// Words outside of comments, strings and what was blanked.
    words: BTreeSet<String>,
    /// Words that the text defines as macros.
    macros: BTreeSet<String>,
}

impl Neutral {
    /// Whether the text takes a name from outside.
    pub(super) fn uses(&self, name: &str) -> bool {
        self.words.contains(name) && !self.macros.contains(name)
    }
}

pub(super) fn neutralise(text: &str) -> Neutral {
    let mut neutral = Neutral {
        text: String::with_capacity(text.len()),
        words: BTreeSet::new(),
        macros: BTreeSet::new(),
    };
    let mut rest = text;
    let mut line_start = true;
    while let Some(first) = rest.chars().next() {
        let len = piece(rest, line_start);
        let (here, after) = rest.split_at(len);
        let is_directive = line_start && first == '#';
        if is_directive && directive(here) == "include" {
            neutral.blank(here);
        } else if is_directive {
            neutral.directive(here);
        } else if here == "extern" {
            let end = data_declaration(after);
            match end {
                Some(end) => {
                    neutral.blank(&rest[..len + end]);
                    rest = &after[end..];
                    continue;
                }
                None => neutral.text.push_str(here),
            }
        } else {
            if is_word(first) {
                neutral.words.insert(here.to_owned());
            }
            neutral.text.push_str(here);
        }
        line_start = here.ends_with('\n') || (line_start && here.trim().is_empty());
        rest = after;
    }
    neutral
}

impl Neutral {
    /// Keeps the lines, so that a compiler's messages still point into the text.
    fn blank(&mut self, text: &str) {
        self.text.extend(text.chars().filter(|c| *c == '\n'));
    }

    fn directive(&mut self, text: &str) {
        self.text.push_str(text);
        let mut words = text.split(|c| !is_word(c)).filter(|w| !w.is_empty());
        if words.next() == Some("define") {
            self.macros.extend(words.next().map(str::to_owned));
        }
        self.words.extend(words.map(str::to_owned));
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name of a directive.
fn directive(line: &str) -> &str {
    let name = line[1..].trim_start();
    let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
    &name[..end]
}

/// Bytes of the next piece of a text that is not empty: a comment, a literal, a directive, a word, or one character.
fn piece(text: &str, line_start: bool) -> usize {
    let first = text.chars().next().map_or(1, char::len_utf8);
    let upto = |end: Option<usize>| end.unwrap_or(text.len());
    if text.starts_with("//") {
        return upto(text.find('\n'));
    }
    if let Some(comment) = text.strip_prefix("/*") {
        return upto(comment.find("*/").map(|at| at + 4));
    }
    if line_start && text.starts_with('#') {
        return directive_len(text);
    }
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return literal_len(text, quote);
    }
    if text.starts_with(is_word) {
        return upto(text.find(|c| !is_word(c)));
    }
    first
}

/// A directive ends with the first line that does not end in a backslash; comments are part of it.
fn directive_len(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            break;
        }
    }
    at
}

fn literal_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Bytes up to and with the semicolon of what follows `extern`, if it declares data and no function.
fn data_declaration(text: &str) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let len = piece(&text[at..], false);
        match &text[at..at + len] {
            ";" => return Some(at + len),
            // A function, a definition, a linkage specification: not data that is only named.
            "(" | "{" | "=" => return None,
            here if here.starts_with('"') => return None,
            _ => at += len,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::neutralise;

    #[test]
    fn what_would_clash_is_blanked_and_lines_stay() {
        let check = |text: &str, wanted: &str| assert_eq!(neutralise(text).text, wanted, "{text}");
        check("extern const double gam;\nint x;", "\nint x;");
        check("extern double\n a, /* ; */ b[4];x", "\nx");
        check("extern double f(double);", "extern double f(double);");
        check("extern \"C\" {", "extern \"C\" {");
        check("// extern int a;\n", "// extern int a;\n");
        check("/* extern int a; */", "/* extern int a; */");
        check("\"extern int a;\"", "\"extern int a;\"");
        check("externa; my_extern;", "externa; my_extern;");
        check("  # include <math.h>\nx", "  \nx");
        check(
            "#define a \\\n extern int b;\nx",
            "#define a \\\n extern int b;\nx",
        );
        check("x #include\n'\\'' é", "x #include\n'\\'' é");
        check("extern", "extern");
        check("/*", "/*");
    }

    #[test]
    fn names_in_comments_and_own_macros_are_not_taken_from_outside() {
        let neutral = neutralise(
            "#define eps 0.1\n#define sq(x) gm1*(x)\n/* mach */ double f() { return gam; }",
        );
        let used = ["eps", "gm1", "mach", "gam"].map(|name| neutral.uses(name));
        assert_eq!(used, [false, true, false, true]);
    }
}
