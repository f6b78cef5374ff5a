//! What can be wrong with a dat or a global: when it is made, looked into, or used by a loop.

use parloop_compiler::DType;

/// Why data could not be made or borrowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No values an element, or more than a signature can say.
    #[error("`{name}`: {dim} values an element are not possible; give from 1 to 2^32 - 1")]
    Dim {
        /// The dat or global.
        name: String,
        /// What was asked for.
        dim: usize,
    },
    /// A wrong number of values.
    #[error("`{name}` needs {expected} values (elements times dim), but {found} were given")]
    Length {
        /// The dat or global.
        name: String,
        /// Elements, halo included, times dim.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A type that data can't have yet.
    #[error(
        "`{name}`: data of type {dtype} is not supported yet; use one of the integer or floating-point types"
    )]
    Type {
        /// The dat or global.
        name: String,
        /// The type.
        dtype: DType,
    },
    /// More bytes than can be addressed or had.
    #[error("`{name}`: no memory for {values} values of {dtype}")]
    OutOfMemory {
        /// The dat or global.
        name: String,
        /// How many.
        values: u128,
        /// Of which type.
        dtype: DType,
    },
    /// Storage of the embedder that is null or not aligned for its type.
    #[error("`{name}`: the storage given at {address:#x} is null or not aligned for {dtype}")]
    BadPointer {
        /// The dat or global.
        name: String,
        /// Where it begins.
        address: usize,
        /// Type of its values.
        dtype: DType,
    },
    /// Storage that another dat or global of the engine occupies.
    #[error(
        "`{name}`: the storage given overlaps that of another dat or global of this engine; a loop could not tell them apart, use one dat for both"
    )]
    Overlap {
        /// The dat or global.
        name: String,
    },
    /// A view of another type than the data's.
    #[error("`{name}` holds {found}, not {asked}; ask for its own type")]
    WrongView {
        /// The dat or global.
        name: String,
        /// Type of the view.
        asked: DType,
        /// Type of the data.
        found: DType,
    },
    /// It is written by a loop or a `data_mut` guard.
    #[error(
        "`{name}` is being written by a running loop or a `data_mut` guard; let that end first"
    )]
    Writing {
        /// The dat or global.
        name: String,
    },
    /// It is read by a loop or a `data` guard.
    #[error(
        "`{name}` can not be written while a running loop or a `data` guard reads it; let that end first"
    )]
    Reading {
        /// The dat or global.
        name: String,
    },
}
