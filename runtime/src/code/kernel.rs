//! Loaded code and what is known about it.
//!
//! Invariant: `Code` owns the memory that its entry lies in, so whoever calls keeps an `Arc<Code>`.

use super::memory::{CodeMemory, Entry};
use super::{HostTable, Image, Linker, LoadError};

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

    /// About what it occupies, for cache bounds.
    pub(crate) fn weight_bytes(&self) -> u64 {
        self.object_bytes as u64
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
