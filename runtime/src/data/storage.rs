//! Memory that dats, globals and loops work on: our own, or lent by the embedder.
//!
//! Invariant: from `base`, `bytes` bytes are valid for reads and writes as long as the `Storage` lives, at a fixed address;
//! our own are 64-byte aligned and zero at first. Who may touch them when is the borrow's business.

use std::alloc::{self, Layout};
use std::any::Any;
use std::ptr::NonNull;

/// Alignment of our own storage in bytes: a cache line, and any vector.
pub(crate) const ALIGNMENT: usize = 64;
/// What the allocator is asked for: at this alignment it gets large zeroed blocks from the kernel, untouched.
const REQUESTED_ALIGNMENT: usize = 16;

pub(crate) struct Storage {
    base: NonNull<u8>,
    bytes: usize,
    _keeper: Keeper,
}

enum Keeper {
    Own(#[expect(dead_code, reason = "held for its drop")] AlignedBytes),
    Lent(#[expect(dead_code, reason = "held for its drop")] Box<dyn Any + Send + Sync>),
}

/// Zeroed memory of our own, [`ALIGNMENT`]-aligned.
pub(crate) struct AlignedBytes {
    base: NonNull<u8>,
    /// What was allocated, of which `base` is the first aligned byte; `None` for no bytes.
    block: Option<(NonNull<u8>, Layout)>,
}

// SAFETY: it owns its memory; nothing about it is bound to a thread.
unsafe impl Send for AlignedBytes {}
// SAFETY: it gives out an address, and no access.
unsafe impl Sync for AlignedBytes {}

impl AlignedBytes {
    /// `bytes` zeroed bytes, or `None` if there is no such memory.
    pub(crate) fn zeroed(bytes: usize) -> Option<AlignedBytes> {
        if bytes == 0 {
            return Some(AlignedBytes {
                base: dangling(),
                block: None,
            });
        }
        let padded = bytes.checked_add(ALIGNMENT - REQUESTED_ALIGNMENT)?;
        let layout = Layout::from_size_align(padded, REQUESTED_ALIGNMENT).ok()?;
        // SAFETY: the layout's size is not zero.
        let block = NonNull::new(unsafe { alloc::alloc_zeroed(layout) })?;
        let offset = block.as_ptr().align_offset(ALIGNMENT);
        // SAFETY: the allocator aligned the block to 16, so the next multiple of 64 is at most the padding away.
        let base = unsafe { block.add(offset) };
        Some(AlignedBytes {
            base,
            block: Some((block, layout)),
        })
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

/// An aligned address for no bytes.
fn dangling() -> NonNull<u8> {
    #[repr(align(64))]
    struct Aligned;
    NonNull::<Aligned>::dangling().cast()
}

impl Drop for AlignedBytes {
    fn drop(&mut self) {
        if let Some((block, layout)) = self.block {
            // SAFETY: `block` came from the allocator with this layout, and only here is it given back.
            unsafe { alloc::dealloc(block.as_ptr(), layout) };
        }
    }
}

// SAFETY: the memory is ours or, by the contract of `lent`, may be used from any thread.
unsafe impl Send for Storage {}
// SAFETY: a shared `Storage` gives access only through unsafe functions, whose callers hold a borrow.
unsafe impl Sync for Storage {}

impl Storage {
    /// `bytes` zeroed bytes of our own, or `None` if there is no such memory.
    pub(crate) fn zeroed(bytes: usize) -> Option<Storage> {
        let own = AlignedBytes::zeroed(bytes)?;
        Some(Storage {
            base: own.base,
            bytes,
            _keeper: Keeper::Own(own),
        })
    }

    /// Memory of the embedder.
    ///
    /// # Safety
    /// `bytes` bytes from `base` stay valid for reads and writes from any thread until `owner` is dropped, hold initialised
    /// values, and meanwhile are accessed through this storage alone.
    pub(crate) unsafe fn lent(
        base: NonNull<u8>,
        bytes: usize,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Storage {
        Storage {
            base,
            bytes,
            _keeper: Keeper::Lent(owner),
        }
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The values, to read.
    ///
    /// # Safety
    /// The caller holds a read or write borrow as long as `'a`; `T` is the type the storage was made for, or `u8`.
    pub(crate) unsafe fn slice<'a, T>(&self) -> &'a [T] {
        // SAFETY: base and length are valid for `T` (see the type's invariant); the caller's borrow keeps writers out.
        unsafe {
            std::slice::from_raw_parts(self.base.as_ptr().cast(), self.bytes / size_of::<T>())
        }
    }

    /// The values, to write.
    ///
    /// # Safety
    /// The caller holds the write borrow as long as `'a`, and lets no two results live at a time; `T` as above.
    pub(crate) unsafe fn slice_mut<'a, T>(&self) -> &'a mut [T] {
        let length = self.bytes / size_of::<T>();
        // SAFETY: as above; the caller's write borrow keeps everybody else out.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().cast(), length) }
    }
}
