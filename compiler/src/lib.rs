//! Compiles C loop kernels to relocatable objects: a pure function of a [`Request`].

pub mod abi;
mod check;
mod diagnostic;
pub mod ir;
mod options;
mod request;
mod signature;
mod source;
pub mod syntax;
mod target;

pub use check::{FunctionSummary, check_kernel, kernel_functions};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Span};
pub use options::{Effort, FloatMode, Options};
pub use request::Request;
pub use signature::{
    Access, ArgSignature, DType, IndexWidth, Iteration, Layout, MapUse, Signature, Source,
};
pub use source::{CheckedKernel, ConstantDecl, KernelText, ParamInfo};
pub use target::{Level, Target};
