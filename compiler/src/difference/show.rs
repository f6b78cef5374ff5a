//! A statement of a kernel as C might write it, in a bounded number of characters: for people, not to be read back.
//!
//! Locals have no names in a request: those assigned more than once are `x0, x1, ..`, arrays `array0, ..`; others stand for what they
//! were given.

use super::Names;
use crate::ir::{BinaryOp, Body, CompareOp, Op, Place, Scalar, Stmt, UnaryOp, Value, integer};
use std::fmt::{Display, Write};

/// The most characters of a statement.
const SHOWN_MAX: usize = 96;
/// How deep operands are followed.
const DEPTH_MAX: u32 = 8;
/// So many operations in a row that are not shown are passed over: one value may go through any number of them.
const PASSED_MAX: usize = 64;

/// Writes statements of one body.
pub(super) struct Show<'a> {
    pub(super) body: &'a Body,
    pub(super) names: Names<'a>,
}

impl Show<'_> {
    /// A statement; of one with blocks, its head.
    pub(super) fn stmt(&self, stmt: &Stmt) -> String {
        let mut out = Text::default();
        match stmt {
            Stmt::Let(value) => self.value(&mut out, *value, 0),
            Stmt::Set(var, value) => {
                out.put(format_args!("{var} = "));
                self.value(&mut out, *value, 0);
            }
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                self.place(&mut out, *place, *index, 0);
                out.put(" = ");
                self.value(&mut out, *value, 0);
            }
            Stmt::Clear(array) => out.put(format_args!("{array} = {{0}}")),
            Stmt::If { cond, .. } => {
                out.put("if ");
                self.value(&mut out, *cond, 0);
            }
            Stmt::For(it) => {
                out.put("for from ");
                self.value(&mut out, it.lo, 0);
                out.put(" to ");
                self.value(&mut out, it.hi, 0);
                out.put(format_args!(" by {}", it.step));
            }
            Stmt::Loop { .. } => out.put("loop"),
            Stmt::Block { .. } => out.put("block"),
            Stmt::Exit(_) => out.put("break"),
            Stmt::Continue(_) => out.put("continue"),
        }
        out.finish()
    }

    /// What is shown for a value: itself, or what was checked or converted between integers, which most often is an index.
    fn shown(&self, mut value: Value) -> Option<Value> {
        for _ in 0..PASSED_MAX {
            let inst = &self.body.values[value];
            value = match &inst.op {
                Op::Convert(a) if self.body.ty(*a).scalar.is_int() && inst.ty.scalar.is_int() => *a,
                Op::CheckIndex { index: a, .. } | Op::CheckDivisor { divisor: a, .. } => *a,
                _ => return Some(value),
            };
        }
        None
    }

    fn value(&self, out: &mut Text, value: Value, depth: u32) {
        let Some(value) = self
            .shown(value)
            .filter(|_| depth <= DEPTH_MAX && !out.is_full())
        else {
            return out.put("..");
        };
        let inst = &self.body.values[value];
        let next = depth + 1;
        match &inst.op {
            Op::Const(bits) => out.put(number(*bits, inst.ty.scalar)),
            Op::Unary(op, a) => match op {
                UnaryOp::Neg => self.wrapped(out, "-", *a, "", next),
                UnaryOp::Not => self.wrapped(out, "~", *a, "", next),
                op => self.call(out, op.name(), &[*a], next),
            },
            Op::Binary(op, a, b) => match infix(*op) {
                Some(sign) => self.infix(out, *a, sign, *b, depth),
                None => self.call(out, op.name(), &[*a, *b], next),
            },
            Op::Compare(op, a, b) => self.infix(out, *a, compared(*op), *b, depth),
            Op::Select(cond, a, b) => {
                self.wrapped(out, "(", *cond, " ? ", next);
                self.value(out, *a, next);
                self.wrapped(out, " : ", *b, ")", next);
            }
            Op::Fma(a, b, c) => self.call(out, "fma", &[*a, *b, *c], next),
            Op::Convert(a) => {
                out.put(format_args!("({})", c_name(inst.ty.scalar)));
                self.value(out, *a, next);
            }
            Op::Get(var) => out.put(var),
            Op::Load { place, index, .. } => self.place(out, *place, *index, next),
            Op::Call(symbol, args) => {
                let name = &self.body.symbols[*symbol].name;
                self.call(out, name, args, next);
            }
            Op::Param(param) => out.put(self.param(*param)),
            Op::Counter => out.put(format_args!("i{}", value.as_u32())),
            // A kernel has no others.
            _ => out.put(".."),
        }
    }

    fn wrapped(&self, out: &mut Text, before: &str, value: Value, after: &str, depth: u32) {
        out.put(before);
        self.value(out, value, depth);
        out.put(after);
    }

    fn infix(&self, out: &mut Text, a: Value, sign: &str, b: Value, depth: u32) {
        let (open, close) = if depth == 0 { ("", "") } else { ("(", ")") };
        out.put(open);
        self.value(out, a, depth + 1);
        out.put(format_args!(" {sign} "));
        self.value(out, b, depth + 1);
        out.put(close);
    }

    fn call(&self, out: &mut Text, name: &str, args: &[Value], depth: u32) {
        out.put(format_args!("{name}("));
        for (i, arg) in args.iter().enumerate() {
            self.wrapped(out, if i == 0 { "" } else { ", " }, *arg, "", depth);
        }
        out.put(")");
    }

    fn param(&self, param: u16) -> String {
        let given = self.names.params.get(usize::from(param));
        match given.filter(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => format!("argument{param}"),
        }
    }

    fn place(&self, out: &mut Text, place: Place, index: Value, depth: u32) {
        match place {
            Place::Array(array) => out.put(array),
            Place::Table(table) => out.put(table),
            Place::Param(param) => out.put(self.param(param)),
            Place::ParamRow { param, row } => {
                out.put(self.param(param));
                self.wrapped(out, "[", row, "]", depth);
            }
            Place::Constant(slot) => match self.names.constants.get(usize::from(slot)) {
                Some(name) => out.put(name),
                None => out.put(format_args!("constant{slot}")),
            },
            Place::RowPointers(arg) => out.put(format_args!("rows{arg}")),
            Place::Row { .. } => out.put("row"),
        }
        self.wrapped(out, "[", index, "]", depth);
    }
}

/// A number of a type by its bits, in decimal.
pub(super) fn number(bits: u64, scalar: Scalar) -> String {
    match scalar {
        Scalar::F64 => format!("{:?}", f64::from_bits(bits)),
        Scalar::F32 => format!("{:?}", f32::from_bits(bits as u32)),
        _ => match integer(scalar, bits) {
            Some(n) => n.to_string(),
            None => bits.to_string(),
        },
    }
}

/// What C calls a scalar.
pub(super) const fn c_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::I8 => "int8_t",
        Scalar::U8 => "uint8_t",
        Scalar::I16 => "int16_t",
        Scalar::U16 => "uint16_t",
        Scalar::I32 => "int",
        Scalar::U32 => "unsigned int",
        Scalar::I64 => "int64_t",
        Scalar::U64 => "uint64_t",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
        Scalar::Addr => "address",
    }
}

const fn infix(op: BinaryOp) -> Option<&'static str> {
    match op {
        BinaryOp::Add => Some("+"),
        BinaryOp::Sub => Some("-"),
        BinaryOp::Mul => Some("*"),
        BinaryOp::Div => Some("/"),
        BinaryOp::Rem => Some("%"),
        BinaryOp::And => Some("&"),
        BinaryOp::Or => Some("|"),
        BinaryOp::Xor => Some("^"),
        BinaryOp::Shl => Some("<<"),
        BinaryOp::Shr => Some(">>"),
        BinaryOp::Min | BinaryOp::Max | BinaryOp::Copysign => None,
    }
}

const fn compared(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

/// Text that stops growing.
#[derive(Default)]
struct Text(String);

impl Text {
    fn is_full(&self) -> bool {
        self.0.len() >= SHOWN_MAX
    }

    fn put(&mut self, what: impl Display) {
        if !self.is_full() {
            // Writing to a string does not fail.
            let _written = write!(self.0, "{what}");
        }
    }

    fn finish(self) -> String {
        if !self.is_full() {
            return self.0;
        }
        let shown: String = self.0.chars().take(SHOWN_MAX).collect();
        shown + ".."
    }
}
