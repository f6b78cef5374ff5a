//! Text to raw tokens: newlines kept for the preprocessor, comments and joined lines gone, literals read.
//!
//! Every byte of any text gives some token; what C has no use for is reported once and becomes `Stray`.

use super::number::{self, LiteralError};
use super::token::{Kind, Literal, Name, Names, Token};
use crate::diagnostic::{Diagnostic, Span};
use logos::{Lexer, Logos, Skip};

/// Raw tokens and their tables.
#[derive(Debug)]
pub(crate) struct Raw {
    /// In order, without an end.
    pub(crate) tokens: Vec<Token>,
    /// Names by number.
    pub(crate) names: Names,
    /// Literals by number.
    pub(crate) literals: Vec<Literal>,
}

/// Skips to the end of the line; a backslash before the newline continues the comment.
pub(super) fn line_comment(lexer: &mut Lexer<'_, Kind>) -> Skip {
    let rest = lexer.remainder().as_bytes();
    let mut at = 0;
    while at < rest.len() && rest[at] != b'\n' {
        let joined = rest[at] == b'\\' && rest.get(at + 1) == Some(&b'\n');
        at += if joined { 2 } else { 1 };
    }
    lexer.bump(at.min(rest.len()));
    Skip
}

/// Skips to the end of the comment; false if there is none.
pub(super) fn block_comment(lexer: &mut Lexer<'_, Kind>) -> logos::FilterResult<(), ()> {
    match lexer.remainder().find("*/") {
        Some(at) => {
            lexer.bump(at + 2);
            logos::FilterResult::Skip
        }
        None => {
            lexer.bump(lexer.remainder().len());
            logos::FilterResult::Emit(())
        }
    }
}

/// Reads the raw tokens of a text.
pub(crate) fn lex(text: &str, errors: &mut Vec<Diagnostic>) -> Raw {
    let mut raw = Raw {
        tokens: Vec::with_capacity(text.len() / 4),
        names: Names::new(),
        literals: Vec::new(),
    };
    let mut lexer = Kind::lexer(text);
    while let Some(result) = lexer.next() {
        let range = lexer.span();
        let span = Span {
            start: range.start as u32,
            end: range.end as u32,
        };
        let kind = result.unwrap_or(Kind::Stray);
        let token = raw.token(kind, lexer.slice(), span, errors);
        raw.tokens.push(token);
    }
    raw
}

impl Raw {
    fn token(&mut self, kind: Kind, text: &str, span: Span, errors: &mut Vec<Diagnostic>) -> Token {
        let mut token = Token {
            kind,
            name: Name::NONE,
            span,
        };
        match kind {
            Kind::Word => token.name = self.names.intern(text),
            Kind::Number => token.name = self.literal(number::number(text), span, errors),
            Kind::Char => token.name = self.literal(number::character(text), span, errors),
            Kind::Comment => {
                errors.push(Diagnostic::error(
                    "unclosed-comment",
                    Span {
                        start: span.start,
                        end: span.start + 2,
                    },
                    "this comment is never closed",
                ));
                token.kind = Kind::Newline;
            }
            _ => {}
        }
        token
    }

    fn literal(
        &mut self,
        read: Result<(u64, crate::ir::Scalar), LiteralError>,
        span: Span,
        errors: &mut Vec<Diagnostic>,
    ) -> Name {
        let (bits, ty) = match read {
            Ok(read) => read,
            Err(error) => {
                errors.push(error.diagnostic(span));
                (0, crate::ir::Scalar::I32)
            }
        };
        self.literals.push(Literal {
            bits,
            ty,
            text: span,
        });
        Name(self.literals.len() as u32 - 1)
    }
}
