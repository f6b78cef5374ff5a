//! Loaded code and what is known about it.
//!
//! Invariant: `Code` owns the memory that its entry lies in, so whoever calls keeps an `Arc<Code>`.

use super::memory::{CodeMemory, Entry};
use super::{HostTable, Image, Linker, LoadError};

/// What a cache keeps beside the code: its key and cost, counts, and a part of its table that is free. About.
const KEPT_BYTES: usize = 160;

/// A loop that can be called.
pub(crate) struct Code {
    memory: CodeMemory,
    entry: Entry,
    scratch_bytes: usize,
    /// Length of the object it was loaded from.
    object_bytes: usize,
}

impl Code {
    /// Validates and maps an object.
    pub(crate) fn load(
        object: &[u8],
        hosts: &HostTable,
        linker: &dyn Linker,
    ) -> Result<Code, LoadError> {
        let image = Image::parse(object, hosts)?;
        let memory = linker.link(&image)?;
        let entry = memory.entry();
        // At most a gibibyte, which `Image` checked.
        let scratch_bytes = image.scratch_bytes as usize;
        Ok(Code {
            memory,
            entry,
            scratch_bytes,
            object_bytes: object.len(),
        })
    }

    /// What to call; only while `self` lives.
    pub(crate) fn entry(&self) -> Entry {
        self.entry
    }

    /// Working memory that a call needs.
    pub(crate) fn scratch_bytes(&self) -> usize {
        self.scratch_bytes
    }

    /// Length of the object it was loaded from.
    pub(crate) fn object_bytes(&self) -> u64 {
        self.object_bytes as u64
    }

    /// What it occupies, for cache bounds: its pages, and what stands in the cache for it.
    pub(crate) fn weight_bytes(&self) -> u64 {
        (self.memory.mapped_bytes() + size_of::<Code>() + KEPT_BYTES) as u64
    }

    /// Address and length of its instructions.
    pub(crate) fn range(&self) -> (usize, usize) {
        self.memory.code_range()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (address, bytes) = self.range();
        write!(f, "Code({bytes} bytes at {address:#x})")
    }
}
