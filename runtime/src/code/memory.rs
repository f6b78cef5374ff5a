//! Owns the memory of linked code, and the address in it that may be called.
//!
//! Invariants: memory is a [`Draft`], writable and not executable, until it becomes [`CodeMemory`], executable and not writable, in
//! one step; neither is ever the other again. Each has one owner and is given back when that is dropped, on error paths too. An
//! [`Entry`] is only got from a living owner and must not be called after it.

use super::LoadError;
use memmap2::{Mmap, MmapMut, MmapOptions};
use parloop_compiler::abi;

/// A compiled loop, by the convention of `abi`.
pub type Entry = unsafe extern "C" fn(
    ctx: *mut abi::Ctx,
    args: *const abi::Arg,
    elems: *const u32,
    begin: u64,
    end: u64,
) -> u32;

/// Memory that code and data are put together in. Zeroed, and aligned to a page.
pub(super) struct Draft(MmapMut);

/// Mapped code and data, the code first.
pub(crate) struct CodeMemory {
    pages: Mmap,
    code_bytes: usize,
}

impl Draft {
    /// Memory for `bytes`.
    pub(super) fn new(bytes: usize) -> Result<Draft, LoadError> {
        let mut options = MmapOptions::new();
        // All of it is about to be written: had in one call it costs half of what a fault for each page does.
        let pages = options.len(bytes).populate().map_anon();
        pages.map(Draft).map_err(failed)
    }

    /// What is in it.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Where it lies, and will lie as code.
    pub(super) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Makes it code. The loop's function is at its start, `code_bytes` long.
    pub(super) fn finish(self, code_bytes: usize) -> Result<CodeMemory, LoadError> {
        let Draft(pages) = self;
        // SAFETY: the range is a mapping that lives until after the call.
        unsafe { icache::clear_cache(pages.as_ptr().cast(), pages.len()) }.map_err(failed)?;
        let pages = pages.make_exec().map_err(failed)?;
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
        unsafe { std::mem::transmute::<*const u8, Entry>(self.pages.as_ptr()) }
    }

    /// What it takes of the process's memory: whole pages.
    pub(super) fn mapped_bytes(&self) -> usize {
        self.pages
            .len()
            .next_multiple_of(rustix::param::page_size())
    }

    /// Where the code lies, for profilers.
    pub(crate) fn code_range(&self) -> (usize, usize) {
        (self.pages.as_ptr().addr(), self.code_bytes)
    }
}
