//! Tokens of one item to syntax trees, with recovery: after an error in a statement the next one is read.
//!
//! Chains of operators are loops; all other nesting counts against `NESTING_MAX`.

mod decl;
mod expr;
mod specifiers;
mod stmt;
mod types;

use super::ast::{Ast, Binary, Decl, Derived, ExprId, List, NESTING_MAX, TypeId};
use super::token::{Kind, Name, Names, Token};
use crate::diagnostic::{Diagnostic, Span};
pub(crate) use types::TypeNames;

/// An error was reported; whoever can recovers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed;

/// What parsing a part gives.
pub(crate) type Parsed<T> = Result<T, Failed>;

/// Reads one item.
pub(crate) struct Parser<'p> {
    tokens: &'p [Token],
    at: usize,
    names: &'p Names,
    types: &'p TypeNames,
    pub(super) ast: &'p mut Ast,
    errors: &'p mut Vec<Diagnostic>,
    depth: u16,
    /// Whether nesting went too deep: what follows from that is not reported.
    stopped: bool,
    /// Whether a struct was refused: its members are not told again.
    told_struct: bool,
    /// Typedefs of the blocks that are open.
    local_types: Vec<(Name, TypeId)>,
    /// Enumerators of the declaration that is being read.
    enumerators: Vec<Decl>,
    /// Blocks that are open.
    blocks: u32,
    /// Names of statements that were skipped after an error: what they are is not known.
    skipped: Vec<Name>,
    /// Operators whose right operand is still to come, of all open expressions.
    operators: Vec<(Binary, u8, ExprId)>,
}

impl<'p> Parser<'p> {
    /// Reads `tokens`, which need not end with `End`.
    pub(crate) fn new(
        tokens: &'p [Token],
        names: &'p Names,
        types: &'p TypeNames,
        ast: &'p mut Ast,
        errors: &'p mut Vec<Diagnostic>,
    ) -> Parser<'p> {
        Parser {
            tokens,
            at: 0,
            names,
            types,
            ast,
            errors,
            depth: 0,
            stopped: false,
            told_struct: false,
            local_types: Vec::new(),
            enumerators: Vec::new(),
            blocks: 0,
            skipped: Vec::new(),
            operators: Vec::new(),
        }
    }

    fn ahead(&self, n: usize) -> Token {
        let last_end = self.tokens.last().map_or(0, |t| t.span.end);
        self.tokens.get(self.at + n).copied().unwrap_or(Token {
            kind: Kind::End,
            name: Name::NONE,
            span: Span {
                start: last_end,
                end: last_end,
            },
        })
    }

    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn kind(&self) -> Kind {
        self.peek().kind
    }

    fn is(&self, keyword: Name) -> bool {
        self.peek().is(keyword)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let here = self.kind() == kind;
        self.at += usize::from(here);
        here
    }

    fn eat_word(&mut self, keyword: Name) -> bool {
        let here = self.is(keyword);
        self.at += usize::from(here);
        here
    }

    /// The span of the last token read.
    fn last_span(&self) -> Span {
        match self.at.checked_sub(1) {
            Some(at) => self.tokens.get(at).map_or(self.peek().span, |t| t.span),
            None => self.peek().span,
        }
    }

    /// From `start` to the last token read.
    fn since(&self, start: Span) -> Span {
        let end = self.last_span().end.max(start.end);
        Span { end, ..start }
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Failed {
        if !self.stopped {
            self.errors.push(Diagnostic::error(code, span, message));
        }
        Failed
    }

    /// Nesting went too deep.
    fn too_deep(&mut self, span: Span) -> Failed {
        let message = format!("this is nested more than {NESTING_MAX} levels deep");
        let failed = self.error("too-deep", span, message);
        self.at = self.tokens.len();
        self.stopped = true;
        failed
    }

    /// A construct of C that the language leaves out.
    fn refuse(&mut self, span: Span, what: &str, help: Option<&str>) -> Failed {
        let message = format!("{what} is not in the kernel language");
        let mut found = Diagnostic::error("not-in-language", span, message);
        found.help = help.map(str::to_owned);
        self.errors.push(found);
        Failed
    }

    fn describe(&self, token: Token) -> String {
        match token.kind {
            Kind::Word | Kind::Painted => format!("`{}`", self.names.text(token.name)),
            Kind::Number | Kind::Char => "a number".to_owned(),
            Kind::Str => "a string".to_owned(),
            Kind::End => "the end".to_owned(),
            kind => format!("`{}`", spelling(kind)),
        }
    }

    fn expected(&mut self, what: &str) -> Failed {
        let token = self.peek();
        let message = format!("expected {what}, found {}", self.describe(token));
        self.error("syntax", token.span, message)
    }

    fn expect(&mut self, kind: Kind) -> Parsed<Span> {
        if self.kind() == kind {
            return Ok(self.advance().span);
        }
        let missing_end = matches!(kind, Kind::Semicolon | Kind::RParen | Kind::RBracket);
        if missing_end && self.at > 0 {
            let at = self.last_span();
            let token = self.peek();
            let message = format!(
                "expected `{}` after this, found {}",
                spelling(kind),
                self.describe(token)
            );
            return Err(self.error("syntax", at, message));
        }
        Err(self.expected(&format!("`{}`", spelling(kind))))
    }

    /// One level deeper; every `enter` that succeeds is followed by `leave`.
    fn enter(&mut self) -> Parsed<()> {
        if self.depth >= NESTING_MAX {
            let span = self.peek().span;
            return Err(self.too_deep(span));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Skips a group that starts with the bracket here, whatever it holds.
    fn skip_group(&mut self) {
        let mut depth = 0_u32;
        loop {
            match self.kind() {
                Kind::End => return,
                Kind::LParen | Kind::LBracket | Kind::LBrace => depth += 1,
                Kind::RParen | Kind::RBracket | Kind::RBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn push_derived(&mut self, derived: &[Derived]) -> List {
        let start = self.ast.derived.len() as u32;
        self.ast.derived.extend_from_slice(derived);
        List {
            start,
            len: derived.len() as u32,
        }
    }

    fn type_node(&self, ty: TypeId) -> super::ast::TypeNode {
        self.ast.ty(ty)
    }
}

/// How a punctuator is written.
fn spelling(kind: Kind) -> &'static str {
    const SPELLINGS: &[(Kind, &str)] = &[
        (Kind::LParen, "("),
        (Kind::RParen, ")"),
        (Kind::LBracket, "["),
        (Kind::RBracket, "]"),
        (Kind::LBrace, "{"),
        (Kind::RBrace, "}"),
        (Kind::Semicolon, ";"),
        (Kind::Comma, ","),
        (Kind::Colon, ":"),
        (Kind::Question, "?"),
        (Kind::Ellipsis, "..."),
        (Kind::Dot, "."),
        (Kind::Arrow, "->"),
        (Kind::Assign, "="),
        (Kind::AddAssign, "+="),
        (Kind::SubAssign, "-="),
        (Kind::MulAssign, "*="),
        (Kind::DivAssign, "/="),
        (Kind::Increment, "++"),
        (Kind::Decrement, "--"),
        (Kind::Plus, "+"),
        (Kind::Minus, "-"),
        (Kind::Star, "*"),
        (Kind::Slash, "/"),
        (Kind::Percent, "%"),
        (Kind::Amp, "&"),
        (Kind::Pipe, "|"),
        (Kind::Caret, "^"),
        (Kind::Tilde, "~"),
        (Kind::Bang, "!"),
        (Kind::AndAnd, "&&"),
        (Kind::OrOr, "||"),
        (Kind::EqEq, "=="),
        (Kind::NotEq, "!="),
        (Kind::Lt, "<"),
        (Kind::Le, "<="),
        (Kind::Gt, ">"),
        (Kind::Ge, ">="),
        (Kind::Shl, "<<"),
        (Kind::Shr, ">>"),
        (Kind::Hash, "#"),
        (Kind::HashHash, "##"),
    ];
    let found = SPELLINGS.iter().find(|(k, _)| *k == kind);
    found.map_or("an operator", |(_, text)| text)
}
