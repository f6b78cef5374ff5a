//! Calls of the machine code that several elements of a loop have for themselves.

use super::{Local, Lower};
use crate::ir::{Type, Wide};
use crate::microkernel::strip::ENTRY_BYTES;
use crate::opt::{Input, StripCall};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self as clif, BlockArg, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, types,
};

/// The address of a frame, and how many trips there are.
pub(super) const ARGUMENTS: usize = 2;

/// The fewest trips that are worth a call.
const TRIPS_MIN: i64 = 4;

/// Alignment of the frame.
const ALIGN_SHIFT: u8 = 3;

impl Lower<'_, '_> {
    /// Runs elements from `lo` as many at a time as a strip does while there are, if there are many; then goes to `single` with
    /// the next.
    pub(super) fn strip(
        &mut self,
        wide: &Wide,
        (lo, hi): (clif::Value, clif::Value),
        single: clif::Block,
    ) {
        let call = StripCall::of(self.it, wide).expect("the pass has made it");
        let long = self.b.create_block();
        let elements = i64::from(wide.elements);
        let last = self
            .b
            .ins()
            .iadd_imm_s(lo, elements.saturating_mul(TRIPS_MIN) - 1);
        let is_long = self.b.ins().icmp(IntCC::UnsignedLessThan, last, hi);
        let first = [BlockArg::Value(lo)];
        self.b.ins().brif(is_long, long, &[], single, &first);

        self.b.switch_to_block(long);
        let shift = i64::from(wide.elements.trailing_zeros());
        let count = self.b.ins().isub(hi, lo);
        let trips = self.b.ins().ushr_imm_u(count, shift);
        let entries = call.walks.len() + call.inputs.len() + call.carried.len();
        let size = entries as u32 * ENTRY_BYTES as u32;
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, ALIGN_SHIFT);
        let slot = self.b.create_sized_stack_slot(data);
        let frame = self.b.ins().stack_addr(types::I64, slot, 0);
        let function = self.local(Local::Strip(call.strip.clone()));
        self.fill_frame(&call, lo, frame);
        self.b.ins().call(function, &[frame, trips]);
        self.take_carried(&call, frame);
        let done = self.b.ins().ishl_imm_u(trips, shift);
        let next = self.b.ins().iadd(lo, done);
        self.b.ins().jump(single, &[BlockArg::Value(next)]);
    }

    /// Stores what a strip is given, one entry behind the other.
    fn fill_frame(&mut self, call: &StripCall, lo: clif::Value, frame: clif::Value) {
        let mut given = Vec::with_capacity(call.walks.len());
        for walk in &call.walks {
            let base = self.value(walk.base);
            let offset = self.b.ins().imul_imm_s(lo, walk.stride as i64);
            given.push(self.b.ins().iadd(base, offset));
        }
        for input in &call.inputs {
            given.push(match *input {
                Input::Value(value) => self.value(value),
                Input::Bits(bits) => self.b.ins().iconst(types::I64, bits as i64),
            });
        }
        for var in &call.carried {
            let variable = self.variable(*var);
            given.push(self.b.use_var(variable));
        }
        for (at, value) in given.into_iter().enumerate() {
            let offset = at as i32 * ENTRY_BYTES;
            self.b
                .ins()
                .store(MemFlagsData::trusted(), value, frame, offset);
        }
    }

    /// Takes what a strip has left in the place of what was carried to it.
    fn take_carried(&mut self, call: &StripCall, frame: clif::Value) {
        let first = call.walks.len() + call.inputs.len();
        for (at, var) in call.carried.iter().enumerate() {
            let offset = (first + at) as i32 * ENTRY_BYTES;
            let ty = super::clif_type(Type::F64);
            let value = self
                .b
                .ins()
                .load(ty, MemFlagsData::trusted(), frame, offset);
            let variable = self.variable(*var);
            self.b.def_var(variable, value);
        }
    }
}
