//! Owns the memory of linked code, and the address in it that may be called.
//!
//! Invariants: memory is a [`Draft`], writable and not executable, until it becomes [`CodeMemory`], executable and not writable, in
//! one step; neither is ever the other again. Each has one owner and is given back when that is dropped, on error paths too. An
//! [`Entry`] is only got from a living owner and must not be called after it. Where pages come from is `arena`'s business.

use super::LoadError;
use super::arena::{Arena, Pages};
use parloop_compiler::abi;
use rustix::mm::{self, MprotectFlags};

/// A compiled loop, by the convention of `abi`.
pub type Entry = unsafe extern "C" fn(
    ctx: *mut abi::Ctx,
    args: *const abi::Arg,
    elems: *const u32,
    begin: u64,
    end: u64,
) -> u32;

/// Where all engines' code comes from.
static ARENA: Arena = Arena::new();

/// Memory that code and data are put together in. Zeroed, and aligned to a page.
pub(super) struct Draft {
    pages: Pages,
    bytes: usize,
}

/// Mapped code and data, the code first.
pub(crate) struct CodeMemory {
    pages: Pages,
    code_bytes: usize,
}

impl Draft {
    /// Memory for `bytes`.
    pub(super) fn new(bytes: usize) -> Result<Draft, LoadError> {
        Draft::of(&ARENA, bytes)
    }

    /// Memory for `bytes` out of an arena.
    pub(super) fn of(arena: &Arena, bytes: usize) -> Result<Draft, LoadError> {
        let pages = arena.take(bytes).map_err(failed)?;
        Ok(Draft { pages, bytes })
    }

    /// What is in it.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the pages are this draft's alone, hold as much, and are readable and writable until `finish` has taken the draft.
        unsafe { std::slice::from_raw_parts_mut(self.pages.start(), self.bytes) }
    }

    /// Where it lies, and will lie as code.
    pub(super) fn address(&self) -> usize {
        self.pages.start().addr()
    }

    /// Makes it code. The loop's function is at its start, `code_bytes` long.
    pub(super) fn finish(self, code_bytes: usize) -> Result<CodeMemory, LoadError> {
        let Draft { pages, bytes } = self;
        let start = pages.start();
        // SAFETY: the range is mapped, as the pages live until after the call.
        unsafe { icache::clear_cache(start.cast(), bytes) }.map_err(failed)?;
        let access = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: the pages have no other owner, and the draft, through which they could be written, is gone.
        unsafe { mm::mprotect(start.cast(), pages.bytes(), access) }.map_err(failed)?;
        icache::pipeline_flush_mt().map_err(failed)?;
        Ok(CodeMemory { pages, code_bytes })
    }
}

fn failed(reason: impl ToString) -> LoadError {
    LoadError::Map {
        message: reason.to_string(),
    }
}

impl CodeMemory {
    /// The loop's function. Valid as long as `self`.
    pub(crate) fn entry(&self) -> Entry {
        // SAFETY: executable memory that begins with the object's ENTRY, whose convention the object's ABI version vouches for.
        unsafe { std::mem::transmute::<*mut u8, Entry>(self.pages.start()) }
    }

    /// What it takes of the process's memory: whole pages.
    pub(super) fn mapped_bytes(&self) -> usize {
        self.pages.bytes()
    }

    /// Where the code lies, for profilers.
    pub(crate) fn code_range(&self) -> (usize, usize) {
        (self.pages.start().addr(), self.code_bytes)
    }
}
