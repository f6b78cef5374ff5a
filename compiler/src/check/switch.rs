//! `switch` on integers: each section is a branch; falling through is a flag that the next section looks at.

use super::num::{self, Num};
use super::stmt::{After, Flow};
use super::{Checker, Next, Target};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Block, CompareOp, Scalar, Stmt as Ir, UnaryOp, Value, Var};
use crate::syntax::ast::{Full, Stmt, StmtId};
use std::collections::HashSet;

/// Statements with the labels before them.
#[derive(Default)]
struct Section {
    labels: Vec<Full>,
    is_default: bool,
    stmts: Vec<StmtId>,
}

impl Checker<'_, '_> {
    pub(super) fn switch(&mut self, value: Full, body: StmtId, span: Span) {
        let value = self.full_num(value);
        let sections = self.sections(body, span);
        let Ok(value) = value else {
            return;
        };
        if value.ty.is_float() {
            self.error("bad-operand", span, "a switch needs an integer");
            return;
        }
        let value = self.promoted(value);
        self.b.open();
        self.targets.push(Target {
            break_label: None,
            next: Next::Outer,
        });
        self.sections_body(value, &sections);
        let target = self.targets.pop();
        let body = self.b.close();
        match target.and_then(|t| t.break_label) {
            Some(label) => self.b.push(Ir::Block { label, body }),
            None => body.into_iter().for_each(|stmt| self.b.push(stmt)),
        }
    }

    fn sections(&mut self, body: StmtId, span: Span) -> Vec<Section> {
        let Stmt::Block(list) = self.unit.ast.stmt(body) else {
            self.error("misplaced-case", span, "the body of a switch is a block");
            return Vec::new();
        };
        let mut sections: Vec<Section> = Vec::new();
        for at in list.range() {
            let id = self.unit.ast.stmt_lists[at];
            let stmt = self.unit.ast.stmt(id);
            let is_label = matches!(stmt, Stmt::Case(_) | Stmt::Default);
            let starts = is_label && sections.last().is_none_or(|s| !s.stmts.is_empty());
            if starts {
                sections.push(Section::default());
            }
            match (stmt, sections.last_mut()) {
                (Stmt::Case(full), Some(section)) => section.labels.push(full),
                (Stmt::Default, Some(section)) => section.is_default = true,
                (_, Some(section)) => section.stmts.push(id),
                (_, None) => {
                    let span = self.unit.ast.stmt_span(id);
                    self.error("misplaced-case", span, "this stands before the first case");
                    return sections;
                }
            }
        }
        sections
    }

    fn sections_body(&mut self, value: Num, sections: &[Section]) {
        let matches = self.matches(value, sections);
        let falls = sections
            .iter()
            .rev()
            .skip(1)
            .any(|section| !self.ends(section));
        let through = falls.then(|| {
            let var = self.b.var(Scalar::Bool);
            let no = self.zero(Scalar::Bool);
            self.b.set(var, no);
            var
        });
        let mut falls_here = false;
        for (at, section) in sections.iter().enumerate() {
            let mut cond = matches[at];
            if let (Some(var), true) = (through, falls_here) {
                let fell = self.b.get(var);
                cond = self.b.binary(BinaryOp::Or, fell, cond);
            }
            let is_last = at + 1 == sections.len();
            falls_here = self.section(section, cond, through.filter(|_| !is_last)) || falls_here;
        }
    }

    /// Whether a section certainly does not go on to the next.
    fn ends(&self, section: &Section) -> bool {
        section.stmts.last().is_some_and(|last| {
            matches!(
                self.unit.ast.stmt(*last),
                Stmt::Break | Stmt::Continue | Stmt::Return(_)
            )
        })
    }

    /// Emits a section under its condition; whether it goes on to the next one.
    fn section(&mut self, section: &Section, cond: Value, through: Option<Var>) -> bool {
        self.b.open();
        let before = std::mem::replace(&mut self.in_switch, true);
        let mut flow = Flow::Next;
        for id in &section.stmts {
            if flow == Flow::Ends {
                // Only looked at for errors.
                self.dead += 1;
                self.b.open();
                self.stmt(*id, After::More);
                self.b.close();
                self.dead -= 1;
            } else {
                flow = self.stmt(*id, After::More);
            }
        }
        self.in_switch = before;
        let goes_on = flow == Flow::Next;
        if let (Some(var), true) = (through, goes_on) {
            let yes = self.b.constant(1, Scalar::Bool);
            self.b.set(var, yes);
        }
        let then = self.b.close();
        self.b.push(Ir::If {
            cond,
            then,
            other: Block::new(),
        });
        goes_on
    }

    /// For each section whether its labels match.
    fn matches(&mut self, value: Num, sections: &[Section]) -> Vec<Value> {
        let mut seen = HashSet::new();
        let mut any: Option<Value> = None;
        let mut found: Vec<Option<Value>> = Vec::new();
        for section in sections {
            let mut cond: Option<Value> = None;
            for label in &section.labels {
                let Some(equal) = self.label(value, *label, &mut seen) else {
                    continue;
                };
                cond = Some(self.either(cond, equal));
            }
            if let Some(cond) = cond {
                any = Some(self.either(any, cond));
            }
            found.push(cond);
        }
        let mut matches = Vec::new();
        for (section, cond) in sections.iter().zip(found) {
            let cond = match (section.is_default, cond) {
                (false, cond) => cond,
                (true, cond) => {
                    let none = any.map(|any| self.b.unary(UnaryOp::Not, any));
                    none.map(|none| self.either(cond, none))
                }
            };
            let always = u64::from(section.is_default);
            matches.push(cond.unwrap_or_else(|| self.b.constant(always, Scalar::Bool)));
        }
        matches
    }

    fn either(&mut self, a: Option<Value>, b: Value) -> Value {
        match a {
            Some(a) => self.b.binary(BinaryOp::Or, a, b),
            None => b,
        }
    }

    fn label(&mut self, value: Num, label: Full, seen: &mut HashSet<u64>) -> Option<Value> {
        let span = self.unit.ast.span(label.root);
        let known = self.constant(label).filter(|num| !num.ty.is_float());
        let Some(bits) =
            known.and_then(|num| num.bits().map(|b| num::convert(b, num.ty, value.ty)))
        else {
            self.error("not-constant", span, "a case is an integer constant");
            return None;
        };
        if !seen.insert(bits) {
            self.error(
                "duplicate-case",
                span,
                "this case stands here a second time",
            );
            return None;
        }
        let constant = self.b.constant(bits, value.ty);
        let value = self.value(value);
        Some(self.b.compare(CompareOp::Eq, value, constant))
    }
}
