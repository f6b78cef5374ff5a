//! Expressions: operator precedence with a stack, so that a chain of ten thousand operators is a loop.

use super::super::ast::{Binary, Expr, ExprId, Full, List, NESTING_MAX, Unary};
use super::super::token::{Kind, Token, kw};
use super::{Parsed, Parser};
use crate::diagnostic::Span;

/// A binary operator and how tightly it binds.
fn binary(kind: Kind) -> Option<(Binary, u8)> {
    Some(match kind {
        Kind::Star => (Binary::Mul, 10),
        Kind::Slash => (Binary::Div, 10),
        Kind::Percent => (Binary::Rem, 10),
        Kind::Plus => (Binary::Add, 9),
        Kind::Minus => (Binary::Sub, 9),
        Kind::Shl => (Binary::Shl, 8),
        Kind::Shr => (Binary::Shr, 8),
        Kind::Lt => (Binary::Lt, 7),
        Kind::Le => (Binary::Le, 7),
        Kind::Gt => (Binary::Gt, 7),
        Kind::Ge => (Binary::Ge, 7),
        Kind::EqEq => (Binary::Eq, 6),
        Kind::NotEq => (Binary::Ne, 6),
        Kind::Amp => (Binary::BitAnd, 5),
        Kind::Caret => (Binary::BitXor, 4),
        Kind::Pipe => (Binary::BitOr, 3),
        Kind::AndAnd => (Binary::And, 2),
        Kind::OrOr => (Binary::Or, 1),
        _ => return None,
    })
}

/// An assignment operator: `Some(None)` for `=`.
fn assignment(kind: Kind) -> Option<Option<Binary>> {
    Some(match kind {
        Kind::Assign => None,
        Kind::AddAssign => Some(Binary::Add),
        Kind::SubAssign => Some(Binary::Sub),
        Kind::MulAssign => Some(Binary::Mul),
        Kind::DivAssign => Some(Binary::Div),
        Kind::RemAssign => Some(Binary::Rem),
        Kind::AndAssign => Some(Binary::BitAnd),
        Kind::OrAssign => Some(Binary::BitOr),
        Kind::XorAssign => Some(Binary::BitXor),
        Kind::ShlAssign => Some(Binary::Shl),
        Kind::ShrAssign => Some(Binary::Shr),
        _ => return None,
    })
}

fn prefix(kind: Kind) -> Option<Unary> {
    Some(match kind {
        Kind::Plus => Unary::Plus,
        Kind::Minus => Unary::Neg,
        Kind::Bang => Unary::Not,
        Kind::Tilde => Unary::BitNot,
        Kind::Star => Unary::Deref,
        Kind::Amp => Unary::Address,
        Kind::Increment => Unary::PreIncrement,
        Kind::Decrement => Unary::PreDecrement,
        _ => return None,
    })
}

impl Parser<'_> {
    /// An expression that is not part of another one.
    pub(super) fn full(&mut self) -> Parsed<Full> {
        let start = ExprId(self.ast.exprs.len() as u32);
        let root = self.expression()?;
        Ok(Full { start, root })
    }

    fn push(&mut self, expr: Expr, span: Span) -> Parsed<ExprId> {
        let id = self.ast.push_expr(expr, span);
        if self.ast.height(id) > NESTING_MAX {
            return Err(self.too_deep(span));
        }
        Ok(id)
    }

    fn join(&self, left: ExprId, right: ExprId) -> Span {
        let (left, right) = (self.ast.span(left), self.ast.span(right));
        Span {
            start: left.start.min(right.start),
            end: left.end.max(right.end),
        }
    }

    /// With commas.
    fn expression(&mut self) -> Parsed<ExprId> {
        let mut left = self.assignment()?;
        while self.eat(Kind::Comma) {
            let right = self.assignment()?;
            let span = self.join(left, right);
            left = self.push(Expr::Binary(Binary::Comma, left, right), span)?;
        }
        Ok(left)
    }

    /// Without commas.
    pub(super) fn assignment(&mut self) -> Parsed<ExprId> {
        let left = self.conditional()?;
        let Some(op) = assignment(self.kind()) else {
            return Ok(left);
        };
        self.at += 1;
        self.enter()?;
        let right = self.assignment()?;
        self.leave();
        let span = self.join(left, right);
        self.push(Expr::Assign(op, left, right), span)
    }

    fn conditional(&mut self) -> Parsed<ExprId> {
        let cond = self.operators()?;
        if !self.eat(Kind::Question) {
            return Ok(cond);
        }
        if self.kind() == Kind::Colon {
            let (span, help) = (self.peek().span, "write the value a second time");
            return Err(self.refuse(span, "`?:` without its second operand", Some(help)));
        }
        self.enter()?;
        let then = self.expression()?;
        self.expect(Kind::Colon)?;
        let other = self.conditional()?;
        self.leave();
        let span = self.join(cond, other);
        self.push(Expr::Conditional(cond, then, other), span)
    }

    /// A chain of binary operators.
    fn operators(&mut self) -> Parsed<ExprId> {
        let base = self.operators.len();
        let mut left = self.unary()?;
        loop {
            let next = binary(self.kind());
            let level = next.map_or(0, |(_, level)| level);
            while self.operators.len() > base {
                let (op, above, first) = self.operators[self.operators.len() - 1];
                if above < level {
                    break;
                }
                self.operators.pop();
                let span = self.join(first, left);
                left = self.push(Expr::Binary(op, first, left), span)?;
            }
            let Some((op, level)) = next else {
                return Ok(left);
            };
            self.at += 1;
            self.operators.push((op, level, left));
            left = self.unary()?;
        }
    }

    fn unary(&mut self) -> Parsed<ExprId> {
        let token = self.peek();
        if let Some(op) = prefix(token.kind) {
            self.at += 1;
            self.enter()?;
            let operand = self.unary()?;
            self.leave();
            let span = self.since(token.span);
            return self.push(Expr::Unary(op, operand), span);
        }
        if token.kind == Kind::LParen && self.starts_type(1) {
            return self.cast(token);
        }
        if token.is(kw::SIZEOF) {
            return self.sizeof(token);
        }
        if self.skip_attributes() {
            return self.unary();
        }
        let operand = self.primary(token)?;
        self.postfix(operand)
    }

    fn cast(&mut self, open: Token) -> Parsed<ExprId> {
        self.at += 1;
        let ty = self.type_name()?;
        self.expect(Kind::RParen)?;
        if self.kind() == Kind::LBrace {
            return Err(self.refuse(open.span, "a compound literal", Some("declare an array")));
        }
        self.enter()?;
        let operand = self.unary()?;
        self.leave();
        let span = self.since(open.span);
        self.push(Expr::Cast(ty, operand), span)
    }

    fn sizeof(&mut self, word: Token) -> Parsed<ExprId> {
        self.at += 1;
        if self.kind() == Kind::LParen && self.starts_type(1) {
            self.at += 1;
            let ty = self.type_name()?;
            self.expect(Kind::RParen)?;
            let span = self.since(word.span);
            return self.push(Expr::SizeofType(ty), span);
        }
        self.enter()?;
        let operand = self.unary()?;
        self.leave();
        let span = self.since(word.span);
        self.push(Expr::SizeofValue(operand), span)
    }

    fn primary(&mut self, token: Token) -> Parsed<ExprId> {
        match token.kind {
            Kind::Number | Kind::Char => {
                self.at += 1;
                self.push(Expr::Literal(token.name.0), token.span)
            }
            Kind::Word | Kind::Painted => self.word(token),
            Kind::LParen => {
                self.at += 1;
                if self.kind() == Kind::LBrace {
                    return Err(self.refuse(
                        token.span,
                        "a statement in an expression",
                        Some("write a helper function"),
                    ));
                }
                self.enter()?;
                let inner = self.expression()?;
                self.leave();
                self.expect(Kind::RParen)?;
                let span = self.since(token.span);
                self.ast.expr_spans[inner.index()] = span;
                Ok(inner)
            }
            Kind::Str => {
                let help = "kernels compute and nothing else: remove it";
                Err(self.refuse(token.span, "a string", Some(help)))
            }
            Kind::AndAnd => Err(self.refuse(token.span, "the address of a label", None)),
            _ => Err(self.expected("an expression")),
        }
    }

    fn word(&mut self, token: Token) -> Parsed<ExprId> {
        if token.is(kw::TRUE) || token.is(kw::FALSE) {
            self.at += 1;
            return self.push(Expr::Bool(token.is(kw::TRUE)), token.span);
        }
        let refused = match token.name {
            kw::GENERIC => Some("write the expression for the type that is meant"),
            kw::ALIGNOF | kw::ALIGNOF_MACRO | kw::ALIGNOF_GNU => Some("use sizeof"),
            _ => None,
        };
        if refused.is_some() {
            let what = self.describe(token);
            return Err(self.refuse(token.span, &what, refused));
        }
        if token.name.is_keyword() {
            return Err(self.expected("an expression"));
        }
        self.at += 1;
        if self.kind() != Kind::LParen {
            return self.push(Expr::Name(token.name), token.span);
        }
        self.at += 1;
        self.enter()?;
        let args = self.arguments()?;
        self.leave();
        let span = self.since(token.span);
        self.push(Expr::Call(token.name, args), span)
    }

    /// Arguments up to and with the closing parenthesis.
    fn arguments(&mut self) -> Parsed<List> {
        let mut args = Vec::new();
        if !self.eat(Kind::RParen) {
            loop {
                args.push(self.assignment()?);
                if !self.eat(Kind::Comma) {
                    break;
                }
            }
            self.expect(Kind::RParen)?;
        }
        let start = self.ast.args.len() as u32;
        self.ast.args.extend_from_slice(&args);
        Ok(List {
            start,
            len: args.len() as u32,
        })
    }

    fn postfix(&mut self, mut operand: ExprId) -> Parsed<ExprId> {
        loop {
            let token = self.peek();
            let start = self.ast.span(operand);
            match token.kind {
                Kind::LBracket => {
                    self.at += 1;
                    self.enter()?;
                    let index = self.expression()?;
                    self.leave();
                    self.expect(Kind::RBracket)?;
                    let span = self.since(start);
                    operand = self.push(Expr::Index(operand, index), span)?;
                }
                Kind::Increment | Kind::Decrement => {
                    self.at += 1;
                    let op = match token.kind {
                        Kind::Increment => Unary::PostIncrement,
                        _ => Unary::PostDecrement,
                    };
                    let span = self.since(start);
                    operand = self.push(Expr::Unary(op, operand), span)?;
                }
                Kind::Dot | Kind::Arrow => {
                    return Err(self.refuse_struct(token.span));
                }
                Kind::LParen => {
                    let help = "call a function by its name";
                    return Err(self.refuse(token.span, "a function pointer", Some(help)));
                }
                _ => return Ok(operand),
            }
        }
    }
}
