//! Arithmetic and comparisons on two numbers, with C's usual conversions.

use super::constant;
use super::num::{self, Num};
use super::{Checked, Checker};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{BinaryOp, Op, Scalar, Value};
use crate::syntax::ast::Binary;

impl Checker<'_, '_> {
    /// `a op b`, folded if both are constants.
    pub(super) fn arithmetic(&mut self, op: Binary, a: Num, b: Num, span: Span) -> Checked<Num> {
        if let Some(folded) = constant::binary(op, a, b) {
            return Ok(folded);
        }
        if matches!(op, Binary::Shl | Binary::Shr) {
            return self.shift(op, a, b, span);
        }
        let ty = num::common(a.ty, b.ty);
        let (a, b) = (self.convert(a, ty), self.convert(b, ty));
        if let Some(compare) = constant::comparison(op) {
            let (a, b) = (self.value(a), self.value(b));
            return Ok(Num::truth(self.b.compare(compare, a, b)));
        }
        let Some(ir) = constant::arithmetic(op) else {
            return Err(super::Poison);
        };
        let integers_only = matches!(
            op,
            Binary::Rem | Binary::BitAnd | Binary::BitOr | Binary::BitXor
        );
        if integers_only && ty.is_float() {
            let found = Diagnostic::error("bad-operand", span, "this operator needs integers");
            let found = match op {
                Binary::Rem => found.with_help("use fmod"),
                _ => found,
            };
            return Err(self.report(found));
        }
        let left = self.value(a);
        let right = match ir {
            BinaryOp::Div | BinaryOp::Rem if ty.is_int() => self.divisor(b, span),
            _ => self.value(b),
        };
        Ok(Num::value(ty, self.b.binary(ir, left, right)))
    }

    /// An integer divisor, checked unless it is known not to be zero.
    fn divisor(&mut self, num: Num, span: Span) -> Value {
        let value = self.value(num);
        if num.bits().is_some_and(|bits| bits != 0) {
            return value;
        }
        if num.bits() == Some(0) && self.dead == 0 {
            let message = "this divides by zero, which stops the loop with an error";
            self.warnings
                .push(Diagnostic::warning("division-by-zero", span, message));
        }
        let site = self.site(span);
        let op = Op::CheckDivisor {
            divisor: value,
            site,
        };
        self.b.emit(op, num.ty)
    }

    fn shift(&mut self, op: Binary, a: Num, b: Num, span: Span) -> Checked<Num> {
        if a.ty.is_float() || b.ty.is_float() {
            return Err(self.error("bad-operand", span, "a shift needs integers"));
        }
        let a = self.promoted(a);
        let b = self.promoted(b);
        let ir = match op {
            Binary::Shl => BinaryOp::Shl,
            _ => BinaryOp::Shr,
        };
        let (left, count) = (self.value(a), self.value(b));
        Ok(Num::value(a.ty, self.b.binary(ir, left, count)))
    }

    /// A number known at compile time to be a given integer.
    pub(super) fn is_integer(num: Num, value: i128) -> bool {
        num.ty != Scalar::Addr && num.integer() == Some(value)
    }
}
