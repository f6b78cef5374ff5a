//! The conditions of `#if` and `#elif`: integer constant expressions after macro expansion, in 64 bits.
//!
//! Names that are no macros count as 0, as in C. Nesting is bounded.

use super::super::token::{Kind, Name, Token, kw};
use super::Preprocessor;
use crate::diagnostic::Span;
use crate::ir::Scalar;

/// Operators and parentheses within one another.
const DEPTH_MAX: u32 = 64;

/// Why a condition has no value.
enum Bad {
    Malformed,
    DivisionByZero,
    TooDeep,
}

impl Preprocessor<'_, '_> {
    /// Whether the condition of a directive at `span` holds; a bad one is reported and does not.
    pub(super) fn condition(&mut self, line: &[Token], span: Span) -> bool {
        let resolved = self.resolve_defined(line);
        let tokens = self.expand_all(&resolved, 0);
        let mut reader = Reader {
            run: self,
            tokens: &tokens,
            at: 0,
            depth: 0,
        };
        let value = reader.expression(0).and_then(|value| {
            if reader.at == tokens.len() {
                Ok(value)
            } else {
                Err(Bad::Malformed)
            }
        });
        let message = match value {
            Ok(value) => return value != 0,
            Err(Bad::Malformed) => "this condition is not an integer constant expression",
            Err(Bad::DivisionByZero) => "this condition divides by zero",
            Err(Bad::TooDeep) => "this condition is nested too deeply",
        };
        self.error("bad-condition", span, message);
        false
    }

    /// Replaces `defined X` and `defined(X)` by painted `true` and `false`.
    fn resolve_defined(&self, line: &[Token]) -> Vec<Token> {
        let mut out = Vec::with_capacity(line.len());
        let mut at = 0;
        while at < line.len() {
            let token = line[at];
            at += 1;
            if !token.is_word() || self.names.text(token.name) != "defined" {
                out.push(token);
                continue;
            }
            let paren = line.get(at).is_some_and(|t| t.kind == Kind::LParen);
            let word = line.get(at + usize::from(paren)).copied();
            at += 1 + 2 * usize::from(paren);
            let is_defined = word.is_some_and(|w| w.is_word() && self.is_defined(w.name));
            out.push(Token {
                kind: Kind::Painted,
                name: if is_defined { kw::TRUE } else { kw::FALSE },
                span: token.span,
            });
        }
        out
    }
}

struct Reader<'r, 'a, 'e> {
    run: &'r Preprocessor<'a, 'e>,
    tokens: &'r [Token],
    at: usize,
    depth: u32,
}

/// How tightly a binary operator binds; 0 if it is none.
fn precedence(kind: Kind) -> u8 {
    match kind {
        Kind::OrOr => 2,
        Kind::AndAnd => 3,
        Kind::Pipe => 4,
        Kind::Caret => 5,
        Kind::Amp => 6,
        Kind::EqEq | Kind::NotEq => 7,
        Kind::Lt | Kind::Le | Kind::Gt | Kind::Ge => 8,
        Kind::Shl | Kind::Shr => 9,
        Kind::Plus | Kind::Minus => 10,
        Kind::Star | Kind::Slash | Kind::Percent => 11,
        _ => 0,
    }
}

impl Reader<'_, '_, '_> {
    fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.at).map(|t| t.kind)
    }

    fn expression(&mut self, least: u8) -> Result<i64, Bad> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Bad::TooDeep);
        }
        let mut left = self.operand()?;
        while let Some(kind) = self.peek() {
            if kind == Kind::Question && least <= 1 {
                self.at += 1;
                left = self.choice(left)?;
                continue;
            }
            let level = precedence(kind);
            if level == 0 || level < least {
                break;
            }
            self.at += 1;
            let right = self.expression(level + 1);
            left = apply(kind, left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn choice(&mut self, cond: i64) -> Result<i64, Bad> {
        let then = self.expression(1)?;
        if self.peek() != Some(Kind::Colon) {
            return Err(Bad::Malformed);
        }
        self.at += 1;
        let other = self.expression(1)?;
        Ok(if cond != 0 { then } else { other })
    }

    fn operand(&mut self) -> Result<i64, Bad> {
        let mut signs = Vec::new();
        loop {
            let token = *self.tokens.get(self.at).ok_or(Bad::Malformed)?;
            self.at += 1;
            let value = match token.kind {
                Kind::Minus | Kind::Bang | Kind::Tilde | Kind::Plus => {
                    signs.push(token.kind);
                    continue;
                }
                Kind::LParen => {
                    let value = self.expression(0)?;
                    if self.peek() != Some(Kind::RParen) {
                        return Err(Bad::Malformed);
                    }
                    self.at += 1;
                    value
                }
                Kind::Number | Kind::Char => self.literal(token.name)?,
                Kind::Word | Kind::Painted => self.word(token.name),
                _ => return Err(Bad::Malformed),
            };
            return Ok(signs.into_iter().rev().fold(value, |v, sign| match sign {
                Kind::Minus => v.wrapping_neg(),
                Kind::Bang => i64::from(v == 0),
                Kind::Tilde => !v,
                _ => v,
            }));
        }
    }

    fn literal(&self, name: Name) -> Result<i64, Bad> {
        let literal = self
            .run
            .literals
            .get(name.0 as usize)
            .ok_or(Bad::Malformed)?;
        match literal.ty {
            Scalar::F32 | Scalar::F64 => Err(Bad::Malformed),
            Scalar::I32 => Ok(i64::from(literal.bits as i32)),
            _ => Ok(literal.bits as i64),
        }
    }

    fn word(&self, name: Name) -> i64 {
        match self.run.names.text(name) {
            "true" | "__STDC__" => 1,
            "__STDC_VERSION__" => 199_901,
            _ => 0,
        }
    }
}

fn apply(kind: Kind, a: i64, right: Result<i64, Bad>) -> Result<i64, Bad> {
    // The right side of && and || may divide by zero where it does not count.
    let b = match (kind, right) {
        (Kind::AndAnd, Err(Bad::DivisionByZero)) if a == 0 => return Ok(0),
        (Kind::OrOr, Err(Bad::DivisionByZero)) if a != 0 => return Ok(1),
        (_, right) => right?,
    };
    Ok(match kind {
        Kind::OrOr => i64::from(a != 0 || b != 0),
        Kind::AndAnd => i64::from(a != 0 && b != 0),
        Kind::Pipe => a | b,
        Kind::Caret => a ^ b,
        Kind::Amp => a & b,
        Kind::EqEq => i64::from(a == b),
        Kind::NotEq => i64::from(a != b),
        Kind::Lt => i64::from(a < b),
        Kind::Le => i64::from(a <= b),
        Kind::Gt => i64::from(a > b),
        Kind::Ge => i64::from(a >= b),
        Kind::Shl => a.wrapping_shl(b as u32),
        Kind::Shr => a.wrapping_shr(b as u32),
        Kind::Plus => a.wrapping_add(b),
        Kind::Minus => a.wrapping_sub(b),
        Kind::Star => a.wrapping_mul(b),
        Kind::Slash | Kind::Percent if b == 0 => return Err(Bad::DivisionByZero),
        Kind::Slash => a.wrapping_div(b),
        _ => a.wrapping_rem(b),
    })
}
