//! The conditions of `#if` and `#elif`: integer constant expressions after macro expansion, in 64 bits, unsigned where C's
//! conversions make them so.
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
            Ok(value) => return value.is_true(),
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

/// A value of `intmax_t`, or of `uintmax_t`.
#[derive(Clone, Copy)]
struct Number {
    bits: i64,
    is_unsigned: bool,
}

impl Number {
    fn signed(bits: i64) -> Number {
        let is_unsigned = false;
        Number { bits, is_unsigned }
    }

    fn truth(holds: bool) -> Number {
        Number::signed(i64::from(holds))
    }

    fn is_true(self) -> bool {
        self.bits != 0
    }

    /// In the order of its type.
    fn key(self) -> i128 {
        match self.is_unsigned {
            true => i128::from(self.bits as u64),
            false => i128::from(self.bits),
        }
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

    fn expression(&mut self, least: u8) -> Result<Number, Bad> {
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

    fn choice(&mut self, cond: Number) -> Result<Number, Bad> {
        let then = self.expression(1)?;
        if self.peek() != Some(Kind::Colon) {
            return Err(Bad::Malformed);
        }
        self.at += 1;
        let other = self.expression(1)?;
        let chosen = if cond.is_true() { then } else { other };
        Ok(Number {
            is_unsigned: then.is_unsigned || other.is_unsigned,
            ..chosen
        })
    }

    fn operand(&mut self) -> Result<Number, Bad> {
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
                Kind::Word | Kind::Painted => Number::signed(self.word(token.name)),
                _ => return Err(Bad::Malformed),
            };
            return Ok(signs.into_iter().rev().fold(value, |v, sign| match sign {
                Kind::Minus => Number {
                    bits: v.bits.wrapping_neg(),
                    ..v
                },
                Kind::Bang => Number::truth(!v.is_true()),
                Kind::Tilde => Number { bits: !v.bits, ..v },
                _ => v,
            }));
        }
    }

    fn literal(&self, name: Name) -> Result<Number, Bad> {
        let literal = self
            .run
            .literals
            .get(name.0 as usize)
            .ok_or(Bad::Malformed)?;
        match literal.ty {
            Scalar::F32 | Scalar::F64 => Err(Bad::Malformed),
            Scalar::I32 => Ok(Number::signed(i64::from(literal.bits as i32))),
            ty => Ok(Number {
                bits: literal.bits as i64,
                is_unsigned: !ty.is_signed(),
            }),
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

fn apply(kind: Kind, a: Number, right: Result<Number, Bad>) -> Result<Number, Bad> {
    // The right side of && and || may divide by zero where it does not count.
    let b = match (kind, right) {
        (Kind::AndAnd, Err(Bad::DivisionByZero)) if !a.is_true() => {
            return Ok(Number::truth(false));
        }
        (Kind::OrOr, Err(Bad::DivisionByZero)) if a.is_true() => return Ok(Number::truth(true)),
        (_, right) => right?,
    };
    let is_shift = matches!(kind, Kind::Shl | Kind::Shr);
    let is_unsigned = a.is_unsigned || b.is_unsigned && !is_shift;
    let typed = |bits: i64| Number { bits, is_unsigned };
    let (a, b) = match is_shift {
        true => (a, b),
        false => (typed(a.bits), typed(b.bits)),
    };
    Ok(match kind {
        Kind::OrOr => Number::truth(a.is_true() || b.is_true()),
        Kind::AndAnd => Number::truth(a.is_true() && b.is_true()),
        Kind::EqEq => Number::truth(a.bits == b.bits),
        Kind::NotEq => Number::truth(a.bits != b.bits),
        Kind::Lt => Number::truth(a.key() < b.key()),
        Kind::Le => Number::truth(a.key() <= b.key()),
        Kind::Gt => Number::truth(a.key() > b.key()),
        Kind::Ge => Number::truth(a.key() >= b.key()),
        Kind::Pipe => typed(a.bits | b.bits),
        Kind::Caret => typed(a.bits ^ b.bits),
        Kind::Amp => typed(a.bits & b.bits),
        Kind::Shl => typed(a.bits.wrapping_shl(b.bits as u32)),
        Kind::Shr => typed((a.key() >> (b.bits & 63)) as i64),
        Kind::Plus => typed(a.bits.wrapping_add(b.bits)),
        Kind::Minus => typed(a.bits.wrapping_sub(b.bits)),
        Kind::Star => typed(a.bits.wrapping_mul(b.bits)),
        Kind::Slash | Kind::Percent if b.bits == 0 => return Err(Bad::DivisionByZero),
        Kind::Slash => typed((a.key() / b.key()) as i64),
        _ => typed((a.key() % b.key()) as i64),
    })
}
