//! Makes the relocatable object of a loop: its function, its local ones, its tables, its constants, and what the loader must
//! know.
//!
//! Every reference leaves the function by name and is not assumed to be near, so that the only relocation is the 64-bit
//! absolute one. Nothing in the object depends on when or where it is made.

use crate::abi;
use crate::error::CompileError;
use crate::ir::{Loop, Op, Place, Scalar, Stmt, Symbol, Table, for_each_stmt};
use crate::lower::{self, Externals, Locals, Pool, Work, backend, clif_type};
use crate::signature::Iteration;
use crate::target::Target;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{
    AbiParam, ExternalName, Function, GlobalValueData, Signature, UserExternalName, UserFuncName,
};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_entity::SecondaryMap;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module};
use cranelift_object::{ObjectBuilder, ObjectModule};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Memory that the code generator works in, for one compilation after another. What it makes does not depend on it.
pub struct Workspace {
    context: Context,
    builder: FunctionBuilderContext,
    /// The last code generator made, and what for.
    isa: Option<(Target, Work, OwnedTargetIsa)>,
}

impl Workspace {
    fn isa(&mut self, target: &Target, work: Work) -> Result<OwnedTargetIsa, CompileError> {
        if let Some((made_for, made_to, isa)) = &self.isa
            && (made_for, made_to) == (target, &work)
        {
            return Ok(isa.clone());
        }
        let isa = lower::isa(target, work)?;
        self.isa = Some((*target, work, isa.clone()));
        Ok(isa)
    }
}

/// The memory of a function of more instructions is not kept for the next.
const KEPT_INSTRUCTIONS_MAX: usize = 1 << 14;

/// Empties what a compilation has left, but keeps its memory for the next.
fn clear(context: &mut Context) {
    match context.func.dfg.num_insts() {
        ..=KEPT_INSTRUCTIONS_MAX => context.clear(),
        _ => *context = Context::new(),
    }
}

impl Default for Workspace {
    fn default() -> Workspace {
        Workspace {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            isa: None,
        }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}

/// A loop as CLIF, with the module it will be defined in.
pub(crate) struct Clif<'w> {
    module: ObjectModule,
    context: &'w mut Context,
    entry: FuncId,
    /// Functions that only the loop calls, and their code.
    local: Vec<(FuncId, Vec<u8>)>,
    pool_id: DataId,
    pool: Pool,
    scratch_bytes: u64,
}

/// Where such functions start: at a line of the cache.
const LOCAL_ALIGN: u64 = 64;

/// The code generator's front end keeps a place for every variable in every block; this many are taken.
const PLACES_MAX: u64 = 1 << 26;

/// Refuses what has too many variables in too many blocks.
fn check_size(it: &Loop) -> Result<(), CompileError> {
    let (mut blocks, mut vars) = (1u64, BTreeSet::new());
    for block in it.element_blocks() {
        for_each_stmt(block, &mut |stmt| {
            match stmt {
                Stmt::Let(value) => blocks += u64::from(it.body.values[*value].op.can_fail()),
                Stmt::Set(var, _) => drop(vars.insert(*var)),
                _ => {}
            }
            blocks += 2 * stmt.blocks().count() as u64;
        });
    }
    let size = blocks.saturating_mul(vars.len() as u64);
    match size <= PLACES_MAX {
        true => Ok(()),
        false => Err(CompileError::TooLarge {
            what: "the product of variables and branches",
            size,
            limit: PLACES_MAX,
        }),
    }
}

/// Translates a loop.
///
/// # Errors
/// If it is too large, or the code generator refuses, which is a bug of ours.
pub(crate) fn translate<'w>(
    it: &Loop,
    target: &Target,
    work: Work,
    workspace: &'w mut Workspace,
) -> Result<Clif<'w>, CompileError> {
    check_size(it)?;
    let isa = workspace.isa(target, work)?;
    let frontend = isa.frontend_config();
    let call_conv = isa.default_call_conv();
    let signature = match it.signature.iteration {
        Iteration::Elements => lower::abi_signature(call_conv),
        Iteration::Function => lower::function_signature(&it.signature, call_conv),
    };
    let names = cranelift_module::default_libcall_names();
    let builder = ObjectBuilder::new(isa, "parloop", names).map_err(backend)?;
    let mut module = ObjectModule::new(builder);
    let entry = module
        .declare_function(abi::ENTRY, Linkage::Export, &signature)
        .map_err(backend)?;
    let Workspace {
        context, builder, ..
    } = workspace;
    clear(context);
    context.func.name = UserFuncName::user(0, entry.as_u32());
    context.func.signature = signature;
    let mut pool = Pool::default();
    let (externals, pool_id) = declare(it, target, &mut module, &mut context.func, &mut pool)?;
    let builder = FunctionBuilder::new(&mut context.func, builder);
    let mut locals = Locals {
        first: module.declarations().get_functions().count() as u32,
        made: Vec::new(),
    };
    let data = (&mut pool, &mut locals);
    let scratch_bytes = lower::lower(it, target, builder, &externals, data, frontend);
    let local = declare_locals(&mut module, &locals, call_conv)?;
    Ok(Clif {
        module,
        context,
        entry,
        local,
        pool_id,
        pool,
        scratch_bytes,
    })
}

impl Clif<'_> {
    /// The function, for printing.
    pub(crate) fn function(&self) -> &Function {
        &self.context.func
    }

    /// Generates machine code and writes the object.
    ///
    /// # Errors
    /// If the code generator refuses, which is a bug of ours.
    pub(crate) fn emit(mut self) -> Result<Vec<u8>, CompileError> {
        self.module
            .define_function(self.entry, self.context)
            .map_err(|error| backend(format!("{error:?}")))?;
        for (id, code) in &self.local {
            self.module
                .define_function_bytes(*id, LOCAL_ALIGN, code, &[])
                .map_err(backend)?;
        }
        let mut pool = self.pool.into_bytes();
        if pool.is_empty() {
            pool.push(0);
        }
        define(&mut self.module, self.pool_id, pool, 16)?;
        let info = self
            .module
            .declare_data(abi::INFO, Linkage::Export, false, false)
            .map_err(backend)?;
        let mut bytes = Vec::with_capacity(abi::INFO_BYTES);
        bytes.extend_from_slice(&abi::VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.scratch_bytes.to_le_bytes());
        define(&mut self.module, info, bytes, 8)?;
        self.module.finish().emit().map_err(backend)
    }
}

/// Declares the functions that only the loop calls under the numbers that the loop calls them by, and makes their code.
fn declare_locals(
    module: &mut ObjectModule,
    locals: &Locals,
    call_conv: CallConv,
) -> Result<Vec<(FuncId, Vec<u8>)>, CompileError> {
    let mut declared = Vec::with_capacity(locals.made.len());
    for (number, (local, _)) in locals.made.iter().enumerate() {
        let name = format!("{}{number}", abi::LOCAL_PREFIX);
        let signature = lower::update_signature(call_conv, local.arguments());
        let id = module
            .declare_function(&name, Linkage::Local, &signature)
            .map_err(backend)?;
        let expected = locals.first + number as u32;
        if id.as_u32() != expected {
            return Err(backend(format!("function {id} is not {expected}")));
        }
        declared.push((id, local.code()));
    }
    Ok(declared)
}

fn define(
    module: &mut ObjectModule,
    id: DataId,
    bytes: Vec<u8>,
    align: u64,
) -> Result<(), CompileError> {
    let mut description = DataDescription::new();
    description.define(bytes.into_boxed_slice());
    description.set_align(align);
    module.define_data(id, &description).map_err(backend)
}

fn declare(
    it: &Loop,
    target: &Target,
    module: &mut ObjectModule,
    func: &mut Function,
    pool: &mut Pool,
) -> Result<(Externals, DataId), CompileError> {
    let (used_symbols, used_tables) = used(it);
    let (id, global) = read_only_data(module, func)?;
    let mut externals = Externals {
        symbols: SecondaryMap::new(),
        function: None,
        updates: BTreeMap::new(),
        pool: global,
    };
    let call_conv = func.signature.call_conv;
    for name in lower::update_functions(it, target) {
        let signature = lower::update_signature(call_conv, lower::HOST_ARGS);
        let id = module
            .declare_function(name, Linkage::Import, &signature)
            .map_err(backend)?;
        let function = module.declare_func_in_func(id, func);
        externals.updates.insert(name, function);
    }
    if it.signature.iteration == Iteration::Function {
        externals.function = Some(function_hosts(it, module, func)?);
    }
    for (symbol, host) in it.body.symbols.iter().filter(|(s, _)| used_symbols[*s]) {
        let mut signature = Signature::new(call_conv);
        let param = |scalar: &Scalar| AbiParam::new(clif_type((*scalar).into()));
        signature.params = host.params.iter().map(param).collect();
        signature.returns = vec![param(&host.result)];
        let id = module
            .declare_function(&host.name, Linkage::Import, &signature)
            .map_err(backend)?;
        externals.symbols[symbol] = Some(module.declare_func_in_func(id, func));
    }
    for (table, content) in it.body.tables.iter().filter(|(t, _)| used_tables[*t]) {
        pool.table(table, content);
    }
    Ok((externals, id))
}

/// Declares what a plain function calls of the host.
fn function_hosts(
    it: &Loop,
    module: &mut ObjectModule,
    func: &mut Function,
) -> Result<lower::Hosts, CompileError> {
    let [fail, scratch] = lower::host_signatures(func.signature.call_conv);
    let mut import = |name, signature| {
        let id = module
            .declare_function(name, Linkage::Import, &signature)
            .map_err(backend)?;
        Ok(module.declare_func_in_func(id, func))
    };
    let needs_scratch = lower::scratch_bytes(it) > 0;
    Ok(lower::Hosts {
        fail: import(abi::FAIL, fail)?,
        scratch: match needs_scratch {
            true => Some(import(abi::SCRATCH, scratch)?),
            false => None,
        },
    })
}

/// Declares the read-only data and its address in the function.
fn read_only_data(
    module: &mut ObjectModule,
    func: &mut Function,
) -> Result<(DataId, cranelift_codegen::ir::GlobalValue), CompileError> {
    let name = format!("{}0", abi::TABLE_PREFIX);
    let id = module
        .declare_data(&name, Linkage::Local, false, false)
        .map_err(backend)?;
    let name = func.declare_imported_user_function(UserExternalName {
        namespace: 1,
        index: id.as_u32(),
    });
    let global = func.create_global_value(GlobalValueData::Symbol {
        name: ExternalName::user(name),
        offset: 0.into(),
        colocated: false,
        tls: false,
    });
    Ok((id, global))
}

/// Which host functions and tables the statements of a loop use.
fn used(it: &Loop) -> (SecondaryMap<Symbol, bool>, SecondaryMap<Table, bool>) {
    let mut symbols = SecondaryMap::new();
    let mut tables = SecondaryMap::new();
    for block in it.blocks() {
        for_each_stmt(block, &mut |stmt| {
            if let Stmt::Let(value) = stmt {
                match &it.body.values[*value].op {
                    Op::Call(symbol, _) => symbols[*symbol] = true,
                    Op::Load {
                        place: Place::Table(table),
                        ..
                    } => tables[*table] = true,
                    _ => {}
                }
            }
        });
    }
    (symbols, tables)
}
