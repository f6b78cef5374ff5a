//! Conversions of numbers, as assignments, arguments, casts and conditions make them.

use super::num::{self, Num, Repr};
use super::{Checked, Checker, Operand};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Op, Scalar, Value};

impl Checker<'_, '_> {
    /// The number as another type.
    pub(super) fn convert(&mut self, num: Num, to: Scalar) -> Num {
        if num.ty == to {
            return num;
        }
        match num.repr {
            Repr::Const(bits) => Num::constant(to, num::convert(bits, num.ty, to)),
            Repr::Value(value) if to == Scalar::I64 && self.counter_of(value).is_some() => {
                Num::value(to, self.counter_of(value).unwrap_or(value))
            }
            Repr::Truth(value) | Repr::Value(value) => Num::value(to, self.b.convert(value, to)),
        }
    }

    /// The counter of a counted loop that a value is a narrower form of; such a counter always fits.
    fn counter_of(&self, value: Value) -> Option<Value> {
        match self.b.body.values[value].op {
            Op::Convert(from) if self.b.body.values[from].op == Op::Counter => Some(from),
            _ => None,
        }
    }

    /// Whether a number is not zero, as `Bool`.
    pub(super) fn truth(&mut self, num: Num) -> Num {
        match num.repr {
            Repr::Const(_) => self.convert(num, Scalar::Bool),
            Repr::Truth(value) => Num::value(Scalar::Bool, value),
            Repr::Value(_) => self.convert(num, Scalar::Bool),
        }
    }

    /// Whether an operand is not zero, as `Bool`.
    pub(super) fn operand_truth(&mut self, operand: Operand, span: Span) -> Checked<Num> {
        if let Operand::Complex(z) = operand {
            return Ok(self.complex_truth(z));
        }
        let num = self.number(operand, span)?;
        Ok(self.truth(num))
    }

    /// An operand that must be a number.
    pub(super) fn number(&mut self, operand: Operand, span: Span) -> Checked<Num> {
        match operand {
            Operand::Num(num) => Ok(num),
            // C drops the imaginary part.
            Operand::Complex(z) => Ok(z.re),
            Operand::Pointer(_) => {
                let message = "this is a pointer, and a number is needed";
                let found = Diagnostic::error("pointer-as-number", span, message);
                Err(self.report(
                    found.with_help("index it, or, if this tests for null, leave the test out"),
                ))
            }
            Operand::Void => Err(self.error("void-value", span, "this has no value")),
        }
    }

    /// An operand that must be a number, as one of another type: what a complex number is as `Bool` depends on both its parts.
    pub(super) fn number_as(&mut self, operand: Operand, to: Scalar, span: Span) -> Checked<Num> {
        if to == Scalar::Bool {
            return self.operand_truth(operand, span);
        }
        let num = self.number(operand, span)?;
        Ok(self.convert(num, to))
    }

    /// The promoted number.
    pub(super) fn promoted(&mut self, num: Num) -> Num {
        self.convert(num, num::promote(num.ty))
    }
}
