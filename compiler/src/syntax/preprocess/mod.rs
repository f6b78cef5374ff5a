//! Preprocessing: directives obeyed, macros expanded, newlines gone.
//!
//! Conditions are constants; includes and pragmas are skipped, for what standard headers give is built in. A token that a
//! macro brought in is reported at the macro's call. Work is bounded: an expansion past `STEPS_MAX` is refused.

mod condition;
mod expand;

use super::lexer::{self, Raw};
use super::token::{Kind, Literal, Name, Names, Token, Tokens, kw};
use crate::diagnostic::{Diagnostic, Span};
use expand::Macro;

/// Tokens that macro expansion may look at, for one text.
pub(crate) const STEPS_MAX: u64 = 8_000_000;
/// The same for the shortest text, and for each byte more: what macros make of a short text stays small.
const STEPS_SHORT_MAX: u64 = 1 << 20;
const STEPS_BYTE_MAX: u64 = 8;
/// Macro calls within arguments of macro calls.
pub(crate) const ARGUMENT_DEPTH_MAX: u32 = 100;
/// Conditions within conditions.
const CONDITION_DEPTH_MAX: usize = 256;

/// A text's tokens, ready to be parsed.
pub(crate) fn preprocess(text: &str, errors: &mut Vec<Diagnostic>) -> Tokens {
    let raw = lexer::lex(text, errors);
    let mut run = Preprocessor::new(raw, text, errors);
    run.lines();
    run.finish()
}

/// An open `#if`.
struct Condition {
    /// Whether the lines here count.
    active: bool,
    /// Whether a branch was taken, or the whole stands in lines that do not count.
    done: bool,
    has_else: bool,
    at: Span,
}

pub(super) struct Preprocessor<'a, 'e> {
    input: Vec<Token>,
    at: usize,
    names: Names,
    literals: Vec<Literal>,
    /// By name.
    macros: Vec<Option<Macro>>,
    conditions: Vec<Condition>,
    output: Vec<Token>,
    steps: u64,
    text: &'a str,
    errors: &'e mut Vec<Diagnostic>,
}

impl<'a, 'e> Preprocessor<'a, 'e> {
    fn steps_max(&self) -> u64 {
        STEPS_MAX.min(STEPS_SHORT_MAX + STEPS_BYTE_MAX * self.text.len() as u64)
    }

    fn new(raw: Raw, text: &'a str, errors: &'e mut Vec<Diagnostic>) -> Self {
        Preprocessor {
            output: Vec::with_capacity(raw.tokens.len()),
            input: raw.tokens,
            at: 0,
            names: raw.names,
            literals: raw.literals,
            macros: Vec::new(),
            conditions: Vec::new(),
            steps: 0,
            text,
            errors,
        }
    }

    fn finish(mut self) -> Tokens {
        if let Some(open) = self.conditions.last() {
            let found = Diagnostic::error(
                "unbalanced-condition",
                open.at,
                "this condition has no #endif",
            );
            self.errors.push(found);
        }
        let end = self.text.len() as u32;
        self.output.push(Token {
            kind: Kind::End,
            name: Name::NONE,
            span: Span { start: end, end },
        });
        Tokens {
            list: self.output,
            names: self.names,
            literals: self.literals,
        }
    }

    fn lines(&mut self) {
        let mut line_start = true;
        while let Some(&token) = self.input.get(self.at) {
            self.at += 1;
            match token.kind {
                Kind::Newline => line_start = true,
                Kind::Hash if line_start => self.directive(token.span),
                _ if !self.active() => self.skip_line(),
                _ => {
                    line_start = false;
                    self.token(token);
                }
            }
        }
    }

    fn active(&self) -> bool {
        self.conditions.last().is_none_or(|c| c.active)
    }

    fn token(&mut self, token: Token) {
        if token.kind == Kind::Word && self.macro_of(token.name).is_some() {
            self.expand_here(token);
        } else if token.kind == Kind::Stray || token.kind == Kind::Hash {
            self.stray(token);
        } else {
            self.output.push(token);
        }
    }

    fn stray(&mut self, token: Token) {
        let repeated = self
            .errors
            .last()
            .is_some_and(|e| e.code == "stray-character" && e.span.end == token.span.start);
        if repeated {
            if let Some(last) = self.errors.last_mut() {
                last.span.end = token.span.end;
            }
            return;
        }
        let what = self.text.get(token.span.range()).unwrap_or("");
        let message = format!("C has no use for {what:?} here");
        self.errors
            .push(Diagnostic::error("stray-character", token.span, message));
    }

    /// The rest of the line, which starts after what was read last.
    fn line(&mut self) -> Vec<Token> {
        let rest = &self.input[self.at..];
        let end = rest
            .iter()
            .position(|t| t.kind == Kind::Newline)
            .unwrap_or(rest.len());
        let line = rest[..end].to_vec();
        self.at += end;
        line
    }

    fn skip_line(&mut self) {
        while self
            .input
            .get(self.at)
            .is_some_and(|t| t.kind != Kind::Newline)
        {
            self.at += 1;
        }
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::error(code, span, message));
    }

    fn directive(&mut self, hash: Span) {
        let Some(&word) = self.input.get(self.at).filter(|t| t.is_word()) else {
            self.skip_line();
            return;
        };
        self.at += 1;
        let span = Span {
            start: hash.start,
            end: word.span.end,
        };
        let name = self.names.text(word.name).to_owned();
        match name.as_str() {
            "if" | "ifdef" | "ifndef" => self.open_condition(&name, span),
            "elif" => self.else_if(span),
            "else" => self.otherwise(span),
            "endif" => self.close_condition(span),
            _ if !self.active() => self.skip_line(),
            "define" => self.define(span),
            "undef" => self.undefine(),
            "error" => {
                let line = self.line();
                let end = line.last().map_or(span.end, |t| t.span.end);
                let whole = Span { end, ..span };
                self.error("error-directive", whole, "the text stops here with #error");
            }
            "include" | "pragma" | "line" | "warning" | "ident" | "include_next" => {
                self.skip_line();
            }
            _ => {
                self.error("bad-directive", span, format!("#{name} is not a directive"));
                self.skip_line();
            }
        }
    }

    fn open_condition(&mut self, name: &str, span: Span) {
        let line = self.line();
        let outer = self.active();
        if self.conditions.len() >= CONDITION_DEPTH_MAX {
            self.error("too-deep", span, "conditions are nested too deeply");
            self.at = self.input.len();
            self.conditions.clear();
            return;
        }
        let holds = outer
            && match (name, line.first()) {
                ("if", _) => self.condition(&line, span),
                (_, Some(word)) if word.is_word() => {
                    self.is_defined(word.name) == (name == "ifdef")
                }
                _ => {
                    self.error("bad-directive", span, format!("#{name} needs a name"));
                    false
                }
            };
        self.conditions.push(Condition {
            active: holds,
            done: holds || !outer,
            has_else: false,
            at: span,
        });
    }

    fn else_if(&mut self, span: Span) {
        let line = self.line();
        match self.conditions.last() {
            Some(open) if !open.has_else => {
                let holds = !open.done && self.condition(&line, span);
                if let Some(open) = self.conditions.last_mut() {
                    open.active = holds;
                    open.done |= holds;
                }
            }
            _ => self.error("unbalanced-condition", span, "#elif without an open #if"),
        }
    }

    fn otherwise(&mut self, span: Span) {
        self.skip_line();
        match self.conditions.last_mut() {
            Some(open) if !open.has_else => {
                open.active = !open.done;
                open.done = true;
                open.has_else = true;
            }
            _ => self.error("unbalanced-condition", span, "#else without an open #if"),
        }
    }

    fn close_condition(&mut self, span: Span) {
        self.skip_line();
        if self.conditions.pop().is_none() {
            self.error("unbalanced-condition", span, "#endif without an open #if");
        }
    }

    fn undefine(&mut self) {
        let line = self.line();
        if let Some(word) = line.first().filter(|t| t.is_word())
            && let Some(slot) = self.macros.get_mut(word.name.0 as usize)
        {
            *slot = None;
        }
    }

    fn is_defined(&self, name: Name) -> bool {
        self.macro_of(name).is_some()
            || matches!(self.names.text(name), "__STDC__" | "__STDC_VERSION__")
    }

    fn macro_of(&self, name: Name) -> Option<&Macro> {
        self.macros.get(name.0 as usize)?.as_ref()
    }

    /// Whether a name may stand for a macro at all; keywords that are skipped anyway may be redefined.
    fn is_reserved(name: Name) -> bool {
        name == kw::SIZEOF
    }
}
