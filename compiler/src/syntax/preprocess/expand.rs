//! Macros: their definitions, and the expansion of calls.
//!
//! A macro is not expanded within its own expansion. Expanding tokens form a stack of frames, not a recursion; only
//! arguments that hold calls recurse, to a bounded depth.

use super::super::number;
use super::super::token::{Kind, Literal, Name, Token};
use super::{ARGUMENT_DEPTH_MAX, Preprocessor};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::Scalar;
use std::rc::Rc;

/// A macro's definition.
#[derive(Clone, Debug)]
pub(super) struct Macro {
    /// Parameters of a function-like macro.
    params: Option<Rc<[Name]>>,
    /// Whether the last parameter takes all further arguments.
    variadic: bool,
    body: Rc<[Token]>,
    /// Whether it is being expanded.
    active: bool,
    at: Span,
    /// What it holds that is not in the language; told when it is used.
    refused: Option<&'static str>,
}

/// Tokens still to be read; `owner` is the macro whose expansion they are.
struct Frame {
    tokens: Vec<Token>,
    at: usize,
    owner: Name,
}

/// Where expansion reads from: frames first, then `base`.
struct Input<'b> {
    frames: Vec<Frame>,
    base: &'b [Token],
    at: usize,
}

impl Preprocessor<'_, '_> {
    pub(super) fn define(&mut self, span: Span) {
        let line = self.line();
        let Some(&word) = line.first().filter(|t| t.is_word()) else {
            self.error("bad-directive", span, "#define needs a name");
            return;
        };
        if Self::is_reserved(word.name) || self.names.text(word.name) == "defined" {
            self.error("bad-directive", word.span, "this word can't be a macro");
            return;
        }
        let opens = line
            .get(1)
            .is_some_and(|t| t.kind == Kind::LParen && t.span.start == word.span.end);
        let rest = self.names.intern("__VA_ARGS__");
        let (params, body, variadic) = if opens {
            match macro_params(&line[2..], rest) {
                Some((params, used, variadic)) => (Some(params), &line[2 + used..], variadic),
                None => {
                    self.error(
                        "bad-directive",
                        word.span,
                        "the macro's parameter list is malformed",
                    );
                    return;
                }
            }
        } else {
            (None, &line[1..], false)
        };
        let mut refused = None;
        if params.is_some() && body.iter().any(|t| t.kind == Kind::Hash) {
            refused = Some("`#`, which makes a string");
        }
        let slot = word.name.0 as usize;
        if self.macros.len() <= slot {
            self.macros
                .resize_with(self.names.len().max(slot + 1), || None);
        }
        self.macros[slot] = Some(Macro {
            params: params.map(Into::into),
            variadic,
            body: body.into(),
            active: false,
            at: word.span,
            refused,
        });
    }

    /// Expands the macro call that starts with `word`, read from the text just now.
    pub(super) fn expand_here(&mut self, word: Token) {
        let base = std::mem::take(&mut self.input);
        let mut input = Input {
            frames: Vec::new(),
            base: &base,
            at: self.at,
        };
        let mut output = std::mem::take(&mut self.output);
        self.step(word, &mut input, &mut output, 0);
        while !input.frames.is_empty() {
            if let Some(token) = self.next(&mut input) {
                self.step(token, &mut input, &mut output, 0);
            }
        }
        self.at = input.at;
        self.output = output;
        self.input = base;
    }

    /// Expands a list of tokens completely.
    pub(super) fn expand_all(&mut self, tokens: &[Token], depth: u32) -> Vec<Token> {
        let mut input = Input {
            frames: Vec::new(),
            base: tokens,
            at: 0,
        };
        let mut output = Vec::with_capacity(tokens.len());
        loop {
            match self.next(&mut input) {
                Some(token) => self.step(token, &mut input, &mut output, depth),
                None if input.frames.is_empty() && input.at >= input.base.len() => break,
                None => {}
            }
        }
        output
    }

    /// The next token; `None` when a frame ended or all did.
    fn next(&mut self, input: &mut Input<'_>) -> Option<Token> {
        let Some(frame) = input.frames.last_mut() else {
            let token = input.base.get(input.at).copied();
            input.at += 1;
            return token;
        };
        match frame.tokens.get(frame.at) {
            Some(token) => {
                frame.at += 1;
                Some(*token)
            }
            None => {
                let owner = frame.owner;
                input.frames.pop();
                self.set_active(owner, false);
                None
            }
        }
    }

    fn set_active(&mut self, name: Name, active: bool) {
        if let Some(Some(found)) = self.macros.get_mut(name.0 as usize) {
            found.active = active;
        }
    }

    /// Whether the next token, however many frames end before it, is `(`. Frames that end are dropped.
    fn opens_next(&mut self, input: &mut Input<'_>) -> bool {
        while let Some(frame) = input.frames.last() {
            match frame.tokens.get(frame.at) {
                Some(token) => return token.kind == Kind::LParen,
                None => {
                    let owner = frame.owner;
                    input.frames.pop();
                    self.set_active(owner, false);
                }
            }
        }
        let mut at = input.at;
        while input.base.get(at).is_some_and(|t| t.kind == Kind::Newline) {
            at += 1;
        }
        input.base.get(at).is_some_and(|t| t.kind == Kind::LParen)
    }

    /// Takes one token: to the output, or as a macro call whose expansion is then read next.
    fn step(&mut self, token: Token, input: &mut Input<'_>, output: &mut Vec<Token>, depth: u32) {
        self.steps += 1;
        if self.steps > self.steps_max() {
            self.give_up(token.span, input);
            return;
        }
        if token.kind == Kind::Newline {
            return;
        }
        let found = match token.kind {
            Kind::Word => self.macro_of(token.name),
            _ => None,
        };
        let Some(found) = found else {
            output.push(token);
            return;
        };
        if found.active {
            output.push(Token {
                kind: Kind::Painted,
                ..token
            });
            return;
        }
        let found = found.clone();
        if let Some(what) = found.refused {
            self.refuse_macro(&found, what, token.span);
            if self.opens_next(input) {
                self.arguments(token.span, input, usize::MAX);
            }
            output.push(self.stand_in(token.span));
            return;
        }
        let Some(params) = &found.params else {
            let tokens = self.substitute(&found, token.span, &[], &[]);
            self.enter(token.name, tokens, input);
            return;
        };
        if !self.opens_next(input) {
            output.push(token);
            return;
        }
        let Some((arguments, end)) = self.call_arguments(&found, params.len(), token.span, input)
        else {
            return;
        };
        let call = Span {
            start: token.span.start,
            end: end.end.max(token.span.end),
        };
        if self.wrong_count(&found, params.len(), &arguments, call) {
            output.push(self.stand_in(call));
            return;
        }
        if depth >= ARGUMENT_DEPTH_MAX {
            self.error("too-deep", call, "macro calls are nested too deeply");
            return;
        }
        let expanded: Vec<Vec<Token>> = arguments
            .iter()
            .map(|argument| self.expand_all(argument, depth + 1))
            .collect();
        let tokens = self.substitute(&found, call, &arguments, &expanded);
        self.enter(token.name, tokens, input);
    }

    fn refuse_macro(&mut self, found: &Macro, what: &str, span: Span) {
        let message = format!("this macro needs {what}, which is not in the language");
        self.errors.push(
            Diagnostic::error("unsupported-macro", span, message)
                .with_related(found.at, "defined here"),
        );
    }

    /// A `0` in place of a call that can't be expanded, so that nothing else fails for it.
    fn stand_in(&mut self, span: Span) -> Token {
        self.literals.push(Literal {
            bits: 0,
            ty: Scalar::I32,
            text: span,
        });
        Token {
            kind: Kind::Number,
            name: Name(self.literals.len() as u32 - 1),
            span,
        }
    }

    fn enter(&mut self, owner: Name, tokens: Vec<Token>, input: &mut Input<'_>) {
        self.steps += tokens.len() as u64;
        self.set_active(owner, true);
        input.frames.push(Frame {
            tokens,
            at: 0,
            owner,
        });
    }

    fn give_up(&mut self, span: Span, input: &mut Input<'_>) {
        if self.steps < u64::MAX / 2 {
            self.error(
                "too-large",
                span,
                "macro expansion makes this text too large",
            );
            self.steps = u64::MAX / 2;
        }
        for frame in std::mem::take(&mut input.frames) {
            self.set_active(frame.owner, false);
        }
        input.at = input.base.len();
    }

    fn wrong_count(
        &mut self,
        found: &Macro,
        wanted: usize,
        arguments: &[Vec<Token>],
        call: Span,
    ) -> bool {
        let none = wanted == 0 && arguments.len() == 1 && arguments[0].is_empty();
        if none || arguments.len() == wanted {
            return false;
        }
        let message = format!(
            "this macro takes {wanted} arguments, not {}",
            arguments.len()
        );
        self.errors.push(
            Diagnostic::error("wrong-argument-count", call, message)
                .with_related(found.at, "defined here"),
        );
        true
    }

    /// The arguments of a call of `found`; the last of a variadic macro takes all that is left, or nothing.
    fn call_arguments(
        &mut self,
        found: &Macro,
        wanted: usize,
        call: Span,
        input: &mut Input<'_>,
    ) -> Option<(Vec<Vec<Token>>, Span)> {
        let most = if found.variadic { wanted } else { usize::MAX };
        let (mut arguments, end) = self.arguments(call, input, most)?;
        if found.variadic && arguments.len() + 1 == wanted {
            arguments.push(Vec::new());
        }
        Some((arguments, end))
    }

    /// The arguments of a call whose `(` comes next, and where its `)` stands. The last of `most` holds commas.
    fn arguments(
        &mut self,
        call: Span,
        input: &mut Input<'_>,
        most: usize,
    ) -> Option<(Vec<Vec<Token>>, Span)> {
        let mut arguments = vec![Vec::new()];
        let mut depth = 0_u32;
        loop {
            let Some(token) = self.next(input) else {
                if input.frames.is_empty() && input.at >= input.base.len() {
                    self.error(
                        "unclosed-macro-call",
                        call,
                        "this macro call is never closed",
                    );
                    return None;
                }
                continue;
            };
            self.steps += 1;
            match token.kind {
                Kind::Newline => continue,
                Kind::LParen => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                Kind::RParen => {
                    depth -= 1;
                    if depth == 0 {
                        return Some((arguments, token.span));
                    }
                }
                Kind::Comma if depth == 1 && arguments.len() < most => {
                    arguments.push(Vec::new());
                    continue;
                }
                _ => {}
            }
            if let Some(last) = arguments.last_mut() {
                last.push(token);
            }
        }
    }

    /// The body with arguments in place of parameters, reported at `call`.
    fn substitute(
        &mut self,
        found: &Macro,
        call: Span,
        raw: &[Vec<Token>],
        expanded: &[Vec<Token>],
    ) -> Vec<Token> {
        let params: &[Name] = found.params.as_deref().unwrap_or(&[]);
        let body = &found.body;
        let pastes = |at: usize| body.get(at).is_some_and(|t| t.kind == Kind::HashHash);
        let mut out: Vec<Token> = Vec::with_capacity(body.len());
        let mut at = 0;
        // Whether what stands left of a `##` is nothing.
        let mut empty = false;
        while at < body.len() {
            if pastes(at) && at > 0 && at + 1 < body.len() {
                let mut right = self.piece(body[at + 1], params, raw, call);
                let rest = found.variadic && params.last() == Some(&body[at + 1].name);
                if rest && body[at - 1].kind == Kind::Comma {
                    // The comma goes if nothing follows it.
                    out.truncate(out.len() - usize::from(right.is_empty()));
                    out.append(&mut right);
                } else if empty {
                    empty = right.is_empty();
                    out.append(&mut right);
                } else {
                    self.paste(&mut out, right, call);
                }
                at += 2;
                continue;
            }
            empty = false;
            let token = body[at];
            let param = params
                .iter()
                .position(|p| token.is_word() && *p == token.name);
            match param {
                Some(_) if pastes(at + 1) => {
                    let left = self.piece(token, params, raw, call);
                    empty = left.is_empty();
                    out.extend(left);
                }
                Some(i) => out.extend(expanded.get(i).into_iter().flatten()),
                None => out.push(Token {
                    span: call,
                    ..token
                }),
            }
            at += 1;
        }
        out
    }

    /// An operand of `##`: an argument as it is written, or the token itself.
    fn piece(&self, token: Token, params: &[Name], raw: &[Vec<Token>], call: Span) -> Vec<Token> {
        match params
            .iter()
            .position(|p| token.is_word() && *p == token.name)
        {
            Some(i) => raw.get(i).cloned().unwrap_or_default(),
            None => vec![Token {
                span: call,
                ..token
            }],
        }
    }

    fn paste(&mut self, out: &mut Vec<Token>, mut right: Vec<Token>, call: Span) {
        if right.is_empty() {
            return;
        }
        let Some(left) = out.pop() else {
            out.append(&mut right);
            return;
        };
        let joined = self.spelling(left).zip(self.spelling(right[0]));
        let token = joined.and_then(|(a, b)| self.read_pasted(&(a + &b), call));
        match token {
            Some(token) => {
                out.push(token);
                out.extend(right.drain(1..));
            }
            None => self.error(
                "unsupported-macro",
                call,
                "`##` does not make a name or number here",
            ),
        }
    }

    fn spelling(&self, token: Token) -> Option<String> {
        match token.kind {
            Kind::Word | Kind::Painted => Some(self.names.text(token.name).to_owned()),
            Kind::Number => {
                let literal: &Literal = self.literals.get(token.name.0 as usize)?;
                self.text.get(literal.text.range()).map(str::to_owned)
            }
            _ => None,
        }
    }

    fn read_pasted(&mut self, text: &str, span: Span) -> Option<Token> {
        let first = text.bytes().next()?;
        let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if word && !first.is_ascii_digit() {
            let name = self.names.intern(text);
            return Some(Token {
                kind: Kind::Word,
                name,
                span,
            });
        }
        let (bits, ty) = number::number(text)
            .ok()
            .filter(|_| first.is_ascii_digit() || first == b'.')?;
        self.literals.push(Literal {
            bits,
            ty,
            text: span,
        });
        Some(Token {
            kind: Kind::Number,
            name: Name(self.literals.len() as u32 - 1),
            span,
        })
    }
}

/// The parameters up to the closing parenthesis, how many tokens they took, and whether the last takes all further arguments:
/// `...` as `rest`, or a name before the dots.
fn macro_params(tokens: &[Token], rest: Name) -> Option<(Vec<Name>, usize, bool)> {
    let mut params = Vec::new();
    let mut variadic = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::RParen => return Some((params, at + 1, variadic)),
            _ if variadic => return None,
            Kind::Comma => {}
            Kind::Ellipsis => {
                variadic = true;
                if at == 0 || tokens[at - 1].kind != Kind::Word {
                    params.push(rest);
                }
            }
            Kind::Word => params.push(token.name),
            _ => return None,
        }
    }
    None
}
