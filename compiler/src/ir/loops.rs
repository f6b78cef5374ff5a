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
    /// Runs once before the first element of a call; what it defines is visible everywhere.
    pub before: Block,
    /// Arenas, and the statements of one element.
    pub body: Body,
    /// The statements of several elements at once, if there are any.
    pub wide: Option<Wide>,
    /// Runs once after the last element of a call.
    pub after: Block,
}

/// Statements that do for several elements what `body.root` does for one after the other. Nothing in it fails or spends steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wide {
    /// How many elements; `Op::Element` is the first of them. A strip may be of one.
    pub elements: u8,
    /// Whether it runs for fewer, too, and for any that differ, as they come in a list; for consecutive ones if not. Fewer run at
    /// the end: `Op::ElementAfter` is the last once more where there are no others, and what is done for those is left out. No element runs `body.root` then, and after all passes it is empty.
    pub covers_rest: bool,
    /// Whether it is run by machine code for it alone, which has vectors of four doubles; long enough ranges only.
    pub is_strip: bool,
    /// What runs for them.
    pub block: Block,
}

impl Loop {
    /// The blocks that elements run.
    pub(crate) fn element_blocks(&self) -> impl Iterator<Item = &Block> {
        let wide = self.wide.as_ref();
        let single = wide.is_none_or(|wide| !wide.covers_rest);
        let single = single.then_some(&self.body.root);
        single.into_iter().chain(wide.map(|wide| &wide.block))
    }

    /// All blocks, in the order they run.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        let wide = self.wide.as_ref().map(|wide| &wide.block);
        let each = [&self.before, &self.body.root].into_iter();
        each.chain(wide).chain([&self.after])
    }
}
