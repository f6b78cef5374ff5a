//! A plain function: the kernel's own C signature instead of the loop's, no elements, and host functions instead of a context.
//!
//! Parameters by value go to a slot each, whose address is their base; what a narrow one has above its width is not looked at,
//! since not every caller extends it.

use super::{Lower, abi, clif_type};
use crate::signature::{Signature, Source};
use cranelift_codegen::ir::{
    self as clif, AbiParam, FuncRef, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind,
    condcodes::IntCC, types,
};
use cranelift_codegen::isa::CallConv;

/// The host functions of a plain function.
#[derive(Clone, Copy)]
pub(crate) struct Hosts {
    pub(crate) fail: FuncRef,
    /// If it needs working memory.
    pub(crate) scratch: Option<FuncRef>,
}

/// The C signature of a plain function.
pub(crate) fn function_signature(signature: &Signature, call_conv: CallConv) -> clif::Signature {
    let mut made = clif::Signature::new(call_conv);
    let params = signature.args.iter().map(|arg| match arg.source {
        Source::Value => AbiParam::new(clif_type(arg.dtype.scalar().into())),
        _ => AbiParam::new(types::I64),
    });
    made.params = params.collect();
    made.returns = vec![AbiParam::new(types::I32)];
    made
}

/// The signatures of `abi::FAIL` and `abi::SCRATCH`.
pub(crate) fn host_signatures(call_conv: CallConv) -> [clif::Signature; 2] {
    let mut fail = clif::Signature::new(call_conv);
    fail.params = [types::I32, types::I32, types::I64]
        .map(AbiParam::new)
        .to_vec();
    let mut scratch = clif::Signature::new(call_conv);
    scratch.params = vec![AbiParam::new(types::I64)];
    scratch.returns = vec![AbiParam::new(types::I64)];
    [fail, scratch]
}

impl Lower<'_, '_> {
    /// Takes the parameters; each becomes the base of its argument.
    pub(super) fn take_params(&mut self, params: &[clif::Value]) {
        for (arg, param) in self.it.signature.args.iter().zip(params) {
            let base = match arg.source {
                Source::Value => {
                    let kind = StackSlotKind::ExplicitSlot;
                    let slot = StackSlotData::new(kind, arg.dtype.bytes() as u32, 3);
                    let slot = self.b.create_sized_stack_slot(slot);
                    let base = self.b.ins().stack_addr(types::I64, slot, 0);
                    self.b.ins().store(MemFlagsData::trusted(), *param, base, 0);
                    base
                }
                _ => *param,
            };
            self.take_base(base);
        }
    }

    /// The kernel, once.
    pub(super) fn plain_function(&mut self) {
        self.place_arrays();
        self.prepare_steps();
        let it = self.it;
        let reached = self.block(&it.before) && self.block(&it.body.root);
        if reached && self.block(&it.after) {
            let ok = self.b.ins().iconst(types::I32, i64::from(abi::OK));
            self.b.ins().return_(&[ok]);
        }
        let hosts = self.externals.function.expect("a plain function has hosts");
        self.b.switch_to_block(self.fail);
        let failure = self.b.block_params(self.fail).to_vec();
        self.b.ins().call(hosts.fail, &failure);
        self.b.ins().return_(&failure[..1]);
    }

    /// Working memory from the host, or a return if there is none.
    pub(super) fn host_scratch(&mut self, bytes: u64) -> clif::Value {
        let hosts = self.externals.function.expect("a plain function has hosts");
        let bytes = self.b.ins().iconst(types::I64, bytes as i64);
        let scratch = hosts.scratch.expect("working memory was asked for");
        let call = self.b.ins().call(scratch, &[bytes]);
        let base = self.b.inst_results(call)[0];
        let none = self.b.create_block();
        let some = self.b.create_block();
        self.b.set_cold_block(none);
        let found = self.b.ins().icmp_imm_s(IntCC::NotEqual, base, 0);
        self.b.ins().brif(found, some, &[], none, &[]);
        self.b.switch_to_block(none);
        let status = self
            .b
            .ins()
            .iconst(types::I32, i64::from(abi::OUT_OF_MEMORY));
        let site = self.b.ins().iconst(types::I32, 0);
        self.b.ins().call(hosts.fail, &[status, site, bytes]);
        self.b.ins().return_(&[status]);
        self.b.switch_to_block(some);
        base
    }

    /// The step budget of an element, or of a call.
    pub(super) fn full_budget(&mut self) -> clif::Value {
        if self.externals.function.is_some() {
            return self.b.ins().iconst(types::I64, abi::FUNCTION_STEPS as i64);
        }
        let flags = MemFlagsData::trusted().with_readonly();
        self.b
            .ins()
            .load(types::I64, flags, self.ctx, abi::ctx::STEPS)
    }
}
