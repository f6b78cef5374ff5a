//! Statements, and the bodies of functions with their returns.

use super::flow;
use super::num::Num;
use super::resolve::Resolved;
use super::{Binding, Checked, Checker, Next, Operand, Returned, Target};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Block, Stmt as Ir};
use crate::syntax::ast::{DeclId, Full, List, Stmt, StmtId};
use smallvec::SmallVec;

/// Levels of `else` that early returns make before they leave a block instead.
const TAIL_DEPTH_MAX: u16 = 64;
/// Links of a chain of `else if` that nest in the IR; longer chains do not.
const CHAIN_NESTED_MAX: u16 = 32;

/// What runs after a statement.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum After {
    /// The end of the function, from its outermost block.
    End,
    /// The end of the function, from a branch.
    EndOfBranch,
    /// Something else.
    More,
}

/// Whether control reaches what follows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Flow {
    Next,
    Ends,
}

impl After {
    fn in_branch(self) -> After {
        match self {
            After::More => After::More,
            _ => After::EndOfBranch,
        }
    }
}

impl Checker<'_, '_> {
    /// The body of the frame's function.
    pub(super) fn body(&mut self, resolved: &Resolved) {
        let function = &resolved.function;
        let Stmt::Block(list) = self.unit.ast.stmt(function.body) else {
            return;
        };
        self.b.open();
        self.stmts(list, After::End);
        let body = self.b.close();
        match self.frame.exit {
            Some(label) => self.b.push(Ir::Block { label, body }),
            None => body.into_iter().for_each(|stmt| self.b.push(stmt)),
        }
        if self.frame.result.is_some() && !flow::returns(self.unit, function.body) {
            let message = "this function can end without returning a value";
            let found = Diagnostic::error("missing-return", function.end, message);
            self.report(found.with_related(function.span, "declared here to return one"));
        }
    }

    pub(super) fn stmts(&mut self, list: List, after: After) -> Flow {
        let range = list.range();
        for at in range.clone() {
            let id = self.unit.ast.stmt_lists[at];
            let is_last = at + 1 == range.end;
            if !is_last && after != After::More && self.early_return(id, at + 1..range.end, after) {
                return Flow::Next;
            }
            let after = if is_last { after } else { After::More };
            // The last statement may still be followed by nothing but a return without a value.
            if self.stmt(id, after) == Flow::Ends {
                self.unreachable(at + 1..range.end);
                return Flow::Ends;
            }
        }
        Flow::Next
    }

    /// Statements that never run: looked at for errors only.
    fn unreachable(&mut self, rest: std::ops::Range<usize>) {
        if rest.is_empty() {
            return;
        }
        self.dead += 1;
        self.b.open();
        for at in rest {
            let id = self.unit.ast.stmt_lists[at];
            self.b.open();
            self.stmt(id, After::More);
            self.b.close();
        }
        self.b.close();
        self.dead -= 1;
    }

    /// `if (c) return a; rest` as `if (c) .. else rest`, at the end of a function.
    fn early_return(&mut self, id: StmtId, rest: std::ops::Range<usize>, after: After) -> bool {
        let Stmt::If(cond, then, None) = self.unit.ast.stmt(id) else {
            return false;
        };
        if self.depth > TAIL_DEPTH_MAX || !flow::returns(self.unit, then) {
            return false;
        }
        let span = self.unit.ast.stmt_span(id);
        if self.enter(span).is_err() {
            return true;
        }
        let list = List {
            start: rest.start as u32,
            len: rest.len() as u32,
        };
        let after = after.in_branch();
        self.branch(cond, |c| c.stmt(then, after), |c| c.stmts(list, after));
        self.leave();
        true
    }

    /// An `if` with its two sides.
    fn branch(
        &mut self,
        cond: Full,
        then: impl FnOnce(&mut Self) -> Flow,
        other: impl FnOnce(&mut Self) -> Flow,
    ) -> Flow {
        let cond = self.condition(cond.root);
        let known = cond.ok().and_then(Num::bits);
        let value = cond.ok().map(|cond| self.value(cond));
        let (then_flow, then) = self.side(known == Some(0), then);
        let (other_flow, other) = self.side(known == Some(1), other);
        if let Some(cond) = value {
            self.b.push(Ir::If { cond, then, other });
        }
        if then_flow == Flow::Ends && other_flow == Flow::Ends {
            return Flow::Ends;
        }
        Flow::Next
    }

    /// Whether many more links follow than are nested within one another.
    fn is_long_chain(&self, mut other: Option<StmtId>) -> bool {
        for _ in 0..CHAIN_NESTED_MAX {
            match other.map(|id| self.unit.ast.stmt(id)) {
                Some(Stmt::If(_, _, rest)) => other = rest,
                _ => return false,
            }
        }
        true
    }

    /// A long chain of `else if`: a block that each link leaves, so that nothing nests.
    #[inline(never)] // Its locals are not to lie in every level of a recursion.
    fn long_chain(&mut self, id: StmtId, after: After) -> Flow {
        let label = self.b.body.label();
        self.b.open();
        let mut flow = Flow::Ends;
        let dead = self.dead;
        let mut next = Some(id);
        while let Some(id) = next {
            let Stmt::If(cond, then, other) = self.unit.ast.stmt(id) else {
                let last = self.stmt(id, after);
                flow = if last == Flow::Ends { flow } else { last };
                break;
            };
            self.work += 1;
            let cond = self.condition(cond.root);
            let known = cond.ok().and_then(Num::bits);
            let value = cond.ok().map(|cond| self.value(cond));
            let (link, mut block) = self.side(known == Some(0), |c| c.stmt(then, after));
            // A return that has nothing after it leaves no block itself.
            if link == Flow::Next || after != After::More {
                block.push(Ir::Exit(label));
            }
            if link == Flow::Next || other.is_none() {
                flow = Flow::Next;
            }
            if let Some(cond) = value {
                self.b.push(Ir::If {
                    cond,
                    then: block,
                    other: Block::new(),
                });
            }
            self.dead += u32::from(known == Some(1));
            next = other;
        }
        self.dead = dead;
        let body = self.b.close();
        self.b.push(Ir::Block { label, body });
        flow
    }

    fn side(&mut self, never: bool, inside: impl FnOnce(&mut Self) -> Flow) -> (Flow, Block) {
        self.dead += u32::from(never);
        let in_switch = std::mem::take(&mut self.in_switch);
        self.b.open();
        let flow = inside(self);
        self.in_switch = in_switch;
        self.dead -= u32::from(never);
        (flow, self.b.close())
    }

    pub(super) fn stmt(&mut self, id: StmtId, after: After) -> Flow {
        let span = self.unit.ast.stmt_span(id);
        self.work += 1;
        if self.enter(span).is_err() {
            return Flow::Next;
        }
        let flow = self.stmt_inner(id, span, after);
        self.leave();
        flow
    }

    fn stmt_inner(&mut self, id: StmtId, span: Span, after: After) -> Flow {
        match self.unit.ast.stmt(id) {
            Stmt::Empty => Flow::Next,
            Stmt::Expr(full) => {
                self.effects(full);
                Flow::Next
            }
            Stmt::Decl(list) => {
                for at in list.range() {
                    self.declare(DeclId(at as u32));
                }
                Flow::Next
            }
            Stmt::Block(list) => {
                let in_switch = std::mem::take(&mut self.in_switch);
                let flow = self.stmts(list, after);
                self.in_switch = in_switch;
                flow
            }
            Stmt::If(cond, then, other) => {
                let after = after.in_branch();
                if self.is_long_chain(other) {
                    return self.long_chain(id, after);
                }
                self.branch(
                    cond,
                    |c| c.stmt(then, after),
                    |c| other.map_or(Flow::Next, |other| c.stmt(other, after)),
                )
            }
            Stmt::For {
                init,
                cond,
                step,
                body,
                end,
            } => {
                self.for_loop(super::loops::ForParts {
                    init,
                    cond,
                    step,
                    body,
                    end,
                    span,
                });
                Flow::Next
            }
            Stmt::While(cond, body) => {
                self.while_loop(cond, body, span);
                Flow::Next
            }
            Stmt::DoWhile(body, cond) => {
                self.do_loop(body, cond, span);
                Flow::Next
            }
            Stmt::Switch(value, body) => {
                self.switch(value, body, span);
                Flow::Next
            }
            Stmt::Case(_) | Stmt::Default => {
                let message = "a case stands directly in its switch";
                self.error("misplaced-case", span, message);
                Flow::Next
            }
            Stmt::Break => self.leave_loop(span),
            Stmt::Continue => self.next_iteration(span),
            Stmt::Return(value) => self.return_stmt(value, span, after),
        }
    }

    /// An expression for what it does.
    pub(super) fn effects(&mut self, full: Full) {
        // What is wrong was reported; a value is not needed.
        let _: Checked<Operand> = self.rvalue(full.root);
    }

    fn leave_loop(&mut self, span: Span) -> Flow {
        let Some(at) = self.targets.len().checked_sub(1) else {
            self.error(
                "misplaced-break",
                span,
                "there is no loop or switch to leave",
            );
            return Flow::Next;
        };
        let known = self.targets[at].break_label;
        let label = known.unwrap_or_else(|| self.b.body.label());
        self.targets[at].break_label = Some(label);
        self.b.push(Ir::Exit(label));
        Flow::Ends
    }

    fn next_iteration(&mut self, span: Span) -> Flow {
        let target = self
            .targets
            .iter()
            .rposition(|t: &Target| !matches!(t.next, Next::Outer));
        let Some(at) = target else {
            self.error("misplaced-continue", span, "there is no loop to continue");
            return Flow::Next;
        };
        match self.targets[at].next {
            Next::Continue(label) => self.b.push(Ir::Continue(label)),
            Next::Leave(known) => {
                let label = known.unwrap_or_else(|| self.b.body.label());
                self.targets[at].next = Next::Leave(Some(label));
                self.b.push(Ir::Exit(label));
            }
            Next::Outer => {}
        }
        Flow::Ends
    }

    fn return_stmt(&mut self, value: Option<Full>, span: Span, after: After) -> Flow {
        match (value, self.frame.result) {
            (None, None) => {}
            (Some(value), None) => {
                // `return f();` of two void functions is common.
                if let Ok(operand) = self.rvalue(value.root)
                    && operand != Operand::Void
                {
                    let message = "this function returns nothing";
                    self.error("return-type", span, message);
                }
            }
            (None, Some(_)) => {
                self.error("return-type", span, "this function returns a value");
            }
            (Some(value), Some(ty)) => {
                let span = self.unit.ast.span(value.root);
                let operand = self.rvalue(value.root);
                if let Ok(result) = operand.and_then(|it| self.returned(it, ty, span)) {
                    self.set_result(result, after);
                }
            }
        }
        if after == After::More {
            let known = self.frame.exit;
            let label = known.unwrap_or_else(|| self.b.body.label());
            self.frame.exit = Some(label);
            self.b.push(Ir::Exit(label));
        }
        Flow::Ends
    }

    /// A value as the type that is returned.
    fn returned(&mut self, value: Operand, ty: Returned, span: Span) -> Checked<Operand> {
        if !ty.is_complex {
            return self.number_as(value, ty.scalar, span).map(Operand::Num);
        }
        let z = self.as_complex(value, ty.scalar, span)?;
        Ok(Operand::Complex(self.held_complex(z)))
    }

    fn set_result(&mut self, result: Operand, after: After) {
        if after == After::End && self.frame.result_vars.is_empty() {
            self.frame.result_value = Some(result);
            return;
        }
        let parts: SmallVec<[Num; 2]> = match result {
            Operand::Num(num) => [num].into_iter().collect(),
            Operand::Complex(z) => [z.re, z.im].into_iter().collect(),
            Operand::Pointer(_) | Operand::Void => return,
        };
        if self.frame.result_vars.is_empty() {
            self.frame.result_vars = parts.iter().map(|part| self.b.var(part.ty)).collect();
        }
        for (at, part) in parts.into_iter().enumerate() {
            let value = self.value(part);
            self.b.set(self.frame.result_vars[at], value);
        }
    }

    /// Binds a declaration of the frame.
    pub(super) fn bind(&mut self, decl: DeclId, binding: Binding) {
        let at = self.frame.resolved.index(decl);
        self.frame.bindings[at] = binding;
    }
}
