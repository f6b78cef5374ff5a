//! Why a request could not be compiled, and why what this crate has written could not be read back.
//!
//! Mistakes in a kernel's text are diagnostics, unsound IR is the verifier's.

use crate::fingerprint::Part;
use crate::signature::DType;
use std::fmt;

/// A reason why a kernel's parameter does not take an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Mismatch {
    /// The pointed-to types differ.
    DType(DType),
    /// By value where a pointer is wanted, or the other way round.
    Passing,
    /// Only a READ global of dim 1, or the element's index, can be passed by value.
    ByValue,
    /// An array of row pointers takes only an argument that goes through a map.
    NotThroughMap,
    /// A layout or type that is reserved but not built yet.
    Reserved,
    /// MIN or MAX of complex numbers, which have no order.
    Unordered,
    /// The kernel stores through what is only READ.
    Stored,
    /// Its map or its dat is another than that of an earlier argument with the same slot, or has no such entry.
    Slot,
    /// An argument of a loop in a plain function, or the other way round.
    Form,
}

/// Why a request could not be compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CompileError {
    /// The signature has another number of arguments than the kernel has parameters.
    ArgumentCount {
        /// Parameters of the kernel.
        wanted: usize,
        /// Arguments of the signature.
        given: usize,
    },
    /// An argument does not fit its parameter.
    Argument {
        /// Which, from 0.
        index: usize,
        /// Why.
        mismatch: Mismatch,
    },
    /// A plain function's kernel reads a kernel constant: there is nobody to pass its value.
    FunctionConstant,
    /// Something is larger than the compiler takes.
    TooLarge {
        /// What.
        what: &'static str,
        /// How large it is.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The code generator refused what we made: a bug of ours, reported rather than run.
    Backend {
        /// Its words.
        message: String,
    },
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::ArgumentCount { wanted, given } => {
                write!(
                    f,
                    "the kernel has {wanted} parameters, the loop has {given} arguments"
                )
            }
            CompileError::Argument { index, mismatch } => {
                write!(f, "argument {index} does not fit its parameter: {mismatch}")
            }
            CompileError::FunctionConstant => f.write_str(
                "a plain function has no place for kernel constants; specialise those that it reads",
            ),
            CompileError::TooLarge { what, size, limit } => {
                write!(f, "{what} is too large: {size}, at most {limit}")
            }
            CompileError::Backend { message } => write!(f, "code generation failed: {message}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::DType(dtype) => write!(f, "the argument's type is {dtype}"),
            Mismatch::Passing => f.write_str("pointer and value are mixed up"),
            Mismatch::ByValue => f.write_str(
                "by value, a kernel takes the element's index or a READ global of dim 1",
            ),
            Mismatch::NotThroughMap => f.write_str("row pointers need an argument through a map"),
            Mismatch::Unordered => {
                f.write_str("complex numbers have no order, so no minimum or maximum")
            }
            Mismatch::Stored => f.write_str("the kernel stores through an argument that is READ"),
            Mismatch::Slot => f.write_str("its map or dat differs from what shares its slot"),
            Mismatch::Form => f.write_str("loops and plain functions take different arguments"),
            Mismatch::Reserved => f.write_str("this type or layout is not supported yet"),
        }
    }
}

impl std::error::Error for CompileError {}

/// Text that is not a kernel's or a loop's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct ReadError {
    /// The line, from 1; 0 for an empty text.
    pub line: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

/// Bytes that are not the encoding they are taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They end in the middle of something.
    #[error("the bytes end at {0}, in the middle of something")]
    Truncated(usize),
    /// A tag or a number that has no meaning.
    #[error("byte {at} is not {expected}")]
    Unexpected {
        /// Where, from the first byte.
        at: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// They were written in another version of the format.
    #[error("format version {0} is not known")]
    Version(u32),
    /// A part of a request is not there.
    #[error("there is no {} part", .0.name())]
    MissingPart(Part),
    /// Blocks nested beyond what a body may hold.
    #[error("blocks are nested too deep")]
    TooDeep,
}
