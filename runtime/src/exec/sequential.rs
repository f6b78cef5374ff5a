//! One thread, elements in order.
//!
//! Compiled code runs any range or list by itself, so this is one call. Reductions work on the global's own storage, since
//! nobody else adds to it; a parallel execution would give each thread a zeroed (INC) or copied (MIN, MAX) private one and
//! combine them in thread order.

/// Elements to run, in this order.
#[derive(Clone, Copy)]
pub(crate) enum Elements<'a> {
    Range(u64, u64),
    List(&'a [u32]),
}

impl Elements<'_> {
    pub(crate) fn is_empty(self) -> bool {
        match self {
            Elements::Range(begin, end) => begin >= end,
            Elements::List(list) => list.is_empty(),
        }
    }
}

/// Runs all of `elements`; `call` takes a list or null, and a range of elements or of the list. The status is the call's.
#[inline]
pub(crate) fn run(elements: Elements<'_>, call: impl FnOnce(*const u32, u64, u64) -> u32) -> u32 {
    match elements {
        Elements::Range(begin, end) => call(std::ptr::null(), begin, end),
        Elements::List(list) => call(list.as_ptr(), 0, list.len() as u64),
    }
}
