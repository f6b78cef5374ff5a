//! From object bytes to callable code.
//!
//! One direction: [`object`] parses and validates, [`link`] maps what is valid, [`memory`] owns what is mapped, in pages of an
//! [`arena`], [`kernel`] adds what a caller needs to know. Invariant: nothing is mapped that `object` has not accepted, whether it was compiled a
//! moment ago or read from a disk.

mod arena;
mod complex;
mod error;
mod invoke;
mod kernel;
mod link;
mod memory;
mod object;
mod plain;
#[cfg(target_arch = "x86_64")]
mod rank_update;
mod symbols;
#[cfg(test)]
mod tests;

pub use error::LoadError;
pub(crate) use kernel::Code;
pub(crate) use link::{CraneliftLinker, Linker};
#[cfg(test)]
pub(crate) use memory::CodeMemory;
pub use memory::Entry;
pub(crate) use object::Image;
pub(crate) use plain::{Failure, take_failure};
pub(crate) use symbols::HostTable;
