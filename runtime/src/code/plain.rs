//! The host functions of plain functions: where one reports its failure, and where it gets working memory.
//!
//! Both belong to the calling thread, so that a function may run on many threads at once. Nothing here panics or unwinds: a
//! thread that is already being torn down gets no memory, and its failure is not kept.

use std::cell::{Cell, RefCell};

/// What a plain function said when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u32,
    pub(crate) site: u32,
    pub(crate) value: i64,
}

thread_local! {
    static FAILURE: Cell<Option<Failure>> = const { Cell::new(None) };
    /// Sixteen bytes an entry, which is its alignment too.
    static SCRATCH: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// The last failure on this thread, once.
pub(crate) fn take_failure() -> Option<Failure> {
    FAILURE.take()
}

/// `abi::FAIL`.
pub(crate) extern "C" fn fail(status: u32, site: u32, value: i64) {
    let failure = Failure {
        status,
        site,
        value,
    };
    let _torn_down = FAILURE.try_with(|kept| kept.set(Some(failure)));
}

/// `abi::SCRATCH`.
pub(crate) extern "C" fn scratch(bytes: u64) -> *mut u8 {
    let grown = SCRATCH.try_with(|scratch| {
        let mut scratch = scratch.try_borrow_mut().ok()?;
        let wanted = usize::try_from(bytes.div_ceil(16)).ok()?;
        let more = wanted.saturating_sub(scratch.len());
        scratch.try_reserve(more).ok()?;
        if more > 0 {
            scratch.resize(wanted, 0);
        }
        Some(scratch.as_mut_ptr().cast())
    });
    grown.ok().flatten().unwrap_or(std::ptr::null_mut())
}
