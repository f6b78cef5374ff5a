//! Where pages for code come from: chunks that are mapped at once and dealt out page by page.
//!
//! A mapping for each loop would cost as much as reading and verifying it. Invariants: each page has one owner, a [`Pages`] or the
//! arena, and goes back to the system with it; the arena's are writable, not executable, never written to, and less than a chunk.
//! What is left of a chunk is one number, changed in one step: no thread waits for another, no child of a fork finds it locked or half
//! changed, and what a child takes of it is its own, for mappings are private. What pages are made of later is `memory`'s business.

use rustix::io::{Errno, Result};
use rustix::mm::{self, Advice, MapFlags, ProtFlags};
use rustix::param::page_size;
use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// The most that is mapped for several loops, and what is at first. A populated page costs about the same in any number, so larger chunks
/// gain hardly anything (measured up to 1 MiB), have one loop in so many wait longer, and leave more spare. They double up to this, lest
/// a process with few loops waits for pages that it never needs.
pub(super) const CHUNK_BYTES: usize = 128 << 10;
const FIRST_CHUNK_BYTES: usize = CHUNK_BYTES >> DOUBLINGS;
const DOUBLINGS: usize = 2;

/// The most that is taken out of a chunk, for what is left of one and too little for the next loop was populated in vain. Larger loops
/// would gain little: they pay for pages, not for a mapping.
pub(super) const SHARED_BYTES_MAX: usize = CHUNK_BYTES / 4;

// All of a mapping is about to be written: had in one call it costs half of what a fault for each page does.
#[cfg(target_os = "linux")]
const MAP_FLAGS: MapFlags = MapFlags::PRIVATE.union(MapFlags::POPULATE);
#[cfg(not(target_os = "linux"))]
const MAP_FLAGS: MapFlags = MapFlags::PRIVATE;

#[cfg(target_os = "linux")]
const FORGET: Advice = Advice::LinuxDontNeed;
#[cfg(not(target_os = "linux"))]
const FORGET: Advice = Advice::DontNeed;

/// Whole pages and their owner, who may write them first. Given back when dropped.
pub(super) struct Pages {
    /// Exposed.
    address: usize,
    bytes: usize,
}

impl Pages {
    /// A mapping of zeros.
    fn map(bytes: usize) -> Result<Pages> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: no place is wished for, so the system chooses one where nothing is mapped.
        let start = unsafe { mm::mmap_anonymous(ptr::null_mut(), bytes, access, MAP_FLAGS) }?;
        let address = start.expose_provenance();
        Ok(Pages { address, bytes })
    }

    /// Where they begin.
    pub(super) fn start(&self) -> *mut u8 {
        ptr::with_exposed_provenance_mut(self.address)
    }

    /// Their length: whole pages.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let start = self.start().cast();
        // SAFETY: this is their only owner, and whoever uses what is in them borrows it.
        let unmapped = unsafe { mm::munmap(start, self.bytes) };
        // Without its middle one mapping is two, and a process may have no more. Then the addresses stay, and the memory goes.
        if unmapped.is_err() {
            // SAFETY: as above; nobody comes by these addresses any more.
            let _nothing_else_to_try = unsafe { mm::madvise(start, self.bytes, FORGET) };
        }
    }
}

/// Deals out pages.
pub(super) struct Arena {
    /// What is left of a chunk: its address, a multiple of a page's length, and in the bits below that the number of pages. It says all
    /// there is to say: were it the same again after many changes, it would be as true as before.
    rest: AtomicUsize,
    /// Chunks mapped so far.
    chunks: AtomicUsize,
}

// A number of pages fits below the address of one, whatever their length.
const _: () = assert!(CHUNK_BYTES / 4096 < 4096);
const _: () = assert!(SHARED_BYTES_MAX <= FIRST_CHUNK_BYTES);

impl Arena {
    pub(super) const fn new() -> Arena {
        Arena {
            rest: AtomicUsize::new(0),
            chunks: AtomicUsize::new(0),
        }
    }

    /// Pages for at least `bytes`, zeroed. Large ones have a mapping of their own.
    pub(super) fn take(&self, bytes: usize) -> Result<Pages> {
        let whole = bytes.max(1).checked_next_multiple_of(page_size());
        let bytes = whole.ok_or(Errno::NOMEM)?;
        if bytes > SHARED_BYTES_MAX {
            return Pages::map(bytes);
        }
        if let Some(pages) = self.take_of_rest(bytes) {
            return Ok(pages);
        }
        // Mapped and populated before others can take of it: threads that come to this at once don't wait for each other.
        let doublings = self.chunks.fetch_add(1, Relaxed).min(DOUBLINGS);
        match Pages::map(FIRST_CHUNK_BYTES << doublings) {
            Ok(chunk) => Ok(self.keep_rest(chunk, bytes)),
            // There may be room for a little.
            Err(_) => Pages::map(bytes),
        }
    }

    /// The first pages of what is left, if they are enough.
    fn take_of_rest(&self, bytes: usize) -> Option<Pages> {
        let without = |rest| {
            let (address, left) = place(rest);
            let left = left.checked_sub(bytes)?;
            Some(number(address + bytes, left))
        };
        let taken = self.rest.fetch_update(AcqRel, Acquire, without).ok()?;
        let (address, _) = place(taken);
        Some(Pages { address, bytes })
    }

    /// The first pages of a chunk. The others are kept, and what was kept before, which was too little, is given back.
    fn keep_rest(&self, mut chunk: Pages, bytes: usize) -> Pages {
        let rest = number(chunk.address + bytes, chunk.bytes - bytes);
        chunk.bytes = bytes;
        let (address, bytes) = place(self.rest.swap(rest, AcqRel));
        drop(Pages { address, bytes });
        chunk
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        let (address, bytes) = place(*self.rest.get_mut());
        drop(Pages { address, bytes });
    }
}

/// Address and length of pages as one number.
fn number(address: usize, bytes: usize) -> usize {
    address | (bytes / page_size())
}

/// What a number stands for.
fn place(number: usize) -> (usize, usize) {
    let pages = number % page_size();
    (number - pages, pages * page_size())
}
