//! Translates a loop to CLIF: one function of the loop's ABI, over a range or a list of elements; or a plain function.
//!
//! Memory of different regions is told apart for alias analysis; constants come from a pool in read-only data, so that they
//! need no register; whatever fails leaves through one cold block that fills the context.

mod arith;
mod convert;
mod divide;
mod frame;
mod function;
mod isa;
mod local;
mod memory;
mod microkernel;
mod pool;
mod stmt;
mod strip;
mod update;

pub(crate) use frame::scratch_bytes;
pub(crate) use function::{Hosts, function_signature, host_signatures};
pub(crate) use isa::{Work, backend, isa};
pub(crate) use pool::Pool;
pub(crate) use update::{HOST_ARGS, functions as update_functions, signature as update_signature};

use crate::abi;
use crate::ir::{Array, Label, Loop, Op, Scalar, Symbol, Type, Value, Var, Wide};
use crate::target::Target;
use cranelift_codegen::ir::{
    self as clif, AbiParam, BlockArg, FuncRef, GlobalValue, InstBuilder, MemFlagsData, Signature,
    condcodes::IntCC,
    immediates::{Ieee32, Ieee64},
    types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_entity::SecondaryMap;
use cranelift_frontend::{FunctionBuilder, Variable};
use frame::Frame;
use local::Local;
pub(crate) use local::Locals;
use memory::Regions;
use std::collections::{BTreeMap, BTreeSet};

/// What the function refers to outside itself.
pub(crate) struct Externals {
    /// Host functions.
    pub(crate) symbols: SecondaryMap<Symbol, Option<FuncRef>>,
    /// Of a plain function, what it calls of the host besides.
    pub(crate) function: Option<Hosts>,
    /// What runs rank-k updates, by name.
    pub(crate) updates: BTreeMap<&'static str, FuncRef>,
    /// The read-only data.
    pub(crate) pool: GlobalValue,
}

/// The signature of a compiled loop.
pub(crate) fn abi_signature(call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params = vec![AbiParam::new(types::I64); 5];
    signature.returns = vec![AbiParam::new(types::I32)];
    signature
}

/// The CLIF type of a value.
pub(crate) fn clif_type(ty: Type) -> clif::Type {
    let lane = match ty.scalar {
        Scalar::Bool | Scalar::I8 | Scalar::U8 => types::I8,
        Scalar::I16 | Scalar::U16 => types::I16,
        Scalar::I32 | Scalar::U32 => types::I32,
        Scalar::I64 | Scalar::U64 | Scalar::Addr => types::I64,
        Scalar::F32 => types::F32,
        Scalar::F64 => types::F64,
    };
    match ty.lanes {
        1 => lane,
        lanes => lane
            .by(u32::from(lanes))
            .expect("lane counts are powers of two"),
    }
}

/// Blocks to go to from inside a block or loop.
#[derive(Clone, Copy)]
struct Targets {
    exit: clif::Block,
    next: Option<clif::Block>,
}

/// A function being translated.
struct Lower<'a, 'f> {
    it: &'a Loop,
    target: &'a Target,
    b: FunctionBuilder<'f>,
    externals: &'a Externals,
    pool: &'a mut Pool,
    locals: &'a mut Locals,
    /// Counters of updates whose entries are zero.
    fresh: BTreeSet<Value>,
    regions: Regions,
    frame: Frame,
    values: SecondaryMap<Value, Option<clif::Value>>,
    vars: SecondaryMap<Var, Option<Variable>>,
    arrays: SecondaryMap<Array, Option<frame::Home>>,
    labels: Vec<(Label, Targets)>,
    /// The base of each map, by the argument whose pointer is used.
    maps: BTreeMap<u16, clif::Value>,
    /// Offsets of rows, by row and stride.
    rows: BTreeMap<(Value, u64), clif::Value>,
    /// How many branches and loops are around the statement at hand.
    nesting: u32,
    /// Of a loop; anything in a plain function.
    ctx: clif::Value,
    /// Of a loop; anything in a plain function.
    args: clif::Value,
    /// Of a plain function: the base of each argument.
    bases: Vec<clif::Value>,
    pool_base: clif::Value,
    element: Option<clif::Value>,
    /// The last element of the range, where several run at once.
    last: Option<clif::Value>,
    /// Where failures go: takes status, site and value.
    fail: clif::Block,
    /// The element at hand, for failures.
    element_var: Variable,
    /// What is left of the element's step budget; only where something spends it.
    steps: Option<(Variable, clif::Value)>,
}

/// Translates `it` into the function of `b`.
pub(crate) fn lower(
    it: &Loop,
    target: &Target,
    mut b: FunctionBuilder<'_>,
    externals: &Externals,
    (pool, locals): (&mut Pool, &mut Locals),
    frontend: TargetFrontendConfig,
) {
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params: Vec<clif::Value> = b.block_params(entry).to_vec();
    let pool_base = b.ins().symbol_value(types::I64, externals.pool);
    let (ctx, args) = match externals.function {
        None => (params[0], params[1]),
        Some(_) => (pool_base, pool_base),
    };
    let fail = b.create_block();
    b.append_block_param(fail, types::I32);
    b.append_block_param(fail, types::I32);
    b.append_block_param(fail, types::I64);
    b.set_cold_block(fail);
    let element_var = b.declare_var(types::I64);
    let zero = b.ins().iconst(types::I64, 0);
    b.def_var(element_var, zero);
    let mut lower = Lower {
        regions: Regions::new(),
        frame: Frame::of(it),
        it,
        target,
        b,
        externals,
        pool,
        locals,
        fresh: BTreeSet::new(),
        values: SecondaryMap::with_capacity(it.body.values.len()),
        vars: SecondaryMap::new(),
        arrays: SecondaryMap::new(),
        labels: Vec::new(),
        maps: BTreeMap::new(),
        rows: BTreeMap::new(),
        nesting: 0,
        ctx,
        args,
        bases: Vec::new(),
        pool_base,
        element: None,
        last: None,
        fail,
        element_var,
        steps: None,
    };
    match (externals.function, &params[..]) {
        (Some(_), params) => {
            lower.take_params(params);
            lower.plain_function();
        }
        (None, [_, _, elems, begin, end]) => lower.whole_loop(*elems, *begin, *end),
        (None, _) => unreachable!("the ABI has five parameters"),
    }
    lower.b.seal_all_blocks();
    let Lower { b, .. } = lower;
    b.finalize(frontend);
}

impl Lower<'_, '_> {
    fn whole_loop(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        self.place_arrays();
        self.prepare_steps();
        self.load_maps();
        let it = self.it;
        self.block(&it.before);
        self.elements(elems, begin, end);
        self.element = None;
        self.block(&it.after);
        let ok = self.b.ins().iconst(types::I32, i64::from(abi::OK));
        self.b.ins().return_(&[ok]);
        self.failure();
    }

    /// Runs the elements of a range, or of a list: there, each run of consecutive elements is a range.
    fn elements(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        let list = self.block_with(1);
        let range = self.block_with(3);
        let next = self.block_with(1);
        let done = self.b.create_block();
        let listed = self.b.ins().icmp_imm_s(IntCC::NotEqual, elems, 0);
        let whole = [begin, end, end].map(BlockArg::Value);
        self.b
            .ins()
            .brif(listed, next, &[BlockArg::Value(begin)], range, &whole);

        self.b.switch_to_block(next);
        let at = self.b.block_params(next)[0];
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, at, end);
        let args = [BlockArg::Value(at)];
        self.b.ins().brif(more, list, &args, done, &[]);

        self.run_of_list(list, range, elems, end);
        self.range(range, next);
        self.b.switch_to_block(done);
    }

    fn block_with(&mut self, params: usize) -> clif::Block {
        let block = self.b.create_block();
        for _ in 0..params {
            self.b.append_block_param(block, types::I64);
        }
        block
    }

    /// Finds how far the list goes on with consecutive elements, and runs that range.
    fn run_of_list(
        &mut self,
        list: clif::Block,
        range: clif::Block,
        elems: clif::Value,
        end: clif::Value,
    ) {
        let longer = self.block_with(2);
        let test = self.b.create_block();
        self.b.switch_to_block(list);
        let first_at = self.b.block_params(list)[0];
        let first = self.list_entry(elems, first_at);
        let hi = self.b.ins().iadd_imm_s(first, 1);
        let at = self.b.ins().iadd_imm_s(first_at, 1);
        let args = [hi, at].map(BlockArg::Value);
        self.b.ins().jump(longer, &args);

        self.b.switch_to_block(longer);
        let (hi, at) = (
            self.b.block_params(longer)[0],
            self.b.block_params(longer)[1],
        );
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, at, end);
        let run = [first, hi, at].map(BlockArg::Value);
        self.b.ins().brif(more, test, &[], range, &run);

        self.b.switch_to_block(test);
        let entry = self.list_entry(elems, at);
        let follows = self.b.ins().icmp(IntCC::Equal, entry, hi);
        let next_hi = self.b.ins().iadd_imm_s(hi, 1);
        let next_at = self.b.ins().iadd_imm_s(at, 1);
        let args = [next_hi, next_at].map(BlockArg::Value);
        self.b.ins().brif(follows, longer, &args, range, &run);
    }

    fn list_entry(&mut self, elems: clif::Value, at: clif::Value) -> clif::Value {
        let offset = self.b.ins().ishl_imm_u(at, 2);
        let address = self.b.ins().iadd(elems, offset);
        let flags = MemFlagsData::trusted().with_readonly();
        let entry = self.b.ins().load(types::I32, flags, address, 0);
        self.b.ins().uextend(types::I64, entry)
    }

    /// Runs elements `lo..hi`, then goes on at list position `at`: several at a time while there are as many, then one by one.
    fn range(&mut self, range: clif::Block, next: clif::Block) {
        self.b.switch_to_block(range);
        let [lo, hi, at] = self.b.block_params(range)[..] else {
            unreachable!("a range has three parameters")
        };
        let it = self.it;
        let go_on = [BlockArg::Value(at)];
        if let Some(wide) = it.wide.as_ref().filter(|wide| wide.covers_rest) {
            return self.all_of_range(wide, (lo, hi), next, &go_on);
        }
        let single = self.block_with(1);
        match &it.wide {
            Some(wide) if wide.is_strip => self.strip(wide, (lo, hi), single),
            Some(wide) => self.several(wide, (lo, hi), single),
            None => {
                self.b.ins().jump(single, &[BlockArg::Value(lo)]);
            }
        }
        let body = self.block_with(1);
        self.b.switch_to_block(single);
        let first = self.b.block_params(single)[0];
        let some = self.b.ins().icmp(IntCC::UnsignedLessThan, first, hi);
        let start = [BlockArg::Value(first)];
        self.b.ins().brif(some, body, &start, next, &go_on);

        self.b.switch_to_block(body);
        let element = self.b.block_params(body)[0];
        self.element = Some(element);
        self.b.def_var(self.element_var, element);
        self.refill_steps();
        if self.block(&it.body.root) {
            let following = self.b.ins().iadd_imm_s(element, 1);
            let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, hi);
            let again = [BlockArg::Value(following)];
            self.b.ins().brif(more, body, &again, next, &go_on);
        }
    }

    /// Runs elements `lo..hi` several at a time, the last ones too however few they are, then goes to `next`.
    fn all_of_range(
        &mut self,
        wide: &Wide,
        (lo, hi): (clif::Value, clif::Value),
        next: clif::Block,
        go_on: &[BlockArg],
    ) {
        let body = self.block_with(1);
        let some = self.b.ins().icmp(IntCC::UnsignedLessThan, lo, hi);
        let first = [BlockArg::Value(lo)];
        self.last = Some(self.b.ins().iadd_imm_s(hi, -1));
        self.b.ins().brif(some, body, &first, next, go_on);

        self.b.switch_to_block(body);
        let element = self.b.block_params(body)[0];
        self.element = Some(element);
        self.block(&wide.block);
        let count = i64::from(wide.elements);
        let following = self.b.ins().iadd_imm_s(element, count);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, hi);
        let again = [BlockArg::Value(following)];
        self.b.ins().brif(more, body, &again, next, go_on);
    }

    /// Runs elements from `lo` several at a time while all of them come before `hi`, then goes to `single` with the next.
    fn several(&mut self, wide: &Wide, (lo, hi): (clif::Value, clif::Value), single: clif::Block) {
        let body = self.block_with(1);
        let count = i64::from(wide.elements);
        let last = self.b.ins().iadd_imm_s(lo, count - 1);
        let some = self.b.ins().icmp(IntCC::UnsignedLessThan, last, hi);
        // The following element is compared with the first that is left: nothing else of an element is needed after it.
        let all = self.b.ins().isub(hi, lo);
        let done = self.b.ins().band_imm_s(all, -count);
        let left = self.b.ins().iadd(lo, done);
        let first = [BlockArg::Value(lo)];
        self.b.ins().brif(some, body, &first, single, &first);

        self.b.switch_to_block(body);
        let element = self.b.block_params(body)[0];
        self.element = Some(element);
        // What it knows of rows is not known where one element runs.
        let rows = self.rows.clone();
        self.block(&wide.block);
        self.rows = rows;
        let following = self.b.ins().iadd_imm_s(element, count);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, left);
        let again = [BlockArg::Value(following)];
        self.b.ins().brif(more, body, &again, single, &again);
    }

    /// Fills the context and returns the status.
    fn failure(&mut self) {
        self.b.switch_to_block(self.fail);
        let [status, site, value] = self.b.block_params(self.fail)[..] else {
            unreachable!("a failure has three parameters")
        };
        let flags = MemFlagsData::trusted();
        let element = self.b.use_var(self.element_var);
        self.b.ins().store(flags, site, self.ctx, abi::ctx::SITE);
        self.b
            .ins()
            .store(flags, element, self.ctx, abi::ctx::ELEMENT);
        self.b.ins().store(flags, value, self.ctx, abi::ctx::VALUE);
        self.b.ins().return_(&[status]);
    }

    /// The CLIF value of a value.
    fn value(&mut self, value: Value) -> clif::Value {
        if let Op::Const(bits) = self.it.body.values[value].op {
            return self.constant(bits, self.it.body.ty(value));
        }
        self.values[value].expect("values are defined before they are used")
    }

    /// The CLIF value of the last operand of an instruction, which may lie in memory: there a floating-point constant is read
    /// where it is used and takes no register.
    fn right_operand(&mut self, value: Value) -> clif::Value {
        let ty = self.it.body.ty(value);
        match (self.it.body.constant(value), ty.lanes, ty.scalar) {
            (Some(bits), 1, Scalar::F64) => self.b.ins().f64const(Ieee64::with_bits(bits)),
            (Some(bits), 1, Scalar::F32) => self.b.ins().f32const(Ieee32::with_bits(bits as u32)),
            _ => self.value(value),
        }
    }

    fn constant(&mut self, bits: u64, ty: Type) -> clif::Value {
        let clif_ty = clif_type(ty);
        if ty.lanes == 1 && !ty.scalar.is_float() {
            return self.b.ins().iconst(clif_ty, sign_extended(bits, ty.scalar));
        }
        if ty.lanes == 1 && bits == 0 {
            return match ty.scalar {
                Scalar::F32 => self.b.ins().f32const(0.0),
                _ => self.b.ins().f64const(0.0),
            };
        }
        let offset = self.pool.offset(bits, ty);
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.b.ins().load(clif_ty, flags, self.pool_base, offset)
    }

    fn variable(&mut self, var: Var) -> Variable {
        if let Some(variable) = self.vars[var] {
            return variable;
        }
        let variable = self.b.declare_var(clif_type(self.it.body.vars[var]));
        self.vars[var] = Some(variable);
        variable
    }
}

/// The bits of an integer constant as CLIF wants them.
fn sign_extended(bits: u64, scalar: Scalar) -> i64 {
    match scalar.bytes() {
        1 => i64::from(bits as i8),
        2 => i64::from(bits as i16),
        4 => i64::from(bits as i32),
        _ => bits as i64,
    }
}
