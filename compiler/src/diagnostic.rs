//! What is wrong, or doubtful, in a kernel's text: where, what, and what to do.
//!
//! Diagnostics are data with byte spans; `render` draws them with carets. Control characters of the text are never passed on.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A byte range of a kernel's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range, as an index of the text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The line of its first byte, from 1.
    pub fn line(self, text: &str) -> u32 {
        let head = &text.as_bytes()[..(self.start as usize).min(text.len())];
        1 + head.iter().filter(|b| **b == b'\n').count() as u32
    }
}

/// Whether compilation can go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// It can't.
    Error,
    /// It can.
    Warning,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Whether it is an error.
    pub severity: Severity,
    /// A stable name of the rule, for example `undeclared-name`.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Other places that matter, each with a word.
    pub related: Vec<(Span, String)>,
    /// What to do, if there is a way.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: Cow::Borrowed(code),
            message: message.into(),
            span,
            related: Vec::new(),
            help: None,
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, span, message)
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.related.push((span, label.into()));
        self
    }

    /// Draws it over its text. `file` is what to call the text.
    pub fn render(&self, file: &str, text: &str) -> String {
        let text = printable(text);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut snippet = Snippet::source(text.as_str())
            .path(file)
            .annotation(AnnotationKind::Primary.span(clamp(self.span, &text)));
        for (span, label) in &self.related {
            let context = AnnotationKind::Context.span(clamp(*span, &text));
            snippet = snippet.annotation(context.label(label.as_str()));
        }
        let title = level.primary_title(self.message.as_str()).id(&*self.code);
        let mut report = vec![title.element(snippet)];
        if let Some(help) = &self.help {
            report.push(Group::with_title(
                Level::HELP.secondary_title(help.as_str()),
            ));
        }
        Renderer::plain().render(&report)
    }
}

/// All that is wrong with a text; at least one of them is an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}", diagnostic.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// The text with control characters (all but newline and tab) replaced by one-byte stand-ins, so that spans still fit.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_ascii_control() => '?',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// A range that `text` can be sliced by.
fn clamp(span: Span, text: &str) -> Range<usize> {
    let floor = |at: u32| text.floor_char_boundary((at as usize).min(text.len()));
    let start = floor(span.start);
    start..floor(span.end).max(start)
}
