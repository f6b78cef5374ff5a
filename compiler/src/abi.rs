//! The calling convention between a compiled loop and whoever runs it.
//!
//! `extern "C" fn(ctx: *mut Ctx, args: *const Arg, elems: *const u32 or null, begin: u64, end: u64) -> u32`: runs the kernel on
//! elements `begin..end`, or on `elems[begin..end]` in order, of which none is listed again fewer than [`APART`] places on: [`parts`]
//! cuts a list so. Code and runtime take every offset from here; the version is part of the fingerprint and changes whenever anything in
//! this file changes meaning.
//!
//! A plain function has the C signature of its kernel, save that it returns the status, which a caller of the `void` prototype
//! ignores. Its pointers may overlap where C lets the kernel's do: those that are not `restrict`, of types that may alias. An array
//! of row pointers is passed as C has it, one address for each row; the array itself does not change during the call.

use std::mem::offset_of;
use std::ops::Range;

/// Changes whenever a field, a status or the meaning of a call changes.
pub const VERSION: u32 = 5;

/// How many places on an element may be listed again: code does as many elements at once, or fewer.
pub const APART: usize = 4;

/// The parts of a list that a loop is called for, one after the other: in none is an element listed again fewer than [`APART`] places
/// on.
pub fn parts(list: &[u32]) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let is_again = |at: &usize| {
            let near = at.saturating_sub(APART - 1).max(begin);
            list[near..*at].contains(&list[*at])
        };
        let end = (begin..list.len()).find(is_again).unwrap_or(list.len());
        let part = begin..end;
        begin = end;
        (!part.is_empty()).then_some(part)
    })
}

/// The host function that a plain function calls when it fails: `(status: i32, site: i32, value: i64)`.
pub const FAIL: &str = "parloop_function_fail";

/// The host function that a plain function gets its working memory from: `(bytes: i64)` to an address, aligned to 16 bytes, or 0.
pub const SCRATCH: &str = "parloop_function_scratch";

/// The host functions that run rank-k updates, `a[i][j] += x[i] * (s * t[j]) + ..`: the products of all terms are added to an entry
/// in order, and those of the next trip after them, each with one rounding or with two.
///
/// `extern "C" fn(entries: *mut T, row_bytes: i64, column_bytes: i64, shape: u64, terms: *const Term, counts: u64)`: `shape` is the
/// number of rows, at least 1, below 2^32, and that of columns shifted by 32; `counts` is the number of terms and that of trips
/// shifted by 32; `row_bytes` and `column_bytes` are from one entry to that of the next row and column. No factor overlaps the
/// entries, and no two entries are one.
pub mod rank_update {
    /// A factor in memory.
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    pub struct Factor {
        /// In the first trip, of the first row or column.
        pub first: *const u8,
        /// Bytes to that of the next trip.
        pub trip_bytes: i64,
    }

    /// Products of one factor for each row, one for each column, and maybe one for all of them.
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    pub struct Term {
        /// The factors of the columns, which are neighbours.
        pub columns: Factor,
        /// The factor of all columns; null if there is none.
        pub scale: Factor,
        /// The factor of the first row.
        pub row: Factor,
        /// Bytes to the next row's.
        pub row_bytes: i64,
    }

    /// A function.
    #[derive(Clone, Copy, Debug)]
    pub struct Function {
        /// What code calls it.
        pub name: &'static str,
        /// Of a floating-point number.
        pub bits: u8,
        /// Whether a product and its addition are rounded once.
        pub is_fused: bool,
        /// The level of x86-64 that it needs.
        pub level: u8,
    }

    /// All of them.
    pub const FUNCTIONS: [Function; 8] = [
        function("parloop_rank_update_f32_v3", 32, false, 3),
        function("parloop_rank_update_f32_fused_v3", 32, true, 3),
        function("parloop_rank_update_f64_v3", 64, false, 3),
        function("parloop_rank_update_f64_fused_v3", 64, true, 3),
        function("parloop_rank_update_f32_v4", 32, false, 4),
        function("parloop_rank_update_f32_fused_v4", 32, true, 4),
        function("parloop_rank_update_f64_v4", 64, false, 4),
        function("parloop_rank_update_f64_fused_v4", 64, true, 4),
    ];

    const fn function(name: &'static str, bits: u8, is_fused: bool, level: u8) -> Function {
        Function {
            name,
            bits,
            is_fused,
            level,
        }
    }
}

/// The most bytes of local arrays that compiled code keeps on the stack; others lie in working memory.
pub const STACK_ARRAY_BYTES_MAX: u64 = 64 * 1024;

/// The step budget of a call of a plain function.
pub const FUNCTION_STEPS: u64 = 1 << 32;

/// Name of the function in the object.
pub const ENTRY: &str = "parloop_loop";

/// Prefix of the names of tables in the object; a number follows.
pub const TABLE_PREFIX: &str = "parloop_table_";

/// Prefix of the names of functions in the object that the loop's own calls: of rank-k updates and strips; a number follows.
pub const LOCAL_PREFIX: &str = "parloop_local_";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list_are_all_of_it_in_order_and_have_no_element_twice_nearby() {
        let lists: [&[u32]; 7] = [
            &[],
            &[7],
            &[3, 3],
            &[0, 1, 2, 3, 0, 1, 2, 3],
            &[0, 1, 2, 0, 1, 2],
            &[5, 5, 5, 5, 5, 4, 5],
            &[9, 3, 9, 9, 3, 1, 2, 4, 2, 21, 0, 5, 0],
        ];
        for list in lists {
            let mut next = 0;
            for part in parts(list) {
                assert_eq!(part.start, next);
                assert!(!part.is_empty());
                let elements = &list[part.clone()];
                for near in elements.windows(APART.min(elements.len())) {
                    let is_again = |at: usize| near[..at].contains(&near[at]);
                    assert!(!(0..near.len()).any(is_again), "{list:?}: {part:?}");
                }
                next = part.end;
            }
            assert_eq!(next, list.len());
        }
        // As far apart as code may do at once, they share a call.
        assert_eq!(parts(&[0, 1, 2, 3, 0]).count(), 1);
        assert_eq!(parts(&[0, 1, 2, 0]).count(), 2);
    }
}
