//! Instructions: arithmetic, comparisons, checks, lanes.

use super::extremes::is_carried;
use super::{Lower, abi, clif_type};
use crate::ir::{BinaryOp, CompareOp, Inst, Op, Scalar, Type, UnaryOp, Value};
use cranelift_codegen::ir::{
    self as clif, Endianness, InstBuilder, MemFlagsData,
    condcodes::{FloatCC, IntCC},
    types,
};

impl Lower<'_, '_> {
    /// Translates an instruction. Constants are made where they are used, and so may addresses be.
    pub(super) fn define(&mut self, value: Value) {
        let Inst { op, ty } = &self.it.body.values[value];
        let is_late = match op {
            Op::Const(_) => true,
            Op::ArgBase(_) => self.is_by_turn(),
            _ => false,
        };
        if is_late {
            return;
        }
        let result = self.instruction(op, *ty);
        self.values[value] = Some(result);
    }

    fn instruction(&mut self, op: &Op, ty: Type) -> clif::Value {
        match *op {
            Op::Const(bits) => self.constant(bits, ty),
            Op::Unary(op, a) => self.unary(op, a, ty),
            Op::Binary(op, a, b) => self.binary(op, a, b, ty),
            Op::Compare(op, a, b) => self.compare(op, a, b),
            Op::Select(c, a, b) => self.select(c, a, b, ty),
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.value(a), self.value(b), self.right_operand(c));
                self.b.ins().fma(a, b, c)
            }
            Op::Convert(a) => self.convert(a, ty),
            Op::Get(var) => {
                let variable = self.variable(var);
                self.b.use_var(variable)
            }
            Op::Load { place, index, .. } => self.load(place, index, ty),
            Op::Call(symbol, ref args) => {
                let args: Vec<clif::Value> = args.iter().map(|a| self.value(*a)).collect();
                let function = self.externals.symbols[symbol].expect("used symbols are declared");
                let call = self.b.ins().call(function, &args);
                self.b.inst_results(call)[0]
            }
            Op::CheckIndex { index, len, site } => {
                let index = self.value(index);
                let len = self.b.ins().iconst(types::I64, len as i64);
                let good = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
                self.check(good, abi::BAD_INDEX, site, index);
                index
            }
            Op::CheckDivisor { divisor, site } => {
                let divisor = self.value(divisor);
                let zero = self.b.ins().iconst(types::I64, 0);
                let good = self.b.ins().icmp_imm_s(IntCC::NotEqual, divisor, 0);
                self.check(good, abi::DIVISION_BY_ZERO, site, zero);
                divisor
            }
            Op::Element => self.element.expect("an element is at hand"),
            Op::ElementAfter(after) => self.element_after(after),
            Op::ArgBase(arg) => self.data_base(arg),
            Op::MapEntry {
                arg,
                element,
                column,
            } => self.map_entry(arg, element, column),
            Op::RowAddr { base, row, stride } => self.row_addr(base, row, stride),
            Op::Splat(a) => {
                let a = self.value(a);
                self.b.ins().splat(clif_type(ty), a)
            }
            Op::Lane(a, lane) => {
                let a = self.value(a);
                self.b.ins().extractlane(a, lane)
            }
            Op::Shuffle(a, b, lanes) => self.shuffle(a, b, lanes, ty),
            Op::Param(_) | Op::Counter => unreachable!("never an instruction of a loop"),
        }
    }

    fn unary(&mut self, op: UnaryOp, a: Value, ty: Type) -> clif::Value {
        let a = self.value(a);
        let ins = self.b.ins();
        match op {
            UnaryOp::Neg if ty.scalar.is_float() => ins.fneg(a),
            UnaryOp::Neg => ins.ineg(a),
            UnaryOp::Not if ty.scalar == Scalar::Bool && ty.lanes == 1 => ins.bxor_imm_s(a, 1),
            UnaryOp::Not => ins.bnot(a),
            UnaryOp::Sqrt => ins.sqrt(a),
            UnaryOp::Abs if ty.lanes > 1 => self.abs_of_all(a, ty),
            UnaryOp::Abs => ins.fabs(a),
            UnaryOp::Floor => ins.floor(a),
            UnaryOp::Ceil => ins.ceil(a),
            UnaryOp::Trunc => ins.trunc(a),
            UnaryOp::Rint => ins.nearest(a),
        }
    }

    /// Clears the signs of a vector's lanes by a mask in memory; the code generator would make the mask anew each time.
    fn abs_of_all(&mut self, a: clif::Value, ty: Type) -> clif::Value {
        let mask = match ty.scalar {
            Scalar::F32 => u64::from(u32::MAX >> 1),
            _ => u64::MAX >> 1,
        };
        let mask = self.constant(mask, ty);
        self.b.ins().band(a, mask)
    }

    fn binary(&mut self, op: BinaryOp, a: Value, b: Value, ty: Type) -> clif::Value {
        let count = self.it.body.int_constant(b);
        let float = ty.scalar.is_float();
        let commutes = matches!(op, BinaryOp::Add | BinaryOp::Mul);
        // A constant is best on the right, where it can be an operand in memory.
        let (a, b) = match float && commutes && self.it.body.constant(a).is_some() {
            true => (b, a),
            false => (a, b),
        };
        let (x, y) = (self.value(a), self.right_operand(b));
        match op {
            BinaryOp::Add if float => self.b.ins().fadd(x, y),
            BinaryOp::Sub if float => self.b.ins().fsub(x, y),
            BinaryOp::Mul if float => self.b.ins().fmul(x, y),
            BinaryOp::Div if float => self.b.ins().fdiv(x, y),
            BinaryOp::Min | BinaryOp::Max => self.extreme(op, (a, x), (b, y)),
            BinaryOp::Copysign => self.b.ins().fcopysign(x, y),
            BinaryOp::Add => self.b.ins().iadd(x, y),
            BinaryOp::Sub => self.b.ins().isub(x, y),
            BinaryOp::Mul => self.b.ins().imul(x, y),
            BinaryOp::Div | BinaryOp::Rem => self.divide(op == BinaryOp::Div, x, y, count, ty),
            BinaryOp::And => self.b.ins().band(x, y),
            BinaryOp::Or => self.b.ins().bor(x, y),
            BinaryOp::Xor => self.b.ins().bxor(x, y),
            BinaryOp::Shl => self.b.ins().ishl(x, y),
            BinaryOp::Shr if ty.scalar.is_signed() => self.b.ins().sshr(x, y),
            BinaryOp::Shr => self.b.ins().ushr(x, y),
        }
    }

    /// What a floating-point constant is, if it is no NaN.
    fn number(&self, value: Value) -> Option<f64> {
        let bits = self.it.body.constant(value)?;
        let number = match self.it.body.ty(value).scalar {
            Scalar::F32 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from_bits(bits),
        };
        (!number.is_nan()).then_some(number)
    }

    /// C's `fmin` and `fmax`. The machine's give the second operand if one is a NaN.
    fn extreme(
        &mut self,
        op: BinaryOp,
        (a, mut x): (Value, clif::Value),
        (b, mut y): (Value, clif::Value),
    ) -> clif::Value {
        let (first, second) = (self.number(a), self.number(b));
        // Of a number other than 0 and another operand it does not matter which comes first.
        let turned = first.is_some_and(|number| number != 0.0) && second.is_none();
        if turned {
            (x, y) = (y, x);
        }
        let vector = self.b.func.dfg.value_type(x).is_vector();
        let better = match op {
            BinaryOp::Min => self.b.ins().fcmp(FloatCC::LessThan, x, y),
            _ => self.b.ins().fcmp(FloatCC::LessThan, y, x),
        };
        let chosen = self.blend(vector, better, x, y);
        if turned || second.is_some() {
            return chosen;
        }
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, y, y);
        self.blend(vector, is_nan, x, chosen)
    }

    /// `a` where `mask`, else `b`; a vector's mask has all bits of a lane alike.
    fn blend(
        &mut self,
        vector: bool,
        mask: clif::Value,
        a: clif::Value,
        b: clif::Value,
    ) -> clif::Value {
        if !vector {
            return self.b.ins().select(mask, a, b);
        }
        let ty = self.b.func.dfg.value_type(a);
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        let mask = match self.b.func.dfg.value_type(mask) == ty {
            true => mask,
            false => self.b.ins().bitcast(ty, flags, mask),
        };
        self.b.ins().bitselect(mask, a, b)
    }

    fn compare(&mut self, op: CompareOp, a: Value, b: Value) -> clif::Value {
        let scalar = self.it.body.ty(a).scalar;
        let (x, y) = (self.value(a), self.value(b));
        if scalar.is_float() {
            return match op {
                // As the code generator knows minimum and maximum.
                CompareOp::Gt => self.b.ins().fcmp(FloatCC::LessThan, y, x),
                op => self.b.ins().fcmp(float_condition(op), x, y),
            };
        }
        let condition = int_condition(op, scalar.is_signed());
        self.b.ins().icmp(condition, x, y)
    }

    fn select(&mut self, c: Value, a: Value, b: Value, ty: Type) -> clif::Value {
        if ty.lanes == 1
            && let Some(blended) = self.blended(c, a, b, ty)
        {
            return blended;
        }
        let (c, a, b) = (self.value(c), self.value(a), self.value(b));
        self.blend(ty.lanes > 1, c, a, b)
    }

    /// A choice between floats by a comparison of such, in vectors: of scalars it would be a branch, and often a wrong one.
    fn blended(&mut self, c: Value, a: Value, b: Value, ty: Type) -> Option<clif::Value> {
        let Op::Compare(op, x, y) = self.it.body.values[c].op else {
            return None;
        };
        if !ty.scalar.is_float() || self.it.body.ty(x) != ty {
            return None;
        }
        let compared = [[x, y], [y, x]].contains(&[a, b]);
        if compared && matches!(op, CompareOp::Lt | CompareOp::Gt) {
            let is_seldom =
                self.extremes_are_awaited && is_carried(&self.it.body, [x, y], op, [a, b]);
            // Minimum and maximum have instructions.
            return is_seldom.then(|| self.seldom(op, [x, y], [a, b]));
        }
        let vector = clif_type(ty.with_lanes(16 / ty.scalar.bytes() as u8));
        let [x, y, a, b] = [x, y, a, b].map(|operand| {
            let scalar = self.value(operand);
            self.b.ins().splat(vector, scalar)
        });
        let mask = self.b.ins().fcmp(float_condition(op), x, y);
        let chosen = self.blend(true, mask, a, b);
        Some(self.b.ins().extractlane(chosen, 0))
    }

    /// The least or greatest so far, which later elements hardly change: a branch that is taken rightly, where the instruction
    /// would have each element wait for the one before. The comparison is told the other way round, or it would be one.
    fn seldom(&mut self, op: CompareOp, compared: [Value; 2], [a, b]: [Value; 2]) -> clif::Value {
        let [x, y, a, b] = [compared[0], compared[1], a, b].map(|operand| self.value(operand));
        let not = match op {
            CompareOp::Lt => FloatCC::UnorderedOrGreaterThanOrEqual,
            _ => FloatCC::UnorderedOrLessThanOrEqual,
        };
        let fails = self.b.ins().fcmp(not, x, y);
        self.b.ins().select(fails, b, a)
    }
}

fn float_condition(op: CompareOp) -> FloatCC {
    match op {
        CompareOp::Eq => FloatCC::Equal,
        CompareOp::Ne => FloatCC::NotEqual,
        CompareOp::Lt => FloatCC::LessThan,
        CompareOp::Le => FloatCC::LessThanOrEqual,
        CompareOp::Gt => FloatCC::GreaterThan,
        CompareOp::Ge => FloatCC::GreaterThanOrEqual,
    }
}

fn int_condition(op: CompareOp, signed: bool) -> IntCC {
    match (op, signed) {
        (CompareOp::Eq, _) => IntCC::Equal,
        (CompareOp::Ne, _) => IntCC::NotEqual,
        (CompareOp::Lt, true) => IntCC::SignedLessThan,
        (CompareOp::Le, true) => IntCC::SignedLessThanOrEqual,
        (CompareOp::Gt, true) => IntCC::SignedGreaterThan,
        (CompareOp::Ge, true) => IntCC::SignedGreaterThanOrEqual,
        (CompareOp::Lt, false) => IntCC::UnsignedLessThan,
        (CompareOp::Le, false) => IntCC::UnsignedLessThanOrEqual,
        (CompareOp::Gt, false) => IntCC::UnsignedGreaterThan,
        (CompareOp::Ge, false) => IntCC::UnsignedGreaterThanOrEqual,
    }
}
