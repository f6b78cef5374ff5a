//! Maps an accepted object: a small trait, so that another generator's objects can join, and the one for Cranelift's.
//!
//! Code and data are copied into one run of pages, the addresses that relocations name are written, and the pages become executable:
//! no name is looked up and nothing can be missing, for an [`Image`] has the address of each function and the bytes of each part.
//! Cranelift's own JIT module does the same in twice the time, panics on what it does not know, looks through the whole process
//! for names it was not told, and leaks unless it is freed by hand.

use super::LoadError;
use super::memory::{CodeMemory, Draft};
use super::object::{Image, Relocation, Target};

/// Maps accepted objects of one code generator.
pub(crate) trait Linker: Send + Sync {
    /// The name that entries on disk are marked with.
    fn generator(&self) -> &'static str;

    /// Maps the code and data of `image` and fills in its addresses.
    fn link(&self, image: &Image<'_>) -> Result<CodeMemory, LoadError>;
}

/// For objects that Cranelift made.
pub(crate) struct CraneliftLinker;

impl Linker for CraneliftLinker {
    fn generator(&self) -> &'static str {
        "cranelift"
    }

    fn link(&self, image: &Image<'_>) -> Result<CodeMemory, LoadError> {
        let plan = Plan::of(image);
        let mut draft = Draft::new(plan.bytes)?;
        let base = draft.address();
        let bytes = draft.bytes();
        put(bytes, 0, image.code.bytes);
        for (part, start) in image.data.iter().zip(&plan.starts) {
            put(bytes, *start, part.bytes);
        }
        for relocation in &image.relocations {
            let address = plan.address(image, relocation, base) as u64;
            put(bytes, relocation.offset as usize, &address.to_ne_bytes());
        }
        draft.finish(image.code.bytes.len())
    }
}

/// Where the parts of an image lie in its pages: the code, then its data. Together they become executable in one call, and a small loop
/// has one page.
struct Plan {
    /// Where each part of the data starts.
    starts: Vec<usize>,
    /// Length of all.
    bytes: usize,
}

/// Code and data share no cache line.
const LINE: usize = 64;

impl Plan {
    fn of(image: &Image<'_>) -> Plan {
        let mut plan = Plan {
            starts: Vec::with_capacity(image.data.len()),
            bytes: image.code.bytes.len(),
        };
        for part in &image.data {
            // At most a page, which `Image` checked, and the memory starts at one.
            let alignment = (part.alignment as usize).max(LINE);
            let start = plan.bytes.next_multiple_of(alignment);
            plan.starts.push(start);
            plan.bytes = start + part.bytes.len();
        }
        plan
    }

    /// What a relocation's place is to hold, in memory at `base`.
    fn address(&self, image: &Image<'_>, relocation: &Relocation, base: usize) -> usize {
        match relocation.target {
            Target::Import(import) => image.imports[import].1.pointer().expose_provenance(),
            Target::Code { offset } => base + offset as usize,
            Target::Data { part, offset } => base + self.starts[part] + offset as usize,
        }
    }
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..][..what.len()].copy_from_slice(what);
}
