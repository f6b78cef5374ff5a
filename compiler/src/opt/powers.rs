//! `pow` with an exponent of -1, 1 or 2 is a quotient, the base, or a product, as C compilers make it.
//!
//! These are what `pow` would give, correctly rounded, where the library's may be a bit off: so not in strict mode.

use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, Symbol, Type, Value, for_each_stmt};
use cranelift_entity::SecondaryMap;

/// Replaces the powers of a body that are cheap.
pub(super) fn expand_powers(body: &mut Body) {
    let mut is_pow: SecondaryMap<Symbol, bool> = SecondaryMap::new();
    let mut any = false;
    for (symbol, host) in body.symbols.iter() {
        is_pow[symbol] = host.name == "pow" || host.name == "powf";
        any |= is_pow[symbol];
    }
    if !any {
        return;
    }
    let mut calls = Vec::new();
    for_each_stmt(&body.root, &mut |stmt| {
        if let Stmt::Let(value) = stmt
            && let Op::Call(symbol, args) = &body.values[*value].op
            && is_pow[*symbol]
            && let [base, exponent] = args[..]
            && let Some(power) = power(body, exponent)
        {
            calls.push((*value, base, power));
        }
    });
    let mut root = std::mem::take(&mut body.root);
    let mut ones = Vec::new();
    for (value, base, power) in calls {
        let ty = body.ty(value);
        body.values[value].op = match power {
            Power::Square => Op::Binary(BinaryOp::Mul, base, base),
            Power::Inverse => Op::Binary(BinaryOp::Div, one(body, ty, &mut ones), base),
            Power::Itself => Op::Binary(BinaryOp::Mul, base, one(body, ty, &mut ones)),
        };
    }
    ones.append(&mut root);
    body.root = ones;
}

enum Power {
    Inverse,
    Itself,
    Square,
}

fn power(body: &Body, exponent: Value) -> Option<Power> {
    let bits = body.constant(exponent)?;
    let exponent = match body.ty(exponent).scalar {
        crate::ir::Scalar::F32 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    };
    match exponent {
        -1.0 => Some(Power::Inverse),
        1.0 => Some(Power::Itself),
        2.0 => Some(Power::Square),
        _ => None,
    }
}

/// The constant 1, which goes in front of everything.
fn one(body: &mut Body, ty: Type, ones: &mut Block) -> Value {
    let bits = match ty.scalar {
        crate::ir::Scalar::F32 => u64::from(1f32.to_bits()),
        _ => 1f64.to_bits(),
    };
    let op = Op::Const(bits);
    let value = body.values.push(Inst { op, ty });
    ones.push(Stmt::Let(value));
    value
}
