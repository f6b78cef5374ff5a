//! `pow` with an exponent of -1, 1 or 2 is a quotient, the base, or a product, as C compilers make it; `cpow` with an exponent
//! of 2 is a product.
//!
//! These are what `pow` would give, correctly rounded, where the library's may be a bit off: so not in strict mode.

use crate::ir::{BinaryOp, Block, Body, HostSymbol, Inst, Op, Scalar, Stmt, Symbol, Type, Value};
use cranelift_entity::SecondaryMap;

/// Replaces the powers of a body that are cheap.
pub(super) fn expand_powers(body: &mut Body) {
    let functions: SecondaryMap<Symbol, Option<Function>> = {
        let mut functions = SecondaryMap::new();
        for (symbol, host) in body.symbols.iter() {
            functions[symbol] = Function::of(host);
        }
        functions
    };
    if functions.values().all(Option::is_none) {
        return;
    }
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Powers {
        body,
        functions,
        ones: Block::new(),
    };
    pass.block(&mut root);
    let mut ones = pass.ones;
    ones.append(&mut root);
    body.root = ones;
}

/// What gives a power.
#[derive(Clone, Copy)]
enum Function {
    Real,
    /// The real part of a complex power.
    Re,
    /// Its imaginary part.
    Im,
}

impl Function {
    fn of(host: &HostSymbol) -> Option<Function> {
        let ty = host.result;
        if !ty.is_float() || host.params.iter().any(|param| *param != ty) {
            return None;
        }
        match host.name.as_str() {
            "pow" | "powf" => Some(Function::Real),
            "parloop_complex_pow_re" | "parloop_complex_powf_re" => Some(Function::Re),
            "parloop_complex_pow_im" | "parloop_complex_powf_im" => Some(Function::Im),
            _ => None,
        }
    }
}

struct Powers<'a> {
    body: &'a mut Body,
    functions: SecondaryMap<Symbol, Option<Function>>,
    /// Constants, which go in front of everything.
    ones: Block,
}

impl Powers<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if let Stmt::Let(value) = stmt
                && let Some(op) = self.expanded(value, &mut kept)
            {
                self.body.values[value].op = op;
            }
            stmt.blocks_mut().for_each(|inner| self.block(inner));
            kept.push(stmt);
        }
        *block = kept;
    }

    /// What computes a power, behind what is put into `kept`.
    fn expanded(&mut self, value: Value, kept: &mut Block) -> Option<Op> {
        let Op::Call(symbol, args) = &self.body.values[value].op else {
            return None;
        };
        let ty = self.body.ty(value);
        match (self.functions[*symbol]?, &args[..]) {
            (Function::Real, &[base, exponent]) => Some(match power(self.body, exponent)? {
                Power::Square => Op::Binary(BinaryOp::Mul, base, base),
                Power::Inverse => Op::Binary(BinaryOp::Div, self.one(ty), base),
                Power::Itself => Op::Binary(BinaryOp::Mul, base, self.one(ty)),
            }),
            (part, &[re, im, exponent, other]) => {
                let is_real = self.body.constant(other) == Some(0);
                let square = power(self.body, exponent).filter(|_| is_real)?;
                matches!(square, Power::Square).then(|| self.square(part, (re, im), ty, kept))
            }
            _ => None,
        }
    }

    /// A part of the square of a complex number.
    fn square(&mut self, part: Function, of: (Value, Value), ty: Type, kept: &mut Block) -> Op {
        let mut product = |a, b| {
            let op = Op::Binary(BinaryOp::Mul, a, b);
            let value = self.body.values.push(Inst { op, ty });
            kept.push(Stmt::Let(value));
            value
        };
        let (re, im) = of;
        if let Function::Im = part {
            let half = product(re, im);
            return Op::Binary(BinaryOp::Add, half, half);
        }
        let (first, second) = (product(re, re), product(im, im));
        Op::Binary(BinaryOp::Sub, first, second)
    }

    fn one(&mut self, ty: Type) -> Value {
        let bits = match ty.scalar {
            Scalar::F32 => u64::from(1f32.to_bits()),
            _ => 1f64.to_bits(),
        };
        let op = Op::Const(bits);
        let value = self.body.values.push(Inst { op, ty });
        self.ones.push(Stmt::Let(value));
        value
    }
}

enum Power {
    Inverse,
    Itself,
    Square,
}

fn power(body: &Body, exponent: Value) -> Option<Power> {
    let bits = body.constant(exponent)?;
    let exponent = match body.ty(exponent).scalar {
        Scalar::F32 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    };
    match exponent {
        -1.0 => Some(Power::Inverse),
        1.0 => Some(Power::Itself),
        2.0 => Some(Power::Square),
        _ => None,
    }
}
