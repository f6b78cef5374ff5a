//! What the front end reads and what it makes: the two ends of "C text to kernel".

use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{HostSymbol, Kernel, Passing};
use crate::signature::DType;

/// A kernel constant that the embedder has declared (OP2's `op_decl_const`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConstantDecl {
    /// The name that kernels use.
    pub name: String,
    /// Its type.
    pub dtype: DType,
    /// Number of values; a kernel sees a scalar if 1, else an array.
    pub dim: u32,
    /// If its value is to be folded into the code: the bits of its values, zero-extended to 64.
    pub specialised: Option<Vec<u64>>,
}

/// All that the front end reads.
#[derive(Clone, Copy, Debug)]
pub struct KernelText<'a> {
    /// C text; may hold many functions.
    pub text: &'a str,
    /// Which function is the kernel; `None` where the text has exactly one that nothing else calls.
    pub function: Option<&'a str>,
    /// Kernel constants, by name.
    pub constants: &'a [ConstantDecl],
    /// Host functions beyond `math.h`.
    pub hosts: &'a [HostSymbol],
}

/// A parameter as its author wrote it: what a call is checked against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamInfo {
    /// Its name; empty if it has none.
    pub name: String,
    /// By value or by pointer.
    pub passing: Passing,
    /// What is passed or pointed to; `None` for an unused `void *`.
    pub dtype: Option<DType>,
    /// Declared extents, outermost first; `None` where the text gives none (`double *x`, `double x[][2]`).
    pub extents: Vec<Option<u64>>,
    /// Whether what it points to is `const`.
    pub is_const: bool,
    /// Whether the pointer is `restrict`: what it points to is reached in no other way while it is written.
    pub is_restrict: bool,
    /// Whether the kernel reads through it.
    pub read: bool,
    /// Whether the kernel stores through it.
    pub written: bool,
}

/// What the front end makes of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedKernel {
    /// The function's name.
    pub name: String,
    /// The kernel in canonical form.
    pub kernel: Kernel,
    /// Its parameters, for checking calls.
    pub params: Vec<ParamInfo>,
    /// Names of the kernel constants it reads, by slot.
    pub constants: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<Diagnostic>,
    /// Where in the text each site stands.
    pub sites: Vec<Span>,
}
