//! Makes a loop of a kernel and a signature: rows gathered, the kernel inlined, results scattered.
//!
//! The kernel's statements stay as they are but for their places: each access of a parameter becomes one of a row in memory
//! (in place), or of a local array that was filled before or is written back after. What is in place is said by `Binding`.

mod bind;
mod fresh;
mod gather;
mod reals;
mod rewrite;
mod scatter;

use crate::error::CompileError;
use crate::ir::{Array, Builder, Kernel, Loop, Op, Place, Region, Scalar, Site, Stmt, Value, Var};
use crate::options::FloatMode;
use crate::signature::{ArgSignature, IndexWidth, Iteration, Signature, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Straight-line copies of rows are emitted up to this many values; longer rows are copied by a loop.
const STRAIGHT_COPY_MAX: u64 = 16;

/// The most map entries of one argument.
const ARITY_MAX: u16 = 1024;

/// What a parameter's accesses become.
#[derive(Clone, Debug)]
enum Binding {
    /// Nothing uses it.
    Unused,
    /// By value: this value, converted to the parameter's type.
    Value(Value),
    /// Rows in memory, one for each map entry (or just one), of `dim` values each; used where the row is known.
    Rows {
        addrs: Vec<Value>,
        dim: u64,
        region: Region,
    },
    /// The same, through a local table of row addresses; used where the row is only known at run time.
    RowTable {
        table: Array,
        arity: u64,
        dim: u64,
        region: Region,
    },
    /// Rows through the pointers of an argument of a plain function.
    RowPointers { arg: u16, region: Region },
    /// A local array of `[arity][dim]` values.
    Staged { array: Array, dim: u64 },
}

/// A loop under construction.
struct Wrap<'a> {
    kernel: &'a Kernel,
    signature: &'a Signature,
    float: FloatMode,
    builder: Builder,
    element: Value,
    /// Base addresses of the arguments, defined before the first element.
    bases: Vec<Option<Value>>,
    before: Vec<Stmt>,
    after: Vec<Stmt>,
    /// Running values of short globals that arguments add to or write, by dat slot: several arguments may name one global.
    accumulators: BTreeMap<u16, Vec<Var>>,
    /// The same, where the kernel works on the running values themselves.
    running: BTreeMap<u16, Array>,
    /// The globals whose running values are stored after the last element.
    stored: BTreeSet<u16>,
}

/// Wraps `kernel` into a loop with arguments as `signature` says; the loop's own signature is in reals.
///
/// # Errors
/// If the signature does not fit the kernel's parameters, or the loop would be too large.
pub(crate) fn wrap(
    kernel: &Kernel,
    signature: &Signature,
    float: FloatMode,
) -> Result<Loop, CompileError> {
    let signature = reals::in_reals(signature)?;
    check(kernel, &signature)?;
    let mut wrap = Wrap::new(kernel, &signature, float);
    let bindings = wrap.gather()?;
    wrap.clear_locals();
    wrap.inline(&bindings);
    wrap.scatter(&bindings);
    Ok(wrap.finish())
}

/// Refuses what the runtime should have refused: a signature that does not fit the kernel.
fn check(kernel: &Kernel, signature: &Signature) -> Result<(), CompileError> {
    let (wanted, given) = (kernel.params.len(), signature.args.len());
    if wanted != given {
        return Err(CompileError::ArgumentCount { wanted, given });
    }
    let is_function = signature.iteration == Iteration::Function;
    if is_function && !kernel.constants.is_empty() {
        return Err(CompileError::FunctionConstant);
    }
    for (index, (param, arg)) in kernel.params.iter().zip(&signature.args).enumerate() {
        bind::check_form(index, arg, signature.iteration)?;
        bind::check_argument(index, *param, arg)?;
    }
    bind::check_slots(signature)
}

impl<'a> Wrap<'a> {
    fn new(kernel: &'a Kernel, signature: &'a Signature, float: FloatMode) -> Wrap<'a> {
        let mut builder = Builder::new(kernel.body.arenas());
        builder.body.site();
        let element = match signature.iteration {
            Iteration::Elements => builder.emit(Op::Element, Scalar::I64),
            Iteration::Function => builder.i64(0),
        };
        Wrap {
            kernel,
            signature,
            float,
            builder,
            element,
            bases: vec![None; signature.args.len()],
            before: Vec::new(),
            after: Vec::new(),
            accumulators: BTreeMap::new(),
            running: BTreeMap::new(),
            stored: BTreeSet::new(),
        }
    }

    fn finish(self) -> Loop {
        Loop {
            signature: self.signature.clone(),
            constants: self.kernel.constants.clone(),
            before: self.before,
            wide: None,
            after: self.after,
            body: self.builder.finish(),
        }
    }

    fn region(&self, arg: &ArgSignature) -> Region {
        let mut users = self
            .signature
            .args
            .iter()
            .filter(|other| other.dat == arg.dat && !matches!(other.source, Source::Element));
        Region {
            slot: arg.dat,
            readonly: users.all(|other| !other.access.writes()),
        }
    }

    /// The first argument that uses the same map, whose map pointer serves all.
    fn map_owner(&self, slot: u16, width: IndexWidth) -> u16 {
        let uses = |arg: &ArgSignature| {
            let map = arg.source.map();
            map.is_some_and(|m| m.slot == slot && m.width == width)
        };
        let first = self.signature.args.iter().position(uses);
        first.expect("an argument uses the map") as u16
    }
}

/// A load that can't fail; its site is none of the kernel's.
fn load(b: &mut Builder, place: Place, index: Value, scalar: Scalar) -> Value {
    let site = Site::from_u32(b.body.sites - 1);
    b.load(place, index, scalar, site)
}

/// A store that can't fail; its site is none of the kernel's.
fn store(b: &mut Builder, place: Place, index: Value, value: Value) {
    let site = Site::from_u32(b.body.sites - 1);
    b.store(place, index, value, site);
}
