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
    /// The statements of several consecutive elements at once, if there are any.
    pub wide: Option<Wide>,
    /// Runs once after the last element.
    pub after: Block,
}

/// Statements that do for consecutive elements what `body.root` does for one after the other. Nothing in it fails or spends
/// steps, and it uses no local arrays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wide {
    /// How many elements; `Op::Element` is the first of them.
    pub elements: u8,
    /// What runs for them.
    pub block: Block,
}

impl Loop {
    /// All blocks, in the order they run.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        let wide = self.wide.as_ref().map(|wide| &wide.block);
        let each = [&self.before, &self.body.root].into_iter();
        each.chain(wide).chain([&self.after])
    }
}
