//! The calling convention between a compiled loop and whoever runs it.
//!
//! `extern "C" fn(ctx: *mut Ctx, args: *const Arg, elems: *const u32 or null, begin: u64, end: u64) -> u32`: runs the kernel on
//! elements `begin..end`, or on `elems[begin..end]` in order. Code and runtime take every offset from here; the version is part
//! of the fingerprint and changes whenever anything in this file changes meaning.
//!
//! A plain function has the C signature of its kernel, save that it returns the status, which a caller of the `void` prototype
//! ignores. Its pointers may overlap where C lets the kernel's do: those that are not `restrict`, of types that may alias. An array
//! of row pointers is passed as C has it, one address for each row; the array itself does not change during the call.

use std::mem::offset_of;

/// Changes whenever a field, a status or the meaning of a call changes.
pub const VERSION: u32 = 2;

/// The host function that a plain function calls when it fails: `(status: i32, site: i32, value: i64)`.
pub const FAIL: &str = "parloop_function_fail";

/// The host function that a plain function gets its working memory from: `(bytes: i64)` to an address, aligned to 16 bytes, or 0.
pub const SCRATCH: &str = "parloop_function_scratch";

/// The step budget of a call of a plain function.
pub const FUNCTION_STEPS: u64 = 1 << 32;

/// Name of the function in the object.
pub const ENTRY: &str = "parloop_loop";

/// Prefix of the names of tables in the object; a number follows.
pub const TABLE_PREFIX: &str = "parloop_table_";

/// Name of the data that tells the loader what the code needs: `VERSION` (u32), zero (u32), scratch bytes (u64).
pub const INFO: &str = "parloop_info";

/// Size of the data named `INFO`.
pub const INFO_BYTES: usize = 16;

/// One argument of a loop.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Arg {
    /// First value of the dat, or of the global (for reductions: of the thread's private copy).
    pub base: *mut u8,
    /// First entry of the map, null without a map.
    pub map: *const u8,
    /// Bytes from one element to the next; used by layouts other than AoS.
    pub element_stride: i64,
    /// Bytes from one component to the next; used by layouts other than AoS.
    pub component_stride: i64,
}

/// What a loop needs besides its arguments, and where it leaves an error.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Ctx {
    /// By slot, the address of each kernel constant's values.
    pub constants: *const *const u8,
    /// Working memory of as many bytes as the object's `INFO` says, 16-byte aligned; may be null when that is 0.
    pub scratch: *mut u8,
    /// Steps that an element may spend in loops whose length is not known.
    pub steps: u64,
    /// The site that failed, when the status is not `OK`.
    pub site: u32,
    /// Zero.
    pub reserved: u32,
    /// The element that failed.
    pub element: u64,
    /// The offending value: the index, or the steps that were asked for.
    pub value: i64,
}

/// All elements ran.
pub const OK: u32 = 0;
/// An index out of range.
pub const BAD_INDEX: u32 = 1;
/// An integer division by zero.
pub const DIVISION_BY_ZERO: u32 = 2;
/// A loop went past its step budget.
pub const OUT_OF_STEPS: u32 = 3;
/// A plain function found no working memory.
pub const OUT_OF_MEMORY: u32 = 4;

/// Offsets of the fields of `Arg`, in bytes.
pub mod arg {
    use super::{Arg, offset_of};
    /// `base`.
    pub const BASE: i32 = offset_of!(Arg, base) as i32;
    /// `map`.
    pub const MAP: i32 = offset_of!(Arg, map) as i32;
    /// Size of an argument.
    pub const SIZE: i32 = size_of::<Arg>() as i32;
}

/// Offsets of the fields of `Ctx`, in bytes.
pub mod ctx {
    use super::{Ctx, offset_of};
    /// `constants`.
    pub const CONSTANTS: i32 = offset_of!(Ctx, constants) as i32;
    /// `scratch`.
    pub const SCRATCH: i32 = offset_of!(Ctx, scratch) as i32;
    /// `steps`.
    pub const STEPS: i32 = offset_of!(Ctx, steps) as i32;
    /// `site`.
    pub const SITE: i32 = offset_of!(Ctx, site) as i32;
    /// `element`.
    pub const ELEMENT: i32 = offset_of!(Ctx, element) as i32;
    /// `value`.
    pub const VALUE: i32 = offset_of!(Ctx, value) as i32;
}
