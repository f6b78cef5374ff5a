//! Errors of reading back what this crate has written: IR text and encoded requests.
//!
//! Mistakes in a kernel's text are diagnostics, unsound IR is the verifier's.

use crate::fingerprint::Part;

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
