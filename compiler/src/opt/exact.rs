//! Cheaper operations that give the same bits, save a NaN's sign: a quotient by a power of two is a product, and signs move from
//! factors and dividends to products and quotients, where sums take them in.
//!
//! A negation by itself takes a constant, which is made for each, and an instruction; of what is added it is a subtraction, of a
//! constant it is another constant. C compilers do all this too.

use crate::ir::{
    BinaryOp, Block, Body, Inst, Op, Scalar, Stmt, Type, UnaryOp, Value, eval, for_each_operand,
};
use cranelift_entity::SecondaryMap;

/// Replaces operations of a body.
pub(super) fn cheapen(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    let mut uses = Uses {
        body,
        absorbing: SecondaryMap::new(),
    };
    uses.block(&root);
    let absorbing = uses.absorbing;
    let mut pass = Cheapen { body, absorbing };
    pass.block(&mut root);
    body.root = root;
}

/// What the uses of a value would do with its negation.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Absorbing {
    /// It has no use.
    #[default]
    Unused,
    /// All of them take it in.
    All,
    /// Some would have to compute it.
    Some,
}

struct Uses<'a> {
    body: &'a Body,
    absorbing: SecondaryMap<Value, Absorbing>,
}

impl Uses<'_> {
    /// Looks at statements from the last to the first: uses come before what they use.
    fn block(&mut self, block: &Block) {
        for stmt in block.iter().rev() {
            for inner in stmt.blocks() {
                self.block(inner);
            }
            let absorbs = self.absorbs(stmt);
            let absorbing = &mut self.absorbing;
            for_each_operand(self.body, stmt, |operand| {
                absorbing[operand] = match (absorbs, absorbing[operand]) {
                    (true, Absorbing::Unused | Absorbing::All) => Absorbing::All,
                    _ => Absorbing::Some,
                };
            });
        }
    }

    /// Whether a statement takes in the signs of its operands.
    fn absorbs(&self, stmt: &Stmt) -> bool {
        let Stmt::Let(value) = stmt else {
            return false;
        };
        match self.body.values[*value].op {
            Op::Binary(BinaryOp::Add | BinaryOp::Sub, ..) => true,
            Op::Unary(UnaryOp::Neg | UnaryOp::Abs, _) => true,
            Op::Binary(BinaryOp::Mul | BinaryOp::Div, ..) => {
                self.absorbing[*value] == Absorbing::All
            }
            _ => false,
        }
    }
}

struct Cheapen<'a> {
    body: &'a mut Body,
    absorbing: SecondaryMap<Value, Absorbing>,
}

impl Cheapen<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            if let Stmt::Let(value) = stmt
                && let Some((op, a, b)) = self.factors(value)
            {
                let (op, b) = self.inverted(op, b, &mut kept);
                self.body.values[value].op = match self.unsigned(a, b, &mut kept) {
                    Some((a, b)) => Op::Binary(op, a, b),
                    None => self.negative(value, Op::Binary(op, a, b), &mut kept),
                };
            }
            stmt.blocks_mut().for_each(|inner| self.block(inner));
            kept.push(stmt);
        }
        *block = kept;
    }

    /// The operands of a product or a quotient of floats.
    fn factors(&self, value: Value) -> Option<(BinaryOp, Value, Value)> {
        match self.body.values[value] {
            Inst {
                op: Op::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), a, b),
                ty,
            } if ty.scalar.is_float() && ty.lanes == 1 => Some((op, a, b)),
            _ => None,
        }
    }

    /// By what to multiply in place of dividing, if that is exact.
    fn inverted(&mut self, op: BinaryOp, b: Value, kept: &mut Block) -> (BinaryOp, Value) {
        let ty = self.body.ty(b);
        let divisor = self.body.constant(b).filter(|_| op == BinaryOp::Div);
        match divisor.and_then(|bits| inverse(ty.scalar, bits)) {
            Some(bits) => (BinaryOp::Mul, self.put(Op::Const(bits), ty, kept)),
            None => (op, b),
        }
    }

    /// Two operands that both have a sign to lose, without it: one at least is a negation, the other may be a constant.
    fn unsigned(&mut self, a: Value, b: Value, kept: &mut Block) -> Option<(Value, Value)> {
        match (self.negated(a), self.negated(b)) {
            (Some(a), Some(b)) => Some((a, b)),
            (Some(a), None) => Some((a, self.minus_constant(b, kept)?)),
            (None, Some(b)) => Some((self.minus_constant(a, kept)?, b)),
            (None, None) => None,
        }
    }

    /// An operation with the sign of an operand behind it, if its uses take that in.
    fn negative(&mut self, value: Value, mut op: Op, kept: &mut Block) -> Op {
        let mut found = false;
        let mut positive = op.clone();
        positive.map_operands(|operand| {
            let inner = self.negated(operand);
            found |= inner.is_some();
            inner.unwrap_or(operand)
        });
        if found && self.absorbing[value] == Absorbing::All {
            let ty = self.body.ty(value);
            op = Op::Unary(UnaryOp::Neg, self.put(positive, ty, kept));
        }
        op
    }

    /// What a value is the negation of.
    fn negated(&self, value: Value) -> Option<Value> {
        match self.body.values[value].op {
            Op::Unary(UnaryOp::Neg, inner) => Some(inner),
            _ => None,
        }
    }

    fn minus_constant(&mut self, value: Value, kept: &mut Block) -> Option<Value> {
        let (bits, ty) = (self.body.constant(value)?, self.body.ty(value));
        let bits = eval::unary(UnaryOp::Neg, ty.scalar, bits);
        Some(self.put(Op::Const(bits), ty, kept))
    }

    fn put(&mut self, op: Op, ty: Type, kept: &mut Block) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        kept.push(Stmt::Let(value));
        value
    }
}

/// One divided by a power of two, if both it and that are normal: then multiplying by it is dividing.
fn inverse(scalar: Scalar, bits: u64) -> Option<u64> {
    let (divisor, fraction) = match scalar {
        Scalar::F32 => (f64::from(f32::from_bits(bits as u32)), bits & 0x7f_ffff),
        Scalar::F64 => (f64::from_bits(bits), bits & 0xf_ffff_ffff_ffff),
        _ => return None,
    };
    let inverse = 1.0 / divisor;
    let is_normal = match scalar {
        Scalar::F32 => (divisor as f32).is_normal() && (inverse as f32).is_normal(),
        _ => divisor.is_normal() && inverse.is_normal(),
    };
    let bits = match scalar {
        Scalar::F32 => u64::from((inverse as f32).to_bits()),
        _ => inverse.to_bits(),
    };
    (fraction == 0 && is_normal).then_some(bits)
}
