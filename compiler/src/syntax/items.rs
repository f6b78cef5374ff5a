//! The items of a file: functions, variables, typedefs, found by their brackets alone.
//!
//! What no kernel needs is never parsed, so a file may hold anything around its kernels. One pass over the tokens.

use super::token::{Kind, Name, Token, kw};
use crate::diagnostic::{Diagnostic, Span};
use std::ops::Range;

/// What an item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ItemKind {
    /// With a body.
    Function,
    /// Names with types and perhaps values.
    Variables,
    Typedef,
    Enum,
    /// A struct, a prototype, or what looks like nothing known.
    Other,
}

/// An item of a file.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    /// What it declares: a function's name, variables, enumerators.
    pub(crate) names: Vec<Name>,
    pub(crate) tokens: Range<usize>,
    /// Of its first name, else of its first token.
    pub(crate) span: Span,
    /// Of a function: whether it returns nothing.
    pub(crate) is_void: bool,
    /// Of a function: names followed by `(` in its body.
    pub(crate) calls: Vec<Name>,
}

/// Splits tokens into items.
pub(crate) fn split(tokens: &[Token], errors: &mut Vec<Diagnostic>) -> Vec<Item> {
    let mut splitter = Splitter {
        tokens,
        at: 0,
        linkage: 0,
        items: Vec::new(),
        errors,
    };
    while splitter.kind(0) != Kind::End {
        splitter.item();
    }
    splitter.items
}

struct Splitter<'t, 'e> {
    tokens: &'t [Token],
    at: usize,
    /// Open `extern "C" {`.
    linkage: u32,
    items: Vec<Item>,
    errors: &'e mut Vec<Diagnostic>,
}

/// What one item was seen to hold.
#[derive(Default)]
struct Seen {
    function: Option<usize>,
    assigned: bool,
    names: Vec<(Name, Span)>,
    enumerators: Vec<(Name, Span)>,
}

impl Splitter<'_, '_> {
    fn token(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(last)]
    }

    fn kind(&self, ahead: usize) -> Kind {
        self.token(ahead).kind
    }

    fn item(&mut self) {
        match self.kind(0) {
            Kind::Semicolon => self.at += 1,
            Kind::RBrace if self.linkage > 0 => {
                self.linkage -= 1;
                self.at += 1;
            }
            Kind::RBrace => {
                let span = self.token(0).span;
                self.errors.push(Diagnostic::error(
                    "unbalanced-brace",
                    span,
                    "this brace closes nothing",
                ));
                self.at += 1;
            }
            _ if self.token(0).is(kw::EXTERN) && self.kind(1) == Kind::Str => {
                let braced = self.kind(2) == Kind::LBrace;
                self.linkage += u32::from(braced);
                self.at += if braced { 3 } else { 2 };
            }
            _ => self.scan(),
        }
    }

    /// One item that starts here.
    fn scan(&mut self) {
        let start = self.at;
        let mut seen = Seen::default();
        let mut parens = 0_u32;
        loop {
            match self.kind(0) {
                Kind::End => break,
                Kind::Semicolon if parens == 0 => {
                    self.at += 1;
                    break;
                }
                Kind::LBrace if seen.function.is_some() && !seen.assigned => {
                    self.braces(&mut seen);
                    self.function(start, &seen);
                    return;
                }
                Kind::LBrace => {
                    self.braces(&mut seen);
                    continue;
                }
                Kind::RBrace => break,
                Kind::LParen => {
                    let named = self.at > start && self.tokens[self.at - 1].is_name();
                    if parens == 0 && named && !seen.assigned && seen.function.is_none() {
                        seen.function = Some(self.at - 1);
                    }
                    parens += 1;
                }
                Kind::LBracket => parens += 1,
                Kind::RParen | Kind::RBracket => parens = parens.saturating_sub(1),
                Kind::Assign => seen.assigned = true,
                _ => {}
            }
            self.note_variable(parens, &mut seen);
            self.at += 1;
        }
        self.declaration(start, seen);
    }

    fn note_variable(&self, parens: u32, seen: &mut Seen) {
        let token = self.token(0);
        let declares = matches!(
            self.kind(1),
            Kind::LBracket | Kind::Assign | Kind::Comma | Kind::Semicolon
        );
        let in_value = self.at > 0 && self.tokens[self.at - 1].kind == Kind::Assign;
        if parens == 0 && token.is_name() && declares && !in_value {
            seen.names.push((token.name, token.span));
        }
    }

    /// Skips a braced group, noting what may be enumerators.
    fn braces(&mut self, seen: &mut Seen) {
        let open = self.token(0).span;
        let mut depth = 0_u32;
        while self.kind(0) != Kind::End {
            match self.kind(0) {
                Kind::LBrace => depth += 1,
                Kind::RBrace => depth -= 1,
                Kind::Word | Kind::Painted if depth == 1 && seen.function.is_none() => {
                    let before = self.tokens[self.at - 1].kind;
                    if matches!(before, Kind::LBrace | Kind::Comma) {
                        let token = self.token(0);
                        seen.enumerators.push((token.name, token.span));
                    }
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
        self.errors.push(Diagnostic::error(
            "unbalanced-brace",
            open,
            "this brace is never closed",
        ));
    }

    fn function(&mut self, start: usize, seen: &Seen) {
        let name_at = seen.function.unwrap_or(start);
        let head = &self.tokens[start..name_at];
        let is_void =
            head.iter().any(|t| t.is(kw::VOID)) && head.iter().all(|t| t.kind != Kind::Star);
        let body = &self.tokens[name_at + 1..self.at];
        let calls = body
            .windows(2)
            .filter(|pair| pair[0].is_name() && pair[1].kind == Kind::LParen)
            .map(|pair| pair[0].name);
        self.items.push(Item {
            kind: ItemKind::Function,
            names: vec![self.tokens[name_at].name],
            tokens: start..self.at,
            span: self.tokens[name_at].span,
            is_void,
            calls: calls.collect(),
        });
    }

    fn declaration(&mut self, start: usize, seen: Seen) {
        if self.at == start {
            return;
        }
        let head = &self.tokens[start..self.at];
        let tagged = |keyword| head.iter().take(4).any(|t| t.is(keyword));
        let (kind, names) = if tagged(kw::TYPEDEF) {
            (ItemKind::Typedef, seen.names)
        } else if tagged(kw::ENUM) {
            (ItemKind::Enum, seen.enumerators)
        } else if seen.function.is_some() && !seen.assigned {
            let name = seen.function.map(|at| self.tokens[at]);
            (
                ItemKind::Other,
                name.map(|t| (t.name, t.span)).into_iter().collect(),
            )
        } else {
            (ItemKind::Variables, seen.names)
        };
        self.items.push(Item {
            kind,
            span: names.first().map_or(self.tokens[start].span, |n| n.1),
            names: names.into_iter().map(|n| n.0).collect(),
            tokens: start..self.at,
            is_void: false,
            calls: Vec::new(),
        });
    }
}
