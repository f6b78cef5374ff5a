//! Compiles C loop kernels to relocatable objects: a pure function of a [`Request`].

#![forbid(unsafe_code)]

pub mod abi;
mod aliasing;
mod check;
mod diagnostic;
mod difference;
mod dump_c;
mod emit;
mod encode;
mod error;
mod extents;
pub mod fingerprint;
mod flops;
pub mod ir;
mod lower;
mod microkernel;
mod opt;
mod options;
mod pipeline;
mod request;
mod signature;
mod source;
pub mod syntax;
mod target;
mod wrap;

pub use check::{
    FunctionSummary, LexedText, SkippedItem, check_kernel, kernel_functions, skipped_items,
};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Span};
pub use difference::{Difference, Names, describe_argument, differences};
pub use dump_c::dump_c;
pub use emit::Workspace;
pub use error::{CompileError, DecodeError, Mismatch, ReadError};
pub use extents::{
    Extent, ExtentError, Reach, function_signature, provisional_extents,
    provisional_function_signature,
};
pub use fingerprint::{Fingerprint, Preimage, Shortcut, ShortcutRecord, TextDigest, build_id};
pub use flops::Flops;
pub use options::{Effort, FloatMode, Options};
pub use pipeline::{Compiled, Stage, Watch, compile, compile_in, compile_watched};
pub use request::Request;
pub use signature::{
    Access, ArgSignature, DType, IndexWidth, Iteration, Layout, MapUse, Signature, Source,
};
pub use source::{CheckedKernel, ConstantDecl, KernelText, ParamInfo};
pub use target::{Level, Target};
