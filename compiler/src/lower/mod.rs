//! Translates a loop to CLIF: one function of the loop's ABI, over a range or a list of elements; or a plain function.
//!
//! Memory of different regions is told apart for alias analysis; constants come from a pool in read-only data, so that they
//! need no register; whatever fails leaves through one cold block that fills the context.

mod arith;
mod bases;
mod convert;
mod divide;
mod elements;
mod extremes;
mod frame;
mod function;
mod isa;
mod local;
mod memory;
mod microkernel;
mod pool;
mod shuffle;
mod stmt;
mod strip;
mod turns;
mod update;

pub(crate) use frame::scratch_bytes;
pub(crate) use function::{Hosts, function_signature, host_signatures};
pub(crate) use isa::{Work, backend, isa};
pub(crate) use pool::Pool;
pub(crate) use update::{HOST_ARGS, functions as update_functions, signature as update_signature};

use crate::abi;
use crate::ir::{Array, Label, Loop, Op, Scalar, Symbol, Type, Value, Var, per_value};
use crate::target::Target;
use bases::Bases;
use cranelift_codegen::ir::{
    self as clif, AbiParam, FuncRef, GlobalValue, InstBuilder, MemFlagsData, Signature,
    immediates::{Ieee32, Ieee64},
    types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_entity::SecondaryMap;
use cranelift_frontend::{FunctionBuilder, Variable};
use frame::Frame;
use local::Local;
pub(crate) use local::Locals;
use memory::{Counts, Regions};
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
    /// Offsets of rows, by row and stride.
    rows: BTreeMap<(Value, u64), clif::Value>,
    /// Counts of shifts.
    counts: Counts,
    /// Whether elements would wait for the least or greatest so far.
    extremes_are_awaited: bool,
    /// How many branches and loops are around the statement at hand.
    nesting: u32,
    /// Of a loop; anything in a plain function.
    ctx: clif::Value,
    /// Of a loop; anything in a plain function.
    args: clif::Value,
    bases: Bases,
    pool_base: clif::Value,
    element: Option<clif::Value>,
    /// The others of those that run at once, where they may be any.
    others: Option<turns::Others>,
    /// Where failures go: takes status, site and value.
    fail: clif::Block,
    /// The element at hand, for failures.
    element_var: Variable,
    /// What is left of the element's step budget; only where something spends it.
    steps: Option<(Variable, clif::Value)>,
}

/// Translates `it` into the function of `b`. How many bytes of scratch area it needs.
pub(crate) fn lower(
    it: &Loop,
    target: &Target,
    mut b: FunctionBuilder<'_>,
    externals: &Externals,
    (pool, locals): (&mut Pool, &mut Locals),
    frontend: TargetFrontendConfig,
) -> u64 {
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
        values: per_value(&it.body),
        vars: SecondaryMap::new(),
        arrays: SecondaryMap::new(),
        labels: Vec::new(),
        rows: BTreeMap::new(),
        counts: Counts::default(),
        extremes_are_awaited: extremes::are_awaited(it),
        nesting: 0,
        ctx,
        args,
        bases: Bases::of(it),
        pool_base,
        element: None,
        others: None,
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
    let Lower { b, frame, .. } = lower;
    b.finalize(frontend);
    frame.scratch_bytes()
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
        match (self.values[value], &self.it.body.values[value].op) {
            (Some(defined), _) => defined,
            (None, Op::ArgBase(arg)) => self.data_base(*arg),
            (None, _) => unreachable!("values are defined before they are used"),
        }
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
        let base = self.pool_base();
        self.b.ins().load(clif_ty, flags, base, offset)
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
