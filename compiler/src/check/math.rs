//! The functions of math.h and stdlib.h that kernels may call, in double and float.
//!
//! What is exact becomes an IR operation; the rest is a call of the host's function by its C name. Nothing is folded.

use super::num::Num;
use super::{Checked, Checker};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, CompareOp, HostSymbol, Op, Scalar, UnaryOp, Value};

const F: Scalar = Scalar::F64;
const INT: Scalar = Scalar::I32;
const LONG: Scalar = Scalar::I64;

/// What a function is made of. `F64` in a signature stands for the function's own float type.
#[derive(Clone, Copy)]
enum Made {
    Unary(UnaryOp),
    Binary(BinaryOp),
    Fma,
    /// A host function: parameters and result.
    Host(&'static [Scalar], Scalar),
    /// Positive difference.
    Fdim,
}

use Made::{Binary, Fdim, Fma, Host, Unary};

const ONE: Made = Host(&[F], F);
const TWO: Made = Host(&[F, F], F);

/// Functions of math.h; with an `f` at the end of the name the same in float.
const FLOATS: &[(&str, Made)] = &[
    ("sqrt", Unary(UnaryOp::Sqrt)),
    ("fabs", Unary(UnaryOp::Abs)),
    ("floor", Unary(UnaryOp::Floor)),
    ("ceil", Unary(UnaryOp::Ceil)),
    ("trunc", Unary(UnaryOp::Trunc)),
    ("rint", Unary(UnaryOp::Rint)),
    ("nearbyint", Unary(UnaryOp::Rint)),
    ("fmin", Binary(BinaryOp::Min)),
    ("fmax", Binary(BinaryOp::Max)),
    ("copysign", Binary(BinaryOp::Copysign)),
    ("fma", Fma),
    ("fdim", Fdim),
    ("exp", ONE),
    ("exp2", ONE),
    ("exp10", ONE),
    ("expm1", ONE),
    ("log", ONE),
    ("log2", ONE),
    ("log10", ONE),
    ("log1p", ONE),
    ("logb", ONE),
    ("pow", TWO),
    ("sin", ONE),
    ("cos", ONE),
    ("tan", ONE),
    ("asin", ONE),
    ("acos", ONE),
    ("atan", ONE),
    ("atan2", TWO),
    ("sinh", ONE),
    ("cosh", ONE),
    ("tanh", ONE),
    ("asinh", ONE),
    ("acosh", ONE),
    ("atanh", ONE),
    ("cbrt", ONE),
    ("hypot", TWO),
    ("erf", ONE),
    ("erfc", ONE),
    ("tgamma", ONE),
    ("lgamma", ONE),
    ("fmod", TWO),
    ("remainder", TWO),
    ("nextafter", TWO),
    ("round", ONE),
    ("lround", Host(&[F], LONG)),
    ("llround", Host(&[F], LONG)),
    ("lrint", Host(&[F], LONG)),
    ("llrint", Host(&[F], LONG)),
    ("ilogb", Host(&[F], INT)),
    ("ldexp", Host(&[F, INT], F)),
    ("scalbn", Host(&[F, INT], F)),
    ("scalbln", Host(&[F, LONG], F)),
    ("j0", ONE),
    ("j1", ONE),
    ("jn", Host(&[INT, F], F)),
    ("y0", ONE),
    ("y1", ONE),
    ("yn", Host(&[INT, F], F)),
];

/// Functions and macros whose type is that of their argument, or fixed.
const OTHERS: &[&str] = &[
    "abs", "labs", "llabs", "isnan", "isinf", "isfinite", "signbit",
];

/// The function of a name, and whether it is the one in float.
fn find(name: &str) -> Option<(&'static str, Made, Scalar)> {
    let named = |text: &str| FLOATS.iter().find(|(n, _)| *n == text).copied();
    if let Some((name, made)) = named(name) {
        return Some((name, made, Scalar::F64));
    }
    let (name, made) = named(name.strip_suffix('f')?)?;
    Some((name, made, Scalar::F32))
}

/// Whether kernels may call it.
pub(super) fn is_known(name: &str) -> bool {
    OTHERS.contains(&name) || find(name).is_some()
}

/// The names, those in double.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FLOATS.iter().map(|f| f.0).chain(OTHERS.iter().copied())
}

impl Checker<'_, '_> {
    /// A call of a function that `is_known`.
    pub(super) fn math_call(&mut self, name: &str, args: &[Num], span: Span) -> Checked<Num> {
        let Some((base, made, float)) = find(name) else {
            return self.other_call(name, args, span);
        };
        let own = |ty: Scalar| if ty == Scalar::F64 { float } else { ty };
        let wanted = match made {
            Unary(_) => 1,
            Binary(_) | Fdim => 2,
            Fma => 3,
            Host(params, _) => params.len(),
        };
        if args.len() != wanted {
            return Err(self.wrong_count(wanted, args.len(), span));
        }
        if let Host(params, result) = made {
            let suffix = if float == Scalar::F32 { "f" } else { "" };
            let host = HostSymbol {
                name: format!("{base}{suffix}"),
                params: params.iter().map(|ty| own(*ty)).collect(),
                result: own(result),
            };
            return self.symbol_call(&host, args, span);
        }
        let values: Vec<Value> = args.iter().map(|arg| self.converted(*arg, float)).collect();
        let value = match made {
            Unary(op) => self.b.unary(op, values[0]),
            Binary(op) => self.b.binary(op, values[0], values[1]),
            Fma => {
                let op = Op::Fma(values[0], values[1], values[2]);
                self.b.emit(op, float)
            }
            Fdim | Host(..) => self.positive_difference(values[0], values[1], float),
        };
        Ok(Num::value(float, value))
    }

    /// `x > y ? x - y : +0`, and NaN for a NaN.
    fn positive_difference(&mut self, x: Value, y: Value, float: Scalar) -> Value {
        let at_most = self.b.compare(CompareOp::Le, x, y);
        let zero = self.zero(float);
        let difference = self.b.binary(BinaryOp::Sub, x, y);
        self.b.select(at_most, zero, difference)
    }

    fn other_call(&mut self, name: &str, args: &[Num], span: Span) -> Checked<Num> {
        let [arg] = args else {
            return Err(self.wrong_count(1, args.len(), span));
        };
        match name {
            "abs" => Ok(self.integer_abs(*arg, INT)),
            "labs" | "llabs" => Ok(self.integer_abs(*arg, LONG)),
            _ if !arg.ty.is_float() => {
                Err(self.error("bad-operand", span, "this needs a floating-point number"))
            }
            "signbit" => Ok(self.sign_bit(*arg)),
            _ => Ok(self.classify(name, *arg)),
        }
    }

    fn integer_abs(&mut self, arg: Num, ty: Scalar) -> Num {
        let value = self.converted(arg, ty);
        let zero = self.zero(ty);
        let negative = self.b.compare(CompareOp::Lt, value, zero);
        let negated = self.b.unary(UnaryOp::Neg, value);
        Num::value(ty, self.b.select(negative, negated, value))
    }

    fn sign_bit(&mut self, arg: Num) -> Num {
        let value = self.value(arg);
        let one = self.value(self_one(arg.ty));
        let signed = self.b.binary(BinaryOp::Copysign, one, value);
        let zero = self.zero(arg.ty);
        Num::truth(self.b.compare(CompareOp::Lt, signed, zero))
    }

    fn classify(&mut self, name: &str, arg: Num) -> Num {
        let value = self.value(arg);
        if name == "isnan" {
            return Num::truth(self.b.compare(CompareOp::Ne, value, value));
        }
        let magnitude = self.b.unary(UnaryOp::Abs, value);
        let infinity = match arg.ty {
            Scalar::F32 => u64::from(f32::INFINITY.to_bits()),
            _ => f64::INFINITY.to_bits(),
        };
        let infinity = self.b.constant(infinity, arg.ty);
        let op = match name {
            "isinf" => CompareOp::Eq,
            _ => CompareOp::Lt,
        };
        Num::truth(self.b.compare(op, magnitude, infinity))
    }
}

fn self_one(ty: Scalar) -> Num {
    Num::constant(ty, super::num::from_integer(1, ty))
}
