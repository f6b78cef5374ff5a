//! `?:`, `&&` and `||`: selects where both sides are cheap and can't fail, branches elsewhere.

use super::num::{self, Num};
use super::{Checked, Checker, Operand};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Block, Op, Scalar, Stmt};
use crate::syntax::ast::{Binary, ExprId};

/// Instructions of a side that are computed whether they count or not.
const SPECULATED_MAX: usize = 16;

impl Checker<'_, '_> {
    /// Emits into a block of its own.
    pub(super) fn aside<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> (T, Block) {
        self.b.open();
        let result = inside(self);
        (result, self.b.close())
    }

    pub(super) fn splice(&mut self, block: Block) {
        for stmt in block {
            self.b.push(stmt);
        }
    }

    /// Whether a block may run where C would not run it: it is short, has no effect and can't fail.
    fn is_cheap(&self, block: &Block) -> bool {
        block.len() <= SPECULATED_MAX
            && block.iter().all(|stmt| match stmt {
                Stmt::Let(value) => matches!(
                    self.b.body.values[*value].op,
                    Op::Const(_)
                        | Op::Unary(..)
                        | Op::Binary(..)
                        | Op::Compare(..)
                        | Op::Select(..)
                        | Op::Fma(..)
                        | Op::Convert(_)
                        | Op::Get(_)
                        | Op::Param(_)
                ),
                _ => false,
            })
    }

    pub(super) fn logical(
        &mut self,
        op: Binary,
        left: Checked<Operand>,
        left_id: ExprId,
        right: ExprId,
    ) -> Checked<Operand> {
        let left_span = self.unit.ast.span(left_id);
        let left = left.and_then(|operand| self.operand_truth(operand, left_span));
        let known = left.ok().and_then(Num::bits);
        // The right side never runs if the left one decides.
        let decides = known == Some(u64::from(op == Binary::Or));
        self.dead += u32::from(decides);
        let (right, block) = self.aside(|c| c.condition(right));
        self.dead -= u32::from(decides);
        let (left, right) = (left?, right?);
        if decides {
            return Ok(Operand::Num(Num::int(i32::from(op == Binary::Or))));
        }
        if known.is_some() {
            self.splice(block);
            return Ok(self.as_int(right));
        }
        if self.is_cheap(&block) {
            self.splice(block);
            return Ok(self.cheap_logical(op, left, right));
        }
        Ok(self.branched_logical(op, left, right, block))
    }

    fn as_int(&mut self, num: Num) -> Operand {
        let result = match num.bits() {
            Some(bits) => Num::int(bits as i32),
            None => Num::truth(self.value(num)),
        };
        Operand::Num(result)
    }

    fn cheap_logical(&mut self, op: Binary, left: Num, right: Num) -> Operand {
        if let Some(bits) = right.bits() {
            let decides = bits == u64::from(op == Binary::Or);
            if decides {
                return Operand::Num(Num::int(bits as i32));
            }
            return self.as_int(left);
        }
        let ir = match op {
            Binary::And => BinaryOp::And,
            _ => BinaryOp::Or,
        };
        let (a, b) = (self.value(left), self.value(right));
        Operand::Num(Num::truth(self.b.binary(ir, a, b)))
    }

    fn branched_logical(&mut self, op: Binary, left: Num, right: Num, block: Block) -> Operand {
        let var = self.b.var(Scalar::Bool);
        let cond = self.value(left);
        self.b.set(var, cond);
        self.b.open();
        self.splice(block);
        let value = self.value(right);
        self.b.set(var, value);
        let evaluated = self.b.close();
        let (then, other) = match op {
            Binary::And => (evaluated, Block::new()),
            _ => (Block::new(), evaluated),
        };
        self.b.push(Stmt::If { cond, then, other });
        Operand::Num(Num::truth(self.b.get(var)))
    }

    pub(super) fn conditional(
        &mut self,
        cond: ExprId,
        then: ExprId,
        other: ExprId,
        span: Span,
    ) -> Checked<Operand> {
        let cond = self.condition(cond);
        let known = cond.ok().and_then(Num::bits);
        let mut side = |id: ExprId, never: bool| {
            self.dead += u32::from(never);
            let result = self.aside(|c| c.rvalue(id));
            self.dead -= u32::from(never);
            result
        };
        let (then, then_block) = side(then, known == Some(0));
        let (other, other_block) = side(other, known == Some(1));
        let (cond, then, other) = (cond?, then?, other?);
        if let Some(bits) = known {
            let (chosen, block) = match bits {
                0 => (other.clone(), other_block),
                _ => (then.clone(), then_block),
            };
            self.splice(block);
            return Ok(self.chosen(chosen, &then, &other));
        }
        match (then, other) {
            (Operand::Num(a), Operand::Num(b)) => Ok(Operand::Num(self.merge(
                cond,
                (a, then_block),
                (b, other_block),
            ))),
            (then @ (Operand::Complex(_) | Operand::Num(_)), other @ Operand::Complex(_))
            | (then @ Operand::Complex(_), other @ Operand::Num(_)) => {
                self.merge_complex(cond, (then, then_block), (other, other_block), span)
            }
            (Operand::Void, Operand::Void) => {
                let cond = self.value(cond);
                self.b.push(Stmt::If {
                    cond,
                    then: then_block,
                    other: other_block,
                });
                Ok(Operand::Void)
            }
            (Operand::Pointer(_), _) | (_, Operand::Pointer(_)) => {
                let message = "a pointer that depends on a condition is not in the kernel language";
                let found = crate::diagnostic::Diagnostic::error("not-in-language", span, message)
                    .with_help("choose between values, or use if and else");
                Err(self.report(found))
            }
            _ => Err(self.error("void-value", span, "one side of this has no value")),
        }
    }

    /// The side that a constant condition takes, of the type that both sides give.
    fn chosen(&mut self, chosen: Operand, then: &Operand, other: &Operand) -> Operand {
        match (chosen, then, other) {
            (Operand::Num(num), Operand::Num(a), Operand::Num(b)) => {
                Operand::Num(self.convert(num, num::common(a.ty, b.ty)))
            }
            (Operand::Num(num), ..)
                if matches!(
                    (then, other),
                    (Operand::Complex(_), _) | (_, Operand::Complex(_))
                ) =>
            {
                let im = Num::constant(num.ty, 0);
                Operand::Complex(super::complex::Complex { re: num, im })
            }
            (chosen, ..) => chosen,
        }
    }

    fn merge(&mut self, cond: Num, then: (Num, Block), other: (Num, Block)) -> Num {
        let ty = num::common(then.0.ty, other.0.ty);
        let cond = self.value(cond);
        if self.is_cheap(&then.1) && self.is_cheap(&other.1) {
            self.splice(then.1);
            let a = self.converted(then.0, ty);
            self.splice(other.1);
            let b = self.converted(other.0, ty);
            return Num::value(ty, self.b.select(cond, a, b));
        }
        let var = self.b.var(ty);
        let mut side = |(num, block): (Num, Block)| {
            self.b.open();
            self.splice(block);
            let value = self.converted(num, ty);
            self.b.set(var, value);
            self.b.close()
        };
        let (then, other) = (side(then), side(other));
        self.b.push(Stmt::If { cond, then, other });
        Num::value(ty, self.b.get(var))
    }

    /// The value of a number as a type.
    pub(super) fn converted(&mut self, num: Num, ty: Scalar) -> crate::ir::Value {
        let num = self.convert(num, ty);
        self.value(num)
    }
}
