//! Instructions that the passes on updates add to a body.

use crate::ir::{BinaryOp, Block, Body, Inst, Op, Place, Scalar, Stmt, Type, Value};
use crate::opt::linear::Linear;

/// Appends instructions to a block.
pub(super) struct Writer<'a> {
    body: &'a mut Body,
    to: &'a mut Block,
}

impl<'a> Writer<'a> {
    pub(super) fn new(body: &'a mut Body, to: &'a mut Block) -> Writer<'a> {
        Writer { body, to }
    }

    /// The counter of a loop to be, of `long` indices.
    pub(super) fn counter(&mut self) -> Value {
        let (op, ty) = (Op::Counter, Type::I64);
        self.body.values.push(Inst { op, ty })
    }

    /// The bounds of a loop.
    pub(super) fn range(&mut self, first: i64, end: i64) -> (Value, Value) {
        (self.number(first), self.number(end))
    }

    pub(super) fn add_to(&mut self, place: Place, index: Value, value: Value, scalar: Scalar) {
        let held = self.load(place, index, scalar);
        let value = self.binary(BinaryOp::Add, held, value, scalar);
        self.store(place, index, value);
    }

    pub(super) fn store(&mut self, place: Place, index: Value, value: Value) {
        let site = self.body.site();
        self.to.push(Stmt::Store {
            place,
            index,
            value,
            site,
        });
    }

    fn push(&mut self, op: Op, scalar: Scalar) -> Value {
        let ty = Type::of(scalar);
        let value = self.body.values.push(Inst { op, ty });
        self.to.push(Stmt::Let(value));
        value
    }

    fn number(&mut self, number: i64) -> Value {
        self.push(Op::Const(number as u64), Scalar::I64)
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: Value, b: Value, scalar: Scalar) -> Value {
        self.push(Op::Binary(op, a, b), scalar)
    }

    pub(super) fn plus(&mut self, value: Value, number: i64) -> Value {
        if number == 0 {
            return value;
        }
        let number = self.number(number);
        self.binary(BinaryOp::Add, value, number, Scalar::I64)
    }

    pub(super) fn times(&mut self, value: Value, number: i64) -> Value {
        if number == 1 {
            return value;
        }
        let number = self.number(number);
        self.binary(BinaryOp::Mul, value, number, Scalar::I64)
    }

    pub(super) fn load(&mut self, place: Place, index: Value, scalar: Scalar) -> Value {
        let site = self.body.site();
        self.push(Op::Load { place, index, site }, scalar)
    }

    /// A sum, with one value in place of another.
    pub(super) fn sum(&mut self, sum: &Linear, from: Value, to: Value) -> Value {
        let mut all = self.number(sum.constant);
        for (value, factor) in &sum.terms {
            let value = if *value == from { to } else { *value };
            let product = self.times(value, *factor);
            all = self.binary(BinaryOp::Add, product, all, Scalar::I64);
        }
        all
    }
}
