//! One thread, elements in order.
//!
//! Compiled code runs a range or a list by itself, so this is one call, but for lists that have an element again a few places later:
//! those are run part by part. Reductions work on the global's own storage, since
//! nobody else adds to it; a parallel execution would give each thread a zeroed (INC) or copied (MIN, MAX) private one and
//! combine them in thread order.

use parloop_compiler::abi;

/// Elements to run, in this order.
#[derive(Clone, Copy)]
pub(crate) enum Elements<'a> {
    Range(u64, u64),
    /// None stands twice.
    Subset(&'a [u32]),
    List(&'a [u32]),
}

impl Elements<'_> {
    pub(crate) fn is_empty(self) -> bool {
        match self {
            Elements::Range(begin, end) => begin >= end,
            Elements::Subset(list) | Elements::List(list) => list.is_empty(),
        }
    }
}

/// Runs all of `elements`; `call` takes a list or null, and a range of elements or of the list. The status is that of the first call
/// that fails.
#[inline]
pub(crate) fn run(
    elements: Elements<'_>,
    mut call: impl FnMut(*const u32, u64, u64) -> u32,
) -> u32 {
    match elements {
        Elements::Range(begin, end) => call(std::ptr::null(), begin, end),
        Elements::Subset(list) => call(list.as_ptr(), 0, list.len() as u64),
        Elements::List(list) => {
            let mut parts = abi::parts(list);
            let failed = parts.find_map(|part| {
                let status = call(list.as_ptr(), part.start as u64, part.end as u64);
                (status != abi::OK).then_some(status)
            });
            failed.unwrap_or(abi::OK)
        }
    }
}
