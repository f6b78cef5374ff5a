//! Index arithmetic in `int` is done in 64 bits where it can't wrap, so that no conversion hides its form.
//!
//! A conversion to `I64` of a sum, difference or product whose exact range lies within its type is that arithmetic on converted
//! operands; a conversion back and forth is nothing at all. The narrow arithmetic goes when nothing else uses it.

use super::interval::Intervals;
use crate::ir::{BinaryOp, Block, Body, Builder, Op, Scalar, Stmt, Type, Value};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// How deep arithmetic is followed.
const DEPTH_MAX: u32 = 12;

/// Widens the index arithmetic of a body.
pub(super) fn widen_indices(body: &mut Body) {
    let mut taken = std::mem::take(body);
    let root = std::mem::take(&mut taken.root);
    let mut pass = Widen {
        intervals: Intervals::new(&taken),
        builder: Builder::new(taken),
        wide: SecondaryMap::new(),
        log: Vec::new(),
    };
    pass.block(root);
    *body = pass.builder.finish();
}

struct Widen {
    builder: Builder,
    intervals: Intervals,
    /// Values in 64 bits, where the block at hand has them.
    wide: SecondaryMap<Value, PackedOption<Value>>,
    /// What the block at hand added to `wide`.
    log: Vec<Value>,
}

impl Widen {
    fn block(&mut self, block: Block) {
        self.builder.reserve(block.len());
        for mut stmt in block {
            match &stmt {
                Stmt::Let(value) => self.instruction(*value),
                Stmt::For(it) => self.intervals.enter_loop(&self.builder.body, it),
                _ => {}
            }
            for inner in stmt.blocks_mut() {
                let mark = self.log.len();
                self.builder.open();
                self.block(std::mem::take(inner));
                *inner = self.builder.close();
                for value in self.log.drain(mark..) {
                    self.wide[value] = None.into();
                }
            }
            self.builder.push(stmt);
        }
    }

    fn instruction(&mut self, value: Value) {
        let body = &self.builder.body;
        if let (Op::Convert(from), Scalar::I64) = (&body.values[value].op, body.ty(value).scalar) {
            let from = *from;
            if let Some(wide) = self.widened(from, 0) {
                let zero = self.builder.i64(0);
                self.builder.body.values[value].op = Op::Binary(BinaryOp::Add, wide, zero);
            }
        }
        self.intervals.define(&self.builder.body, value);
    }

    /// A value of a narrow integer type in 64 bits, if that is more than its conversion.
    fn widened(&mut self, value: Value, depth: u32) -> Option<Value> {
        if let Some(known) = self.wide[value].expand() {
            return Some(known);
        }
        let body = &self.builder.body;
        let ty = body.ty(value);
        if ty.lanes > 1 || ty.scalar.is_float() || ty.scalar.bytes() > 4 || depth == DEPTH_MAX {
            return None;
        }
        let wide = match body.values[value].op {
            Op::Convert(inner) if body.ty(inner) == Type::I64 => self
                .intervals
                .fits(body, inner, ty.scalar)
                .then_some(inner)?,
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul), a, b) => {
                if !self.intervals.is_exact(body, value) {
                    return None;
                }
                let a = self.in_64_bits(a, depth + 1);
                let b = self.in_64_bits(b, depth + 1);
                let wide = self.builder.emit(Op::Binary(op, a, b), Type::I64);
                self.intervals.define(&self.builder.body, wide);
                wide
            }
            _ => return None,
        };
        self.wide[value] = wide.into();
        self.log.push(value);
        Some(wide)
    }

    fn in_64_bits(&mut self, value: Value, depth: u32) -> Value {
        if let Some(constant) = self.builder.body.int_constant(value) {
            return self.builder.i64(constant);
        }
        if let Some(wide) = self.widened(value, depth) {
            return wide;
        }
        let wide = self.builder.emit(Op::Convert(value), Type::I64);
        self.intervals.define(&self.builder.body, wide);
        self.wide[value] = wide.into();
        self.log.push(value);
        wide
    }
}
