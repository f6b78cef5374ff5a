//! How much floating-point arithmetic a kernel does, as its text has it.
//!
//! Counted are additions, subtractions, products, quotients, roots, minima and maxima, and calls of the math library, each one;
//! `fma` is two. Negations, absolute values, roundings, comparisons and conversions are none. Complex arithmetic counts as the
//! real operations that it is made of.

use crate::ir::{BinaryOp, Block, Body, Inst, Kernel, Op, Stmt, UnaryOp};

/// The floating-point operations of one run of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flops {
    /// How many; of two sides of a branch those of the larger.
    pub count: u64,
    /// Whether every run does so many: no branch has sides that differ, nothing is left early, and all loops run a known number
    /// of times. A loop of which that is not known counts as one trip.
    pub is_exact: bool,
}

impl Flops {
    /// Of a kernel.
    pub fn of(kernel: &Kernel) -> Flops {
        let mut is_exact = true;
        let count = of_block(&kernel.body, &kernel.body.root, &mut is_exact);
        Flops { count, is_exact }
    }
}

fn of_block(body: &Body, block: &Block, is_exact: &mut bool) -> u64 {
    let each = block.iter().map(|stmt| of_statement(body, stmt, is_exact));
    each.fold(0, u64::saturating_add)
}

fn of_statement(body: &Body, stmt: &Stmt, is_exact: &mut bool) -> u64 {
    match stmt {
        Stmt::Let(value) => of_instruction(body, &body.values[*value]),
        Stmt::If { then, other, .. } => {
            let [a, b] = [then, other].map(|side| of_block(body, side, is_exact));
            *is_exact &= a == b;
            a.max(b)
        }
        Stmt::For(it) => {
            let trips = body.trips(it);
            let trip = of_block(body, &it.body, is_exact);
            *is_exact &= trips.is_some() || trip == 0;
            trip.saturating_mul(trips.unwrap_or(1))
        }
        Stmt::Loop { body: inner, .. } => {
            let trip = of_block(body, inner, is_exact);
            *is_exact &= trip == 0;
            trip
        }
        Stmt::Block { body: inner, .. } => of_block(body, inner, is_exact),
        Stmt::Set(..) | Stmt::Store { .. } | Stmt::Clear(_) => 0,
        // What follows may be left out.
        Stmt::Exit(_) | Stmt::Continue(_) => {
            *is_exact = false;
            0
        }
    }
}

fn of_instruction(body: &Body, Inst { op, ty }: &Inst) -> u64 {
    if !ty.scalar.is_float() {
        return 0;
    }
    let each = match op {
        Op::Fma(..) => 2,
        Op::Call(symbol, _) => u64::from(body.symbols[*symbol].result.is_float()),
        Op::Unary(UnaryOp::Sqrt, _) => 1,
        Op::Binary(op, ..) => u64::from(*op != BinaryOp::Copysign),
        _ => 0,
    };
    each * u64::from(ty.lanes)
}
