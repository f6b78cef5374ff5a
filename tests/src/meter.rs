//! A global allocator that counts what a thread holds, for tests that bound memory by the size of an input.
//!
//! A test binary installs it with `#[global_allocator] static METER: Meter = Meter;`. The counts are a thread's own, so that tests
//! beside one another do not see each other; what one thread frees for another is not told apart, which a bound does not mind.
//! Beyond [`CAP_BYTES`] an allocation under measurement fails, so that a blow-up ends the test and not the machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a measured function may hold before its allocations fail.
pub const CAP_BYTES: usize = 3 << 30;

/// The system's allocator, counted.
#[derive(Clone, Copy, Debug)]
pub struct Meter;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static MEASURED: Cell<bool> = const { Cell::new(false) };
}

/// Counts `bytes` more; whether there may be as many.
fn count(bytes: isize) -> bool {
    LIVE.try_with(|live| {
        let now = live.get() + bytes;
        if MEASURED.get() && bytes.max(now) > CAP_BYTES as isize {
            return false;
        }
        live.set(now);
        PEAK.set(PEAK.get().max(now));
        true
    })
    // A thread that ends counts no longer.
    .unwrap_or(true)
}

// SAFETY: all is the system's allocator's, or a failure, which is an answer that an allocator may give.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !count(layout.size() as isize) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !count(layout.size() as isize) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !count(size as isize - layout.size() as isize) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What `run` gives, and how many bytes more than before this thread held at its highest.
pub fn peak_of<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    MEASURED.set(true);
    let result = run();
    MEASURED.set(false);
    (result, usize::try_from(PEAK.get() - before).unwrap_or(0))
}
