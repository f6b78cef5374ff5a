//! Owns the memory of linked code, and the address in it that may be called.
//!
//! Invariant: the memory is freed exactly once, when its owner is dropped, on error paths too; an [`Entry`] is only got from
//! a living owner and must not be called after it.

use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use parloop_compiler::abi;
use std::mem::ManuallyDrop;

/// A compiled loop, by the convention of `abi`.
pub type Entry = unsafe extern "C" fn(
    ctx: *mut abi::Ctx,
    args: *const abi::Arg,
    elems: *const u32,
    begin: u64,
    end: u64,
) -> u32;

/// Mapped code and data.
pub(crate) struct CodeMemory {
    module: ManuallyDrop<JITModule>,
    entry: *const u8,
    code_bytes: usize,
}

// SAFETY: `JITModule` is `Send`; the entry is an address in its memory.
unsafe impl Send for CodeMemory {}
// SAFETY: once linked the module is never touched again until the drop, and its memory is read and executed only.
unsafe impl Sync for CodeMemory {}

impl CodeMemory {
    pub(crate) fn new(module: JITModule) -> CodeMemory {
        CodeMemory {
            module: ManuallyDrop::new(module),
            entry: std::ptr::null(),
            code_bytes: 0,
        }
    }

    /// The module, while it is being filled.
    pub(crate) fn module(&mut self) -> &mut JITModule {
        &mut self.module
    }

    /// Says which finished function is the loop. `code_bytes` is its length.
    pub(crate) fn set_entry(&mut self, function: FuncId, code_bytes: usize) {
        self.entry = self.module.get_finalized_function(function);
        self.code_bytes = code_bytes;
    }

    /// The loop's function; `None` before `set_entry`. Valid as long as `self`.
    pub(crate) fn entry(&self) -> Option<Entry> {
        if self.entry.is_null() {
            return None;
        }
        // SAFETY: a finalized function of the object's ENTRY, whose convention the object's ABI version vouches for.
        Some(unsafe { std::mem::transmute::<*const u8, Entry>(self.entry) })
    }

    /// Where the code lies, for profilers.
    pub(crate) fn code_range(&self) -> (usize, usize) {
        (self.entry.addr(), self.code_bytes)
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        // SAFETY: taken once, here; `module` is not used again.
        let module = unsafe { ManuallyDrop::take(&mut self.module) };
        // SAFETY: entries may only be called while the owner lives, and it is being dropped.
        unsafe { module.free_memory() };
    }
}
