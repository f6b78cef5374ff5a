//! Statements and blocks. An error skips to the end of its statement.

use super::super::ast::{ExprId, Full, LINKS_MAX, List, Stmt, StmtId};
use super::super::token::{Kind, kw};
use super::{Parsed, Parser};
use crate::diagnostic::Span;

impl Parser<'_> {
    /// A braced block.
    pub(super) fn block(&mut self) -> Parsed<StmtId> {
        let start = self.expect(Kind::LBrace)?;
        let types = self.local_types.len();
        self.blocks += 1;
        let result = self.block_inner(start);
        self.blocks -= 1;
        self.local_types.truncate(types);
        result
    }

    fn block_inner(&mut self, start: Span) -> Parsed<StmtId> {
        let mut list = Vec::new();
        loop {
            match self.kind() {
                Kind::RBrace => break,
                Kind::End => return Err(self.expected("`}`")),
                _ => {}
            }
            let depth = self.depth;
            let before = self.at;
            match self.stmt() {
                Ok(stmt) => list.push(stmt),
                Err(_) => {
                    self.depth = depth;
                    self.operators.clear();
                    self.recover(before);
                    self.note_skipped(before);
                }
            }
        }
        self.at += 1;
        let list = self.push_stmts(&list);
        let span = self.since(start);
        Ok(self.ast.push_stmt(Stmt::Block(list), span))
    }

    fn push_stmts(&mut self, stmts: &[StmtId]) -> List {
        let start = self.ast.stmt_lists.len() as u32;
        self.ast.stmt_lists.extend_from_slice(stmts);
        List {
            start,
            len: stmts.len() as u32,
        }
    }

    /// What the names of a statement that was skipped stand for is not known.
    fn note_skipped(&mut self, before: usize) {
        let end = self.at.min(self.tokens.len());
        let names = self.tokens[before.min(end)..end].iter();
        self.skipped
            .extend(names.filter(|t| t.is_name()).map(|t| t.name));
    }

    /// Skips the rest of a statement that started at `before`.
    fn recover(&mut self, before: usize) {
        let mut depth = 0_u32;
        let here = std::mem::replace(&mut self.at, before);
        let declares = self.starts_type(0);
        self.at = here;
        // Braces that the failed statement opened count as open.
        for token in &self.tokens[before.min(self.tokens.len())..self.at.min(self.tokens.len())] {
            match token.kind {
                Kind::LBrace => depth += 1,
                Kind::RBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        loop {
            match self.kind() {
                Kind::End => return,
                Kind::Semicolon if depth == 0 => {
                    self.at += 1;
                    return;
                }
                Kind::LBrace => depth += 1,
                Kind::RBrace if depth == 0 => return,
                Kind::RBrace => {
                    depth -= 1;
                    let next = self.ahead(1).kind;
                    let goes_on = matches!(next, Kind::RParen | Kind::RBracket | Kind::Comma);
                    if depth == 0 && !goes_on && (!declares || next == Kind::RBrace) {
                        self.at += 1;
                        return;
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn stmt(&mut self) -> Parsed<StmtId> {
        self.enter()?;
        let start = self.peek().span;
        let stmt = self.stmt_kind();
        self.leave();
        let stmt = stmt?;
        let span = self.since(start);
        Ok(self.ast.push_stmt(stmt, span))
    }

    fn stmt_kind(&mut self) -> Parsed<Stmt> {
        if self.kind() == Kind::LBracket {
            self.skip_attributes();
        }
        let token = self.peek();
        match token.kind {
            Kind::Semicolon => {
                self.at += 1;
                return Ok(Stmt::Empty);
            }
            Kind::LBrace => {
                let block = self.block()?;
                return Ok(self.ast.stmt(block));
            }
            _ => {}
        }
        if token.is_word() && token.name.is_keyword() {
            if let Some(stmt) = self.keyword_stmt()? {
                return Ok(stmt);
            }
        } else if token.is_name() && self.ahead(1).kind == Kind::Colon {
            return Err(self.refuse(token.span, "a label", Some("use a loop, break or continue")));
        }
        if self.starts_type(0) || self.looks_declared() {
            return Ok(Stmt::Decl(self.declaration()?));
        }
        let expr = self.full()?;
        self.expect(Kind::Semicolon)?;
        Ok(Stmt::Expr(expr))
    }

    /// Two names in a row: a declaration of an unknown type.
    fn looks_declared(&self) -> bool {
        self.peek().is_name() && self.ahead(1).is_name()
    }

    fn keyword_stmt(&mut self) -> Parsed<Option<Stmt>> {
        let token = self.peek();
        let stmt = match token.name {
            kw::IF => self.if_stmt()?,
            kw::FOR => self.for_stmt()?,
            kw::WHILE => self.while_stmt()?,
            kw::DO => self.do_stmt()?,
            kw::SWITCH => {
                self.at += 1;
                let value = self.condition()?;
                Stmt::Switch(value, self.stmt()?)
            }
            kw::CASE => {
                self.at += 1;
                let value = self.full()?;
                if self.kind() == Kind::Ellipsis {
                    return Err(self.refuse(
                        token.span,
                        "a range of cases",
                        Some("write a case for each"),
                    ));
                }
                self.expect(Kind::Colon)?;
                Stmt::Case(value)
            }
            kw::DEFAULT => {
                self.at += 1;
                self.expect(Kind::Colon)?;
                Stmt::Default
            }
            kw::BREAK | kw::CONTINUE => {
                self.at += 1;
                self.expect(Kind::Semicolon)?;
                match token.name {
                    kw::BREAK => Stmt::Break,
                    _ => Stmt::Continue,
                }
            }
            kw::RETURN => self.return_stmt()?,
            kw::GOTO => {
                let help = "use a loop, break, continue or return";
                return Err(self.refuse(token.span, "goto", Some(help)));
            }
            kw::ASM | kw::ASM_GNU => {
                return Err(self.refuse(token.span, "inline assembly", Some("remove it")));
            }
            kw::STATIC_ASSERT | kw::STATIC_ASSERT_MACRO => {
                self.at += 1;
                self.skip_group();
                self.expect(Kind::Semicolon)?;
                Stmt::Empty
            }
            kw::PRAGMA => {
                self.skip_attributes();
                Stmt::Empty
            }
            _ => return Ok(None),
        };
        Ok(Some(stmt))
    }

    /// An expression in parentheses.
    fn condition(&mut self) -> Parsed<Full> {
        self.expect(Kind::LParen)?;
        let cond = self.full()?;
        self.expect(Kind::RParen)?;
        Ok(cond)
    }

    /// A chain of `else if` is read in a loop and counts as one level.
    #[inline(never)] // Its locals are not to lie in every level of a recursion.
    fn if_stmt(&mut self) -> Parsed<Stmt> {
        let mut links = Vec::new();
        let last = loop {
            let start = self.advance().span;
            let cond = self.condition()?;
            let then = self.stmt()?;
            links.push((start, cond, then));
            if links.len() > LINKS_MAX {
                let message = format!("this chain of `else if` has more than {LINKS_MAX} links");
                let failed = self.error("too-large", start, message);
                self.at = self.tokens.len();
                self.stopped = true;
                return Err(failed);
            }
            if !self.eat_word(kw::ELSE) {
                break None;
            }
            if !self.is(kw::IF) {
                break Some(self.stmt()?);
            }
        };
        let mut other = last;
        while let Some((start, cond, then)) = links.pop() {
            let stmt = Stmt::If(cond, then, other);
            if links.is_empty() {
                return Ok(stmt);
            }
            let span = self.since(start);
            other = Some(self.ast.push_stmt(stmt, span));
        }
        Ok(Stmt::Empty)
    }

    fn for_stmt(&mut self) -> Parsed<Stmt> {
        self.at += 1;
        self.expect(Kind::LParen)?;
        let start = self.peek().span;
        let init = if self.eat(Kind::Semicolon) {
            None
        } else {
            let init = if self.starts_type(0) || self.looks_declared() {
                Stmt::Decl(self.declaration()?)
            } else {
                let init = Stmt::Expr(self.full()?);
                self.expect(Kind::Semicolon)?;
                init
            };
            let span = self.since(start);
            Some(self.ast.push_stmt(init, span))
        };
        let cond = match self.kind() {
            Kind::Semicolon => None,
            _ => Some(self.full()?),
        };
        self.expect(Kind::Semicolon)?;
        let step = match self.kind() {
            Kind::RParen => None,
            _ => Some(self.full()?),
        };
        self.expect(Kind::RParen)?;
        let body = self.stmt()?;
        Ok(Stmt::For {
            init,
            cond,
            step,
            body,
            end: ExprId(self.ast.exprs.len() as u32),
        })
    }

    fn while_stmt(&mut self) -> Parsed<Stmt> {
        self.at += 1;
        let cond = self.condition()?;
        Ok(Stmt::While(cond, self.stmt()?))
    }

    fn do_stmt(&mut self) -> Parsed<Stmt> {
        self.at += 1;
        let body = self.stmt()?;
        if !self.eat_word(kw::WHILE) {
            return Err(self.expected("`while`"));
        }
        let cond = self.condition()?;
        self.expect(Kind::Semicolon)?;
        Ok(Stmt::DoWhile(body, cond))
    }

    fn return_stmt(&mut self) -> Parsed<Stmt> {
        self.at += 1;
        if self.eat(Kind::Semicolon) {
            return Ok(Stmt::Return(None));
        }
        let value = self.full()?;
        self.expect(Kind::Semicolon)?;
        Ok(Stmt::Return(Some(value)))
    }
}
