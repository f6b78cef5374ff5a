//! A loop as IR: rows gathered, the kernel inlined, results scattered, with what runs before and after all elements.

use super::body::{Block, Body};
use super::kernel::ConstantSlot;
use crate::signature::Signature;

/// A loop over the elements of a set. `body.root` runs once for each element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loop {
    /// What the arguments are.
    pub signature: Signature,
    /// Kernel constants, by slot.
    pub constants: Vec<ConstantSlot>,
    /// Runs once before the first element; what it defines is visible everywhere.
    pub before: Block,
    /// Arenas, and the statements of one element.
    pub body: Body,
    /// Runs once after the last element.
    pub after: Block,
}
