//! Conversions between types, as C makes them where it defines them: saturating from float to integer, NaN to 0.

use super::{Lower, clif_type};
use crate::ir::{Scalar, Type, Value};
use cranelift_codegen::ir::{
    self as clif, InstBuilder,
    condcodes::{FloatCC, IntCC},
    types,
};

impl Lower<'_, '_> {
    pub(super) fn convert(&mut self, value: Value, ty: Type) -> clif::Value {
        let from = self.it.body.ty(value).scalar;
        let source = self.value(value);
        match (from.is_float(), ty.scalar.is_float()) {
            (true, true) => self.float_to_float(source, from, ty.scalar),
            (true, false) => self.float_to_int(source, from, ty.scalar),
            (false, true) => self.int_to_float(source, from, ty.scalar),
            (false, false) => self.int_to_int(source, from, ty.scalar),
        }
    }

    fn float_to_float(&mut self, source: clif::Value, from: Scalar, to: Scalar) -> clif::Value {
        match (from, to) {
            (Scalar::F32, Scalar::F64) => self.b.ins().fpromote(types::F64, source),
            (Scalar::F64, Scalar::F32) => self.b.ins().fdemote(types::F32, source),
            _ => source,
        }
    }

    fn float_to_int(&mut self, source: clif::Value, from: Scalar, to: Scalar) -> clif::Value {
        if to == Scalar::Bool {
            let zero = self.constant(0, from.into());
            return self.b.ins().fcmp(FloatCC::NotEqual, source, zero);
        }
        let ty = clif_type(to.into());
        match (to.bytes(), to.is_signed()) {
            (4 | 8, true) => self.b.ins().fcvt_to_sint_sat(ty, source),
            (4 | 8, false) => self.b.ins().fcvt_to_uint_sat(ty, source),
            (bytes, signed) => {
                let wide = self.b.ins().fcvt_to_sint_sat(types::I32, source);
                let bits = bytes * 8;
                let (least, most) = match signed {
                    true => (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1),
                    false => (0, (1i64 << bits) - 1),
                };
                let least = self.b.ins().iconst(types::I32, least);
                let most = self.b.ins().iconst(types::I32, most);
                let above = self.b.ins().smax(wide, least);
                let within = self.b.ins().smin(above, most);
                self.b.ins().ireduce(ty, within)
            }
        }
    }

    fn int_to_float(&mut self, source: clif::Value, from: Scalar, to: Scalar) -> clif::Value {
        let ty = clif_type(to.into());
        if from == Scalar::U64 {
            return self.b.ins().fcvt_from_uint(ty, source);
        }
        let wide = self.int_to_int(source, from, Scalar::I64);
        self.b.ins().fcvt_from_sint(ty, wide)
    }

    fn int_to_int(&mut self, source: clif::Value, from: Scalar, to: Scalar) -> clif::Value {
        let ty = clif_type(to.into());
        if to == Scalar::Bool {
            return match from {
                Scalar::Bool => source,
                _ => self.b.ins().icmp_imm_s(IntCC::NotEqual, source, 0),
            };
        }
        match (from.bytes(), to.bytes()) {
            (have, want) if have == want => source,
            (have, want) if have > want => self.b.ins().ireduce(ty, source),
            _ if from.is_signed() => self.b.ins().sextend(ty, source),
            _ => self.b.ins().uextend(ty, source),
        }
    }
}
