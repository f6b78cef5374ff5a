//! The printable forms of tokens and trees. For people and for tests; nothing reads them back.

use super::ast::{Ast, Expr, ExprId, Full, Init, InitId, Stmt, StmtId};
use super::items::{self, ItemKind};
use super::parser::{Parser, TypeNames};
use super::token::{Kind, Names, Tokens};
use crate::diagnostic::Diagnostics;
use std::fmt::Write;

/// The tokens of a text after preprocessing, one a line: byte range, kind, name or value.
pub fn dump_tokens(text: &str) -> String {
    let mut out = String::new();
    let tokens = super::preprocess(text, &mut Vec::new());
    for token in &tokens.list {
        let _ = write!(out, "{}..{} ", token.span.start, token.span.end);
        let _ = match token.kind {
            _ if token.is_word() => writeln!(out, "word {}", tokens.names.text(token.name)),
            Kind::Number | Kind::Char => {
                let literal = tokens.literals[token.name.0 as usize];
                writeln!(out, "{} {:#x}", literal.ty, literal.bits)
            }
            kind => writeln!(out, "{kind:?}"),
        };
    }
    out
}

/// The trees of all functions of a text, as nested lists.
///
/// # Errors
/// What does not parse.
pub fn dump_ast(text: &str) -> Result<String, Diagnostics> {
    let mut errors = Vec::new();
    let tokens = super::preprocess(text, &mut errors);
    let items = items::split(&tokens.list, &mut errors);
    let mut ast = Ast::default();
    let types = TypeNames::standard(&tokens.names, &mut ast);
    let mut out = String::new();
    for item in items.iter().filter(|i| i.kind == ItemKind::Function) {
        let list = &tokens.list[item.tokens.clone()];
        let mut parser = Parser::new(list, &tokens.names, &types, &mut ast, &mut errors);
        let Ok(function) = parser.function() else {
            continue;
        };
        let mut printer = Printer {
            ast: &ast,
            tokens: &tokens,
            names: &tokens.names,
            out: &mut out,
        };
        let params: Vec<_> = function
            .params
            .range()
            .map(|at| ast.decls[at].name)
            .collect();
        let _ = write!(
            printer.out,
            "(function {}",
            printer.names.text(function.name)
        );
        for name in params {
            let _ = write!(printer.out, " {}", printer.names.text(name));
        }
        printer.stmt(function.body, 1);
        printer.out.push_str(")\n");
    }
    if errors.is_empty() {
        Ok(out)
    } else {
        Err(Diagnostics(errors))
    }
}

struct Printer<'p> {
    ast: &'p Ast,
    tokens: &'p Tokens,
    names: &'p Names,
    out: &'p mut String,
}

/// What is still to be printed of an expression.
enum Piece {
    Expr(ExprId),
    Text(&'static str),
}

impl Printer<'_> {
    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", depth.min(32)));
    }

    /// As deep as the parser lets statements nest.
    fn stmt(&mut self, id: StmtId, depth: usize) {
        self.line(depth);
        match self.ast.stmt(id) {
            Stmt::Empty => self.out.push_str("(empty)"),
            Stmt::Break => self.out.push_str("(break)"),
            Stmt::Continue => self.out.push_str("(continue)"),
            Stmt::Default => self.out.push_str("(default)"),
            Stmt::Expr(full) => self.full("(expr ", full),
            Stmt::Case(full) => self.full("(case ", full),
            Stmt::Return(Some(full)) => self.full("(return ", full),
            Stmt::Return(None) => self.out.push_str("(return)"),
            Stmt::Decl(list) => {
                self.out.push_str("(declare");
                for at in list.range() {
                    self.decl(at);
                }
                self.out.push(')');
            }
            Stmt::Block(list) => {
                self.out.push_str("(block");
                for at in list.range() {
                    self.stmt(self.ast.stmt_lists[at], depth + 1);
                }
                self.out.push(')');
            }
            Stmt::If(..) => self.chain(id, depth),
            Stmt::While(cond, body) => self.compound("(while", [Some(cond), None], [body], depth),
            Stmt::Switch(value, body) => {
                self.compound("(switch", [Some(value), None], [body], depth)
            }
            Stmt::DoWhile(body, cond) => self.compound("(do", [Some(cond), None], [body], depth),
            Stmt::For {
                init,
                cond,
                step,
                body,
                ..
            } => self.compound("(for", [cond, step], init.into_iter().chain([body]), depth),
        }
    }

    /// A chain of `else if`, written flat.
    fn chain(&mut self, id: StmtId, depth: usize) {
        self.out.push_str("(if");
        let mut next = Some(id);
        while let Some(id) = next.take() {
            if let Stmt::If(cond, then, other) = self.ast.stmt(id) {
                self.out.push(' ');
                self.expr(cond.root);
                self.stmt(then, depth + 1);
                next = other;
            } else {
                self.stmt(id, depth + 1);
            }
        }
        self.out.push(')');
    }

    fn compound(
        &mut self,
        head: &str,
        exprs: [Option<Full>; 2],
        stmts: impl IntoIterator<Item = StmtId>,
        depth: usize,
    ) {
        self.out.push_str(head);
        for full in exprs.into_iter().flatten() {
            self.out.push(' ');
            self.expr(full.root);
        }
        for stmt in stmts {
            self.stmt(stmt, depth + 1);
        }
        self.out.push(')');
    }

    fn full(&mut self, head: &str, full: Full) {
        self.out.push_str(head);
        self.expr(full.root);
        self.out.push(')');
    }

    fn decl(&mut self, at: usize) {
        let decl = self.ast.decls[at];
        let _ = write!(self.out, " {}", self.names.text(decl.name));
        if let Some(init) = decl.init {
            self.out.push('=');
            self.init(init);
        }
    }

    fn init(&mut self, id: InitId) {
        match self.ast.inits[id.index()] {
            Init::Expr(full) => self.expr(full.root),
            Init::Designated(index, value) => {
                self.full("[", index);
                self.init(value);
            }
            Init::List(list, _) => {
                self.out.push('{');
                for at in list.range() {
                    self.init(self.ast.init_lists[at]);
                    self.out.push(' ');
                }
                self.out.push('}');
            }
        }
    }

    fn expr(&mut self, root: ExprId) {
        let mut open = vec![Piece::Expr(root)];
        while let Some(piece) = open.pop() {
            match piece {
                Piece::Text(text) => self.out.push_str(text),
                Piece::Expr(id) => self.node(id, &mut open),
            }
        }
    }

    fn node(&mut self, id: ExprId, open: &mut Vec<Piece>) {
        let mut children = Vec::new();
        let _ = match self.ast.expr(id) {
            Expr::Literal(at) => {
                let literal = self.tokens.literals[at as usize];
                write!(self.out, "{}:{:#x}", literal.ty, literal.bits)
            }
            Expr::Bool(value) => write!(self.out, "{value}"),
            Expr::Name(name) => write!(self.out, "{}", self.names.text(name)),
            Expr::Unary(op, a) => {
                children.push(a);
                write!(self.out, "({op:?}")
            }
            Expr::Binary(op, a, b) => {
                children.extend([a, b]);
                write!(self.out, "({op:?}")
            }
            Expr::Assign(op, a, b) => {
                children.extend([a, b]);
                match op {
                    Some(op) => write!(self.out, "(Assign{op:?}"),
                    None => write!(self.out, "(Assign"),
                }
            }
            Expr::Conditional(a, b, c) => {
                children.extend([a, b, c]);
                write!(self.out, "(Conditional")
            }
            Expr::Call(name, args) => {
                children.extend(&self.ast.args[args.range()]);
                write!(self.out, "(Call {}", self.names.text(name))
            }
            Expr::Index(a, b) => {
                children.extend([a, b]);
                write!(self.out, "(Index")
            }
            Expr::Cast(ty, a) => {
                children.push(a);
                write!(self.out, "(Cast {:?}", self.ast.ty(ty).base)
            }
            Expr::SizeofType(ty) => write!(self.out, "(Sizeof {:?})", self.ast.ty(ty).base),
            Expr::SizeofValue(a) => {
                children.push(a);
                write!(self.out, "(Sizeof")
            }
        };
        let is_list = !matches!(
            self.ast.expr(id),
            Expr::Literal(_) | Expr::Bool(_) | Expr::Name(_) | Expr::SizeofType(_)
        );
        if is_list {
            open.push(Piece::Text(")"));
        }
        for child in children.into_iter().rev() {
            open.push(Piece::Expr(child));
            open.push(Piece::Text(" "));
        }
    }
}
