//! Bounds on what IR may hold, so that nothing that walks a body needs more than a bounded stack or absurd memory.
//!
//! The verifier refuses what is beyond them; the reader and the decoder refuse it before they build it.

/// How deep blocks may nest.
pub const NESTING_MAX: usize = 512;

/// Bytes of one local array or table.
pub const LOCAL_BYTES_MAX: u64 = 1 << 31;

/// Lanes of a value.
pub const LANES_MAX: usize = 4;

/// Bytes of a value of more than one lane.
pub const VECTOR_BYTES_MAX: u32 = 16;

/// Labels of a loop, and its sites; a kernel may have half as many, since wrapping and passes add more. They count in 32 bits.
pub const COUNT_MAX: u32 = 1 << 30;
