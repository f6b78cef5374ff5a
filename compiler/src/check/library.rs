//! Functions of C's library besides math.h: compilers' `__builtin_` names, memory set and copied, and what to write instead of the rest.
//!
//! `memset` and `memcpy` become loops over whole entries; their sizes are constants, so that each access is one of C's own types.

use super::num::{self, Num};
use super::place::{Lvalue, Pointer};
use super::{Checked, Checker, Operand, Poison, math};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{BinaryOp, Scalar};
use crate::syntax::ast::{ExprId, List};

/// What to write instead of a function of C that kernels can't call.
pub(super) fn way_round(name: &str) -> Option<&'static str> {
    Some(match name {
        "malloc" | "calloc" | "realloc" | "free" | "alloca" => "declare a local array",
        "printf" | "fprintf" | "puts" | "exit" | "abort" | "assert" | "prefetch" | "trap"
        | "unreachable" | "assume" => "kernels compute and nothing else: remove it",
        "modf" | "modff" => "the whole part of x is trunc(x), the rest x - trunc(x)",
        "frexp" | "frexpf" => "the exponent is ilogb(x) + 1, the fraction ldexp(x, -exponent)",
        "sincos" | "sincosf" => "call sin and cos",
        "remquo" | "remquof" => "call remainder",
        "lgamma_r" | "lgammaf_r" => "call lgamma",
        "memmove" | "memcmp" | "bcopy" | "bzero" => "write a loop",
        "rand" | "srand" | "random" | "drand48" => "pass random numbers as a parameter",
        "time" | "clock" | "omp_get_thread_num" | "omp_get_wtime" => "pass it as a parameter",
        "va_start" | "va_arg" | "va_end" => "give the function the parameters it needs",
        "setjmp" | "longjmp" => "use a loop, break, continue or return",
        _ => return None,
    })
}

impl Checker<'_, '_> {
    /// A call of a function that is known here; `None` if it is not.
    #[inline(never)] // Its locals are not to lie in every level of a recursion.
    pub(super) fn library_call(
        &mut self,
        name: &str,
        args: List,
        span: Span,
    ) -> Option<Checked<Operand>> {
        let plain = name.strip_prefix("__builtin_");
        match (plain, plain.unwrap_or(name)) {
            (_, "memset") => Some(self.memory_set(args, span)),
            (_, "memcpy") => Some(self.memory_copy(args, span)),
            (Some(_), "expect") => Some(self.expected(args, span)),
            (Some(_), "assume_aligned") => Some(self.assumed(args, span)),
            (Some(_), "inf" | "huge_val") => Some(self.infinity(args, Scalar::F64, span)),
            (Some(_), "inff" | "huge_valf") => Some(self.infinity(args, Scalar::F32, span)),
            (Some(_), plain) if math::is_known(plain) => {
                let args = self.arguments(args);
                Some(args.and_then(|args| self.math_call(plain, &args, span).map(Operand::Num)))
            }
            _ => None,
        }
    }

    fn operands<const N: usize>(&mut self, args: List, span: Span) -> Checked<[ExprId; N]> {
        let ids: Vec<ExprId> = args.range().map(|at| self.unit.ast.args[at]).collect();
        <[ExprId; N]>::try_from(ids.as_slice())
            .map_err(|_| self.wrong_count(N, args.len as usize, span))
    }

    /// `__builtin_expect(value, guess)`: the value, as a `long`.
    fn expected(&mut self, args: List, span: Span) -> Checked<Operand> {
        let [value, guess] = self.operands(args, span)?;
        let value = self.num(value);
        self.num(guess)?;
        let value = value?;
        Ok(Operand::Num(self.convert(value, Scalar::I64)))
    }

    /// `__builtin_assume_aligned(pointer, bytes)`: the pointer; only natural alignment is used.
    fn assumed(&mut self, args: List, span: Span) -> Checked<Operand> {
        let [pointer, bytes] = self.operands(args, span)?;
        let pointer = self.rvalue(pointer);
        self.num(bytes)?;
        pointer
    }

    fn infinity(&mut self, args: List, ty: Scalar, span: Span) -> Checked<Operand> {
        let [] = self.operands(args, span)?;
        let bits = num::convert(f64::INFINITY.to_bits(), Scalar::F64, ty);
        Ok(Operand::Num(Num::constant(ty, bits)))
    }

    fn memory_set(&mut self, args: List, span: Span) -> Checked<Operand> {
        let [to, byte, bytes] = self.operands(args, span)?;
        let to = self.memory(to);
        let byte = self.num(byte);
        let bytes = self.num(bytes);
        let (to, byte, bytes) = (to?, byte?, bytes?);
        if byte.integer() != Some(0) {
            let message = "memset with another value than 0 is not in the kernel language";
            return Err(self.write_a_loop(message, span));
        }
        let count = self.whole_entries(&to, bytes, span)?;
        let zero = Num::constant(to.scalar, 0);
        self.each_entry(count, span, |c, at| {
            let to = c.entry(&to, at);
            c.store(&Lvalue::Element(to), zero, span)
        })
    }

    fn memory_copy(&mut self, args: List, span: Span) -> Checked<Operand> {
        let [to, from, bytes] = self.operands(args, span)?;
        let to = self.memory(to);
        let from = self.memory(from);
        let bytes = self.num(bytes);
        let (to, from, bytes) = (to?, from?, bytes?);
        if to.scalar != from.scalar {
            let message = "memcpy between different types is not in the kernel language";
            return Err(self.write_a_loop(message, span));
        }
        let count = self.whole_entries(&to, bytes, span)?;
        self.each_entry(count, span, |c, at| {
            let (to, from) = (c.entry(&to, at), c.entry(&from, at));
            let value = c.load(Lvalue::Element(from), span)?;
            let value = c.number(value, span)?;
            c.store(&Lvalue::Element(to), value, span)
        })
    }

    /// A pointer to scalars in memory; complex numbers are two each.
    fn memory(&mut self, id: ExprId) -> Checked<Pointer> {
        let span = self.unit.ast.span(id);
        match self.rvalue(id)? {
            Operand::Pointer(pointer) if !matches!(pointer.root, super::place::Root::Rows(_)) => {
                Ok(Pointer {
                    is_complex: false,
                    ..pointer
                })
            }
            _ => Err(self.error("not-a-pointer", span, "this is not a pointer to numbers")),
        }
    }

    fn write_a_loop(&mut self, message: &str, span: Span) -> Poison {
        let found = Diagnostic::error("not-in-language", span, message);
        self.report(found.with_help("write a loop"))
    }

    /// How many entries of `to` a constant number of bytes are.
    fn whole_entries(&mut self, to: &Pointer, bytes: Num, span: Span) -> Checked<i64> {
        let size = i128::from(to.scalar.bytes());
        match bytes.integer() {
            Some(bytes) if bytes % size == 0 && (0..1 << 40).contains(&bytes) => {
                Ok((bytes / size) as i64)
            }
            Some(_) => {
                let message = "this size is not that of a number of whole entries";
                Err(self.error("bad-operand", span, message))
            }
            None => {
                let message = "a size that is not a constant is not in the kernel language here";
                Err(self.write_a_loop(message, span))
            }
        }
    }

    /// The entry that lies `at` scalars behind a pointer, whatever the shape of what it points to.
    fn entry(&mut self, pointer: &Pointer, at: Num) -> Pointer {
        let (base, at) = (self.value(pointer.index), self.value(at));
        let index = self.b.binary(BinaryOp::Add, base, at);
        Pointer {
            dims: super::place::Dims::new(),
            index: Num::value(Scalar::I64, index),
            extent: None,
            outside: None,
            outer: None,
            ..pointer.clone()
        }
    }

    fn each_entry(
        &mut self,
        count: i64,
        span: Span,
        mut each: impl FnMut(&mut Self, Num) -> Checked<()>,
    ) -> Checked<Operand> {
        let (lo, hi) = (Num::index(0), Num::index(count));
        let (lo, hi) = (self.value(lo), self.value(hi));
        self.sites.push(span);
        let open = self.b.open_for(lo, hi, 1);
        let counter = Num::value(Scalar::I64, open.counter);
        let result = each(self, counter);
        self.b.close_for(open);
        result.map(|()| Operand::Void)
    }
}
