//! Complex numbers: pairs of reals, taken apart here, so that all that follows sees real arithmetic.
//!
//! In memory a complex value is two neighbouring reals. C's rules (its Annex G, as GCC has it): a real operand stays real; a
//! product is `(ac - bd, ad + bc)`, and where both parts come out as NaN what `__muldc3` makes of it; quotients and
//! functions are those of the host, one call for each part.

use super::call::Args;
use super::num::{self, Num};
use super::place::{Lvalue, Pointer};
use super::{Binding, Checked, Checker, Operand};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{BinaryOp, Block, CompareOp, HostSymbol, Scalar, Stmt, UnaryOp, Value};
use crate::syntax::ast::{Binary, DeclId, ExprId, List, Unary};

/// A complex number: both parts of one floating type.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Complex {
    pub(super) re: Num,
    pub(super) im: Num,
}

/// Functions of one complex number that the host computes.
const HOST_FUNCTIONS: [&str; 14] = [
    "csqrt", "cexp", "clog", "csin", "ccos", "ctan", "csinh", "ccosh", "ctanh", "casin", "cacos",
    "catan", "casinh", "cacosh",
];

/// The other functions of complex.h.
const OTHERS: [&str; 8] = [
    "creal", "cimag", "conj", "cabs", "carg", "cproj", "cpow", "catanh",
];

/// The names of the imaginary unit.
pub(super) const UNITS: [&str; 2] = ["I", "_Complex_I"];

/// A function of complex.h, and the type of its parts.
fn find(name: &str) -> Option<(&str, Scalar)> {
    let known = |name: &str| HOST_FUNCTIONS.contains(&name) || OTHERS.contains(&name);
    if known(name) {
        return Some((name, Scalar::F64));
    }
    let base = name.strip_suffix('f')?;
    known(base).then_some((base, Scalar::F32))
}

/// Whether kernels may call it.
pub(super) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

impl Complex {
    pub(super) fn new(re: Num, im: Num) -> Complex {
        Complex { re, im }
    }

    /// `0 + 1 i`, in float as complex.h has it.
    pub(super) fn unit() -> Complex {
        let one = u64::from(1f32.to_bits());
        Complex::new(
            Num::constant(Scalar::F32, 0),
            Num::constant(Scalar::F32, one),
        )
    }

    fn ty(self) -> Scalar {
        self.re.ty
    }
}

impl Checker<'_, '_> {
    /// An operand as a complex number of parts of this type.
    pub(super) fn as_complex(&mut self, from: Operand, ty: Scalar, span: Span) -> Checked<Complex> {
        match from {
            Operand::Complex(z) => Ok(Complex::new(self.convert(z.re, ty), self.convert(z.im, ty))),
            real => {
                let re = self.number(real, span)?;
                Ok(Complex::new(self.convert(re, ty), Num::constant(ty, 0)))
            }
        }
    }

    /// An operation of which at least one side is complex.
    pub(super) fn complex_binary(
        &mut self,
        op: Binary,
        left: Operand,
        right: Operand,
        span: Span,
    ) -> Checked<Operand> {
        let part = |operand: &Operand| match operand {
            Operand::Complex(z) => Some(z.ty()),
            Operand::Num(num) => Some(num.ty),
            _ => None,
        };
        let (Some(a), Some(b)) = (part(&left), part(&right)) else {
            let message = "this operator takes numbers";
            return Err(self.error("bad-operand", span, message));
        };
        let ty = num::common(a, b);
        let (left, right) = (self.parts(left, ty), self.parts(right, ty));
        match op {
            Binary::Eq | Binary::Ne => self.complex_equal(op, left, right, ty),
            Binary::Add | Binary::Sub => self.complex_sum(op, left, right, ty, span),
            Binary::Mul => self.complex_product(left, right, ty, span),
            Binary::Div => self.complex_quotient(left, right, ty, span),
            _ => {
                let message = "complex numbers can't be ordered, and have no remainder or bits";
                Err(self.error("bad-operand", span, message))
            }
        }
    }

    /// Real and imaginary part; a real number has no imaginary part, which is not the same as one of zero.
    fn parts(&mut self, operand: Operand, ty: Scalar) -> (Num, Option<Num>) {
        match operand {
            Operand::Complex(z) => (self.convert(z.re, ty), Some(self.convert(z.im, ty))),
            Operand::Num(num) => (self.convert(num, ty), None),
            Operand::Pointer(_) | Operand::Void => (Num::constant(ty, 0), None),
        }
    }

    fn complex_equal(
        &mut self,
        op: Binary,
        (a, b): (Num, Option<Num>),
        (c, d): (Num, Option<Num>),
        ty: Scalar,
    ) -> Checked<Operand> {
        let (compare, both) = match op {
            Binary::Eq => (CompareOp::Eq, BinaryOp::And),
            _ => (CompareOp::Ne, BinaryOp::Or),
        };
        let zero = Num::constant(ty, 0);
        let re = self.compared(compare, a, c);
        let im = self.compared(compare, b.unwrap_or(zero), d.unwrap_or(zero));
        Ok(Operand::Num(Num::truth(self.b.binary(both, re, im))))
    }

    fn compared(&mut self, op: CompareOp, a: Num, b: Num) -> Value {
        let (a, b) = (self.value(a), self.value(b));
        self.b.compare(op, a, b)
    }

    fn complex_sum(
        &mut self,
        op: Binary,
        (a, b): (Num, Option<Num>),
        (c, d): (Num, Option<Num>),
        ty: Scalar,
        span: Span,
    ) -> Checked<Operand> {
        let re = self.arithmetic(op, a, c, span)?;
        let im = match (b, d) {
            (Some(b), Some(d)) => self.arithmetic(op, b, d, span)?,
            (Some(b), None) => b,
            (None, Some(d)) if op == Binary::Sub => self.negated(d),
            (None, Some(d)) => d,
            (None, None) => Num::constant(ty, 0),
        };
        Ok(Operand::Complex(Complex::new(re, im)))
    }

    fn negated(&mut self, num: Num) -> Num {
        if let Some(folded) = super::constant::unary(Unary::Neg, num) {
            return folded;
        }
        let value = self.value(num);
        Num::value(num.ty, self.b.unary(UnaryOp::Neg, value))
    }

    fn complex_product(
        &mut self,
        (a, b): (Num, Option<Num>),
        (c, d): (Num, Option<Num>),
        ty: Scalar,
        span: Span,
    ) -> Checked<Operand> {
        let product = |c: &mut Self, x: Num, y: Num| c.arithmetic(Binary::Mul, x, y, span);
        let (re, im) = match (b, d) {
            (Some(b), Some(d)) => return self.full_product([a, b, c, d], ty, span),
            (Some(b), None) => (product(self, a, c)?, product(self, b, c)?),
            (None, Some(d)) => (product(self, a, c)?, product(self, a, d)?),
            (None, None) => (product(self, a, c)?, Num::constant(ty, 0)),
        };
        Ok(Operand::Complex(Complex::new(re, im)))
    }

    fn full_product(&mut self, parts: [Num; 4], ty: Scalar, span: Span) -> Checked<Operand> {
        let parts = parts.map(|part| Num::value(ty, self.value(part)));
        let [a, b, c, d] = parts;
        let mut product = |x: Num, y: Num| self.arithmetic(Binary::Mul, x, y, span);
        let (ac, bd, ad, bc) = (
            product(a, c)?,
            product(b, d)?,
            product(a, d)?,
            product(b, c)?,
        );
        let re = self.arithmetic(Binary::Sub, ac, bd, span)?;
        let im = self.arithmetic(Binary::Add, ad, bc, span)?;
        let (re, im) = (self.value(re), self.value(im));
        let re_nan = self.b.compare(CompareOp::Ne, re, re);
        let im_nan = self.b.compare(CompareOp::Ne, im, im);
        let cond = self.b.binary(BinaryOp::And, re_nan, im_nan);
        let vars = [re, im].map(|value| {
            let var = self.b.var(ty);
            self.b.set(var, value);
            var
        });
        self.b.open();
        let z = self.host_complex("mul", &parts, ty, span)?;
        let (re, im) = (self.value(z.re), self.value(z.im));
        self.b.set(vars[0], re);
        self.b.set(vars[1], im);
        let then = self.b.close();
        let other = Block::new();
        self.b.push(Stmt::If { cond, then, other });
        let [re, im] = vars.map(|var| Num::value(ty, self.b.get(var)));
        Ok(Operand::Complex(Complex::new(re, im)))
    }

    fn complex_quotient(
        &mut self,
        (a, b): (Num, Option<Num>),
        (c, d): (Num, Option<Num>),
        ty: Scalar,
        span: Span,
    ) -> Checked<Operand> {
        let zero = Num::constant(ty, 0);
        let z = match d {
            None => Complex::new(
                self.arithmetic(Binary::Div, a, c, span)?,
                self.arithmetic(Binary::Div, b.unwrap_or(zero), c, span)?,
            ),
            Some(d) => self.host_complex("div", &[a, b.unwrap_or(zero), c, d], ty, span)?,
        };
        Ok(Operand::Complex(z))
    }

    /// A complex result of the host: one call for each part.
    fn host_complex(
        &mut self,
        base: &str,
        args: &[Num],
        ty: Scalar,
        span: Span,
    ) -> Checked<Complex> {
        let suffix = if ty == Scalar::F32 { "f" } else { "" };
        let mut part = |part: &str| {
            let host = HostSymbol {
                name: format!("parloop_complex_{base}{suffix}_{part}"),
                params: vec![ty; args.len()],
                result: ty,
            };
            self.symbol_call(&host, args, span)
        };
        Ok(Complex::new(part("re")?, part("im")?))
    }

    /// `+z`, `-z` and `!z`.
    pub(super) fn complex_unary(&mut self, op: Unary, z: Complex, span: Span) -> Checked<Operand> {
        match op {
            Unary::Plus => Ok(Operand::Complex(z)),
            Unary::Neg => {
                let (re, im) = (self.negated(z.re), self.negated(z.im));
                Ok(Operand::Complex(Complex::new(re, im)))
            }
            Unary::Not => {
                let truth = self.complex_truth(z);
                let value = self.value(truth);
                Ok(Operand::Num(Num::truth(self.b.unary(UnaryOp::Not, value))))
            }
            _ => Err(self.error("bad-operand", span, "this operator takes no complex number")),
        }
    }

    /// Whether a complex number is not zero, as `Bool`.
    pub(super) fn complex_truth(&mut self, z: Complex) -> Num {
        let (re, im) = (self.truth(z.re), self.truth(z.im));
        let (re, im) = (self.value(re), self.value(im));
        Num::value(Scalar::Bool, self.b.binary(BinaryOp::Or, re, im))
    }

    /// The same number, each part computed once and not again by those who use it.
    pub(super) fn held_complex(&mut self, z: Complex) -> Complex {
        let [re, im] = [z.re, z.im].map(|part| match part.bits() {
            Some(_) => part,
            None => Num::value(part.ty, self.value(part)),
        });
        Complex::new(re, im)
    }

    /// A call of a function that `is_known`. Apart from other calls, which keeps their stack frames small.
    #[inline(never)]
    pub(super) fn complex_call(&mut self, name: &str, args: List, span: Span) -> Checked<Operand> {
        let (base, ty) = find(name).unwrap_or((name, Scalar::F64));
        // All of them, so that all errors are told.
        let mut values = Vec::with_capacity(args.range().len());
        for at in args.range() {
            values.push(self.rvalue(self.unit.ast.args[at]));
        }
        let values = values.into_iter().collect::<Checked<Vec<_>>>()?;
        let wanted = if base == "cpow" { 2 } else { 1 };
        if values.len() != wanted {
            return Err(self.wrong_count(wanted, values.len(), span));
        }
        let mut parts = Args::new();
        for value in values {
            let z = self.as_complex(value, ty, span)?;
            parts.extend([z.re, z.im]);
        }
        let (re, im) = (parts[0], parts[1]);
        let real = |c: &mut Self, name: &str, args: &[Num]| {
            let suffix = if ty == Scalar::F32 { "f" } else { "" };
            c.math_call(&format!("{name}{suffix}"), args, span)
                .map(Operand::Num)
        };
        match base {
            "creal" => Ok(Operand::Num(re)),
            "cimag" => Ok(Operand::Num(im)),
            "conj" => Ok(Operand::Complex(Complex::new(re, self.negated(im)))),
            "cabs" => real(self, "hypot", &[re, im]),
            "carg" => real(self, "atan2", &[im, re]),
            base => {
                let base = &base[1..];
                self.host_complex(base, &parts, ty, span)
                    .map(Operand::Complex)
            }
        }
    }

    /// What a complex entry of memory holds.
    pub(super) fn load_complex(&mut self, pointer: &Pointer, span: Span) -> Checked<Complex> {
        let [re, im] = self.both(pointer);
        let re = self.load_element(&re, span)?;
        let im = self.load_element(&im, span)?;
        Ok(Complex::new(re, im))
    }

    /// The two reals of a complex entry.
    fn both(&mut self, pointer: &Pointer) -> [Pointer; 2] {
        let re = Pointer {
            is_complex: false,
            ..pointer.clone()
        };
        let mut im = re.clone();
        im.index = self.index_binary(BinaryOp::Add, re.index, Num::index(1));
        [re, im]
    }

    /// Stores a complex number, or a real one, to something complex.
    pub(super) fn store_complex(&mut self, to: &Lvalue, z: Complex, span: Span) -> Checked<()> {
        match to {
            Lvalue::Pair(re, im, scalar, false) => {
                let (a, b) = (self.converted(z.re, *scalar), self.converted(z.im, *scalar));
                self.b.set(*re, a);
                self.b.set(*im, b);
                Ok(())
            }
            Lvalue::Element(pointer) => {
                let [re, im] = self.both(pointer);
                self.store(&Lvalue::Element(re), z.re, span)?;
                self.store(&Lvalue::Element(im), z.im, span)
            }
            _ => Err(self.error("const-store", span, "this is `const`")),
        }
    }

    /// A complex local that starts with a value.
    pub(super) fn complex_binding(&mut self, id: DeclId, z: Complex, is_const: bool) -> Binding {
        let is_fixed = self.frame.resolved.local(id).is_fixed();
        if is_fixed && !self.in_switch {
            return Binding::FixedComplex(z);
        }
        let ty = z.ty();
        let [re, im] = [z.re, z.im].map(|part| {
            let value = self.value(part);
            let var = self.b.var(ty);
            self.b.set(var, value);
            var
        });
        Binding::Pair(re, im, ty, is_const)
    }

    /// Assigns to something complex, with an operator if there is one.
    pub(super) fn assign_complex(
        &mut self,
        op: Option<Binary>,
        to: &Lvalue,
        ty: Scalar,
        value: ExprId,
        span: Span,
    ) -> Checked<Operand> {
        let mut value = self.rvalue(value)?;
        if let Some(op) = op {
            let before = self.load(to.clone(), span)?;
            value = self.complex_binary(op, before, value, span)?;
        }
        let z = self.as_complex(value, ty, span)?;
        let z = self.held_complex(z);
        self.store_complex(to, z, span)?;
        Ok(Operand::Complex(z))
    }

    /// The complex number of two sides of a `?:`.
    pub(super) fn merge_complex(
        &mut self,
        cond: Num,
        then: (Operand, Block),
        other: (Operand, Block),
        span: Span,
    ) -> Checked<Operand> {
        let part = |operand: &Operand| match operand {
            Operand::Complex(z) => z.ty(),
            Operand::Num(num) => num.ty,
            Operand::Pointer(_) | Operand::Void => Scalar::F64,
        };
        let ty = num::common(part(&then.0), part(&other.0));
        let cond = self.value(cond);
        let vars = [self.b.var(ty), self.b.var(ty)];
        let mut side = |(operand, block): (Operand, Block)| {
            self.b.open();
            self.splice(block);
            let stored = self.as_complex(operand, ty, span).map(|z| {
                let (re, im) = (self.value(z.re), self.value(z.im));
                self.b.set(vars[0], re);
                self.b.set(vars[1], im);
            });
            let block = self.b.close();
            stored.map(|()| block)
        };
        let (then, other) = (side(then)?, side(other)?);
        self.b.push(Stmt::If { cond, then, other });
        let [re, im] = vars.map(|var| Num::value(ty, self.b.get(var)));
        Ok(Operand::Complex(Complex::new(re, im)))
    }

    /// Why a complex number can't stand somewhere.
    pub(super) fn no_complex(&mut self, what: &str, span: Span) -> super::Poison {
        let message = format!("{what} is not in the kernel language");
        let found = Diagnostic::error("not-in-language", span, message);
        self.report(found.with_help("pass it through a pointer"))
    }
}
