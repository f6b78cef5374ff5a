//! Writes expressions, each with its type, as C's conversions give it.

use crate::tree::Expr;
use crate::types::Ty;
use crate::writer::{Func, Place, Taken, Writer};

/// An expression in C and its type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) text: String,
    pub(crate) ty: Ty,
}

pub(crate) fn typed(text: impl Into<String>, ty: Ty) -> Typed {
    Typed {
        text: text.into(),
        ty,
    }
}

const LITERALS: [(&str, Ty); 26] = [
    ("0", Ty::I32),
    ("1", Ty::I32),
    ("(-3)", Ty::I32),
    ("7u", Ty::U32),
    ("100000", Ty::I32),
    ("2147483647", Ty::I32),
    ("(-2147483647 - 1)", Ty::I32),
    ("4294967295u", Ty::U32),
    ("0xffffffffffffffffu", Ty::U64),
    ("9223372036854775807L", Ty::I64),
    ("(-9223372036854775807L - 1)", Ty::I64),
    ("'a'", Ty::I32),
    ("0.5", Ty::F64),
    ("(-1.25)", Ty::F64),
    ("3.0f", Ty::F32),
    ("1e-3", Ty::F64),
    ("0.1", Ty::F64),
    ("0.1f", Ty::F32),
    ("16777217.0f", Ty::F32),
    ("1e300", Ty::F64),
    ("true", Ty::I32),
    ("0x1p-3", Ty::F64),
    ("sizeof(double)", Ty::U64),
    ("0.0", Ty::F64),
    ("-0.0", Ty::F64),
    ("2.0", Ty::F64),
];

/// Functions of one argument, of `math.h`.
const ONE: [&str; 26] = [
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc", "lgamma",
    "tgamma", "round", "logb",
];

/// Functions of two.
const TWO: [&str; 8] = [
    "pow",
    "atan2",
    "hypot",
    "fmod",
    "remainder",
    "nextafter",
    "fdim",
    "pow",
];

/// Exponents that `pow` is given as they are.
const POWERS: [&str; 8] = ["2.0", "3", "0.5", "-1.0", "4.0", "1", "0", "-0.5"];

impl Writer {
    pub(crate) fn place(&self, which: u8, write: bool) -> Option<&Place> {
        let fit: Vec<&Place> = self.places.iter().filter(|p| p.written || !write).collect();
        (!fit.is_empty()).then(|| fit[usize::from(which) % fit.len()])
    }

    /// An index of `len` entries: a counter, a constant, or in wild kernels whatever `inner` says.
    pub(crate) fn index(&self, len: u32, by: u8, inner: Option<&Typed>) -> String {
        let nth = usize::from(by / 8) % self.counters.len().max(1);
        let counter = self.counters.get(nth);
        match (by % 4, counter, inner) {
            (0, Some(counter), _) if counter.max.is_some_and(|max| max <= len) => {
                counter.name.clone()
            }
            (0 | 1, Some(counter), _) if counter.max.is_some() => {
                format!("{} % {len}", counter.name)
            }
            (1, Some(counter), _) if self.wild_values => format!("{} - 1", counter.name),
            (2, _, Some(inner)) => {
                let inner = self.int(inner.clone(), Ty::I32);
                match (self.wild_values, len.is_power_of_two()) {
                    (true, _) => inner,
                    (false, true) => format!("({inner}) & {}", len - 1),
                    (false, false) => format!("(unsigned)({inner}) % {len}u"),
                }
            }
            _ => format!("{}", u32::from(by) % len),
        }
    }

    pub(crate) fn access(&self, place: &Place, by: u8, inner: Option<&Typed>) -> String {
        let mut text = place.name.clone();
        for (k, dim) in place.dims.iter().enumerate() {
            let inner = inner.filter(|_| k + 1 == place.dims.len());
            let index = self.index(*dim, by.wrapping_add(k as u8 * 3), inner);
            text = match (by % 16, place.dims.len()) {
                (11, 1) => format!("(*({text} + ({index})))"),
                (7, 1) => format!("({index})[{text}]"),
                _ => format!("{text}[{index}]"),
            };
        }
        text
    }

    pub(crate) fn expr(&self, expr: &Expr) -> Typed {
        match expr {
            Expr::Leaf(which, by) => self.leaf(*which, *by),
            Expr::One(op, a) => self.one(*op, self.expr(a)),
            Expr::Two(op, a, b) => self.two(*op, &self.expr(a), &self.expr(b)),
            Expr::Three(a, b, c) => {
                let (a, b, c) = (self.expr(a), self.expr(b), self.expr(c));
                let ty = b.ty.usual(c.ty);
                typed(format!("({} ? {} : {})", a.text, b.text, c.text), ty)
            }
            Expr::Call(f, a, b) => self.called(*f, &self.expr(a), &self.expr(b)),
        }
    }

    fn leaf(&self, which: u8, by: u8) -> Typed {
        if which.is_multiple_of(3) {
            let (text, ty) = LITERALS[usize::from(by) % LITERALS.len()];
            return typed(text, ty);
        }
        if which % 7 == 1 && !self.counters.is_empty() {
            let counter = &self.counters[usize::from(by) % self.counters.len()];
            return typed(counter.name.as_str(), counter.ty);
        }
        match self.place(which / 3, false) {
            Some(place) => typed(self.access(place, by, None), place.ty),
            None => typed("2", Ty::I32),
        }
    }

    /// As an integer: floating point becomes one of type `ty`, cut first to where C says what the conversion is.
    pub(crate) fn int(&self, value: Typed, ty: Ty) -> String {
        let (low, high) = ty.range();
        match (value.ty.float(), self.wild_values) {
            (false, _) => value.text,
            (true, true) => format!("({})({})", ty.name(0), value.text),
            (true, false) => format!("({})fmin(fmax({}, {low}), {high})", ty.name(0), value.text),
        }
    }

    /// As a value for a place of a type.
    pub(crate) fn to(&self, value: Typed, ty: Ty) -> String {
        match ty {
            Ty::F32 | Ty::F64 | Ty::Bool => value.text,
            // Wild ones leave the conversion to the assignment.
            _ if self.wild_values => value.text,
            _ => self.int(value, ty),
        }
    }

    fn one(&self, op: u8, a: Typed) -> Typed {
        let by = usize::from(op / 16);
        let f = if a.ty == Ty::F32 && op < 128 { "f" } else { "" };
        let float = if f == "f" { Ty::F32 } else { Ty::F64 };
        match op % 16 {
            0 | 1 => typed(format!("(-({}))", a.text), a.ty.promoted()),
            2 => typed(format!("(!{})", a.text), Ty::I32),
            3 => {
                let ty = if a.ty.float() {
                    Ty::I32
                } else {
                    a.ty.promoted()
                };
                typed(format!("(~({}))", self.int(a, Ty::I32)), ty)
            }
            4 => typed(format!("fabs{f}({})", a.text), float),
            5 => typed(format!("sqrt{f}(fabs{f}({}))", a.text), float),
            6 => {
                let name = ["floor", "ceil", "trunc", "rint"][by % 4];
                typed(format!("{name}{f}({})", a.text), float)
            }
            7..=9 => {
                let ty = Ty::of(op / 10);
                typed(format!("({})({})", ty.name(op), self.to(a, ty)), ty)
            }
            10 => {
                let name = ["isnan", "isinf", "isfinite"][by % 3];
                typed(format!("({name}((double)({})) != 0)", a.text), Ty::I32)
            }
            11 if by % 2 == 0 => typed(format!("abs(({}) | 1)", self.int(a, Ty::I32)), Ty::I32),
            11 => typed(format!("labs(({}) | 1)", self.int(a, Ty::I32)), Ty::I64),
            _ => match self.place(op / 16, false).filter(|p| !p.dims.is_empty()) {
                Some(place) => typed(self.access(place, 2, Some(&a)), place.ty),
                None => typed(format!("(+({}))", a.text), a.ty.promoted()),
            },
        }
    }

    /// What an integer may be divided by in C, of any sign; in wild kernels whatever `text` is.
    pub(crate) fn divisor(&self, text: &str, ty: Ty) -> String {
        match (self.wild_values, text.len() % 2, ty.signed()) {
            (true, ..) => format!("({text})"),
            (false, 0, true) => format!("((({text}) & 15) - 20)"),
            _ => format!("((({text}) & 7) + 1)"),
        }
    }

    /// How far a value of a type may be shifted in C.
    pub(crate) fn count(&self, text: &str, ty: Ty) -> String {
        match self.wild_values {
            true => format!("({text})"),
            false => format!("(({text}) & {})", ty.bytes() * 8 - 1),
        }
    }

    fn two(&self, op: u8, a: &Typed, b: &Typed) -> Typed {
        let ty = a.ty.usual(b.ty);
        let by = usize::from(op / 20);
        let infix = |op: &str| format!("({} {op} {})", a.text, b.text);
        // As integers, what they are computed in.
        let whole = |t: &Typed| if t.ty.float() { Ty::I32 } else { t.ty };
        let ints = || {
            (
                self.int(a.clone(), Ty::I32),
                self.int(b.clone(), Ty::I32),
                whole(a).usual(whole(b)),
            )
        };
        match op % 20 {
            0..=2 => typed(infix("+"), ty),
            3 | 4 => typed(infix("-"), ty),
            5..=7 => typed(infix("*"), ty),
            8 if ty.float() => typed(infix("/"), ty),
            8 | 9 => {
                let (a, b, ty) = ints();
                typed(
                    format!(
                        "({a} {} {})",
                        ["/", "%"][usize::from(op % 20 - 8)],
                        self.divisor(&b, ty)
                    ),
                    ty,
                )
            }
            10 | 11 => typed(infix(["<", "<=", ">", ">=", "==", "!="][by % 6]), Ty::I32),
            12 => typed(infix("&&"), Ty::I32),
            13 => typed(infix("||"), Ty::I32),
            14 => {
                let (a, b, ty) = ints();
                typed(format!("({a} {} {b})", ["&", "|", "^"][by % 3]), ty)
            }
            15 | 16 => {
                let (left, right, _) = ints();
                let ty = whole(a).promoted();
                typed(
                    format!(
                        "({left} {} {})",
                        ["<<", ">>"][by % 2],
                        self.count(&right, ty)
                    ),
                    ty,
                )
            }
            17 => typed(format!("({0} < {1} ? {0} : {1})", a.text, b.text), ty),
            18 if a.ty == Ty::F32 && b.ty == Ty::F32 => typed(
                format!("{}({}, {})", ["fminf", "fmaxf"][by % 2], a.text, b.text),
                Ty::F32,
            ),
            18 => typed(
                format!("{}({}, {})", ["fmin", "fmax"][by % 2], a.text, b.text),
                Ty::F64,
            ),
            _ => typed(format!("({}, {})", a.text, b.text), b.ty),
        }
    }

    fn called(&self, f: u8, a: &Typed, b: &Typed) -> Typed {
        let helpers: Vec<&Func> = self.funcs.iter().filter(|h| h.result.is_some()).collect();
        if f.is_multiple_of(2) && !helpers.is_empty() {
            let helper = helpers[usize::from(f / 2) % helpers.len()];
            if let Some(args) = self.args(helper, f / 4, a, b) {
                return typed(format!("{}({args})", helper.name), helper.result.unwrap());
            }
        }
        self.math(f / 2, a, b)
    }

    fn math(&self, f: u8, a: &Typed, b: &Typed) -> Typed {
        let (which, by) = (f % 16, usize::from(f / 16));
        let (s, ty) = if a.ty == Ty::F32 && by % 2 == 0 {
            ("f", Ty::F32)
        } else {
            ("", Ty::F64)
        };
        let (a, b) = (&a.text, b.clone());
        match which {
            0..=5 => {
                let name = ONE[(usize::from(which) * 8 + by) % ONE.len()];
                typed(format!("{name}{s}({a})"), ty)
            }
            6..=8 => {
                let name = TWO[(usize::from(which) * 8 + by) % TWO.len()];
                typed(format!("{name}{s}({a}, {})", b.text), ty)
            }
            9 | 10 => typed(format!("pow{s}({a}, {})", POWERS[by % POWERS.len()]), ty),
            11 => typed(format!("fma{s}({a}, {}, {a})", b.text), ty),
            // The sign of a NaN is nobody's promise.
            12 => typed(
                format!("copysign{s}({a}, ({0} == {0} ? {0} : 1))", b.text),
                ty,
            ),
            13 => {
                let count = self.int(b, Ty::I32);
                let name = ["ldexp", "scalbn"][by % 2];
                typed(format!("{name}{s}({a}, (({count}) & 31) - 15)"), ty)
            }
            14 => {
                let name = ["lround", "lrint", "llround", "llrint"][by % 4];
                typed(
                    format!("{name}{s}(fmin{s}(fmax{s}({a}, -1e9), 1e9))"),
                    Ty::I64,
                )
            }
            _ => {
                let order = self.int(b, Ty::I32);
                typed(format!("jn(({order}) & 3, {a})"), Ty::F64)
            }
        }
    }

    /// Arguments for a helper, if there are places for its pointers.
    pub(crate) fn args(&self, helper: &Func, by: u8, a: &Typed, b: &Typed) -> Option<String> {
        let mut args = Vec::new();
        for (k, param) in helper.params.iter().enumerate() {
            let by = by.wrapping_add(k as u8);
            args.push(match param {
                Taken::Value(ty) => self.to(if k % 2 == 0 { a.clone() } else { b.clone() }, *ty),
                Taken::Pointer(ty, len, written) => {
                    let fits = |p: &&Place| {
                        p.ty == *ty
                            && (p.written || !written)
                            && p.dims.last().is_some_and(|last| last >= len)
                            && !(p.rows && p.dims.len() < 2)
                    };
                    let fit: Vec<&Place> = self.places.iter().filter(fits).collect();
                    let place = fit.get(usize::from(by) % fit.len().max(1))?;
                    let (row, long) = self.row(place, by);
                    match u32::from(by / 4) % (long - len + 1) {
                        0 => row,
                        skip if by.is_multiple_of(2) => format!("&{row}[{skip}]"),
                        skip => format!("{row} + {skip}"),
                    }
                }
            });
        }
        Some(args.join(", "))
    }
}
