//! From a request to object bytes, stage by stage.

use crate::emit::{self, Workspace};
use crate::error::CompileError;
use crate::ir::{Loop, verify_kernel, verify_loop};
use crate::lower::Work;
use crate::opt;
use crate::options::Effort;
use crate::request::Request;
use crate::wrap;
use std::fmt;

/// Straight-line blocks longer than this are translated without the code generator's optimiser, which would re-order them
/// until everything is live at once, in time that grows with the square of the length.
const OPTIMISE_RUN_MAX: usize = 1500;

/// A stage of a compilation; named by what it makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// The kernel, its short loops unrolled.
    Prepared,
    /// The loop, as wrapped.
    Wrapped,
    /// The loop with its accesses checked.
    Guarded,
    /// The loop after all passes.
    Optimised,
    /// The code generator's input.
    Clif,
    /// The object.
    Object,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Stage; 6] = [
        Stage::Prepared,
        Stage::Wrapped,
        Stage::Guarded,
        Stage::Optimised,
        Stage::Clif,
        Stage::Object,
    ];

    /// The name that `--dump` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Prepared => "kernel",
            Stage::Wrapped => "wrapped",
            Stage::Guarded => "guarded",
            Stage::Optimised => "optimised",
            Stage::Clif => "clif",
            Stage::Object => "object",
        }
    }
}

/// What a compilation made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compiled {
    /// A relocatable ELF object with one function that others see, [`crate::abi::ENTRY`].
    pub object: Vec<u8>,
    /// How many instructions the code generator was given.
    pub clif_instructions: usize,
}

/// Is told of each stage when it has been passed, with its printable result.
pub trait Watch {
    /// `stage` is done; `result` prints what it made.
    fn passed(&mut self, stage: Stage, result: &dyn fmt::Display);
}

/// Watches nothing.
impl Watch for () {
    fn passed(&mut self, _stage: Stage, _result: &dyn fmt::Display) {}
}

/// Compiles a loop. Equal requests give equal bytes.
///
/// # Errors
/// If the signature does not fit the kernel, or the code would be too large.
pub fn compile(request: &Request) -> Result<Compiled, CompileError> {
    compile_in(&mut Workspace::default(), request)
}

/// [`compile`], in memory that others have worked in before.
///
/// # Errors
/// As [`compile`].
pub fn compile_in(workspace: &mut Workspace, request: &Request) -> Result<Compiled, CompileError> {
    stages(request, workspace, &mut ())
}

/// Compiles a loop, telling `watch` of each stage.
///
/// # Errors
/// As [`compile`].
pub fn compile_watched(request: &Request, watch: &mut dyn Watch) -> Result<Compiled, CompileError> {
    stages(request, &mut Workspace::default(), watch)
}

fn stages(
    request: &Request,
    workspace: &mut Workspace,
    watch: &mut dyn Watch,
) -> Result<Compiled, CompileError> {
    let mut kernel = request.kernel.clone();
    opt::prepare(&mut kernel, &request.options, &request.target);
    debug_assert_eq!(verify_kernel(&kernel), Ok(()), "{kernel}");
    watch.passed(Stage::Prepared, &kernel);
    let mut it = wrap::wrap(&kernel, &request.signature, request.options.float)?;
    debug_assert_eq!(verify_loop(&it), Ok(()), "{it}");
    watch.passed(Stage::Wrapped, &it);
    opt::guard(&mut it, &request.options);
    debug_assert_eq!(verify_loop(&it), Ok(()), "{it}");
    watch.passed(Stage::Guarded, &it);
    opt::optimise(&mut it, &request.options, &request.target);
    debug_assert_eq!(verify_loop(&it), Ok(()), "{it}");
    watch.passed(Stage::Optimised, &it);
    let clif = emit::translate(&it, &request.target, work(request, &it), workspace)?;
    let clif_instructions = clif.function().dfg.num_insts();
    watch.passed(Stage::Clif, clif.function());
    let object = clif.emit()?;
    watch.passed(Stage::Object, &format_args!("{} bytes", object.len()));
    Ok(Compiled {
        object,
        clif_instructions,
    })
}

fn work(request: &Request, it: &Loop) -> Work {
    match request.options.effort {
        Effort::None => Work::Translate,
        Effort::Speed if opt::longest_run(it) > OPTIMISE_RUN_MAX => Work::Translate,
        Effort::Speed => Work::Optimise,
    }
}
