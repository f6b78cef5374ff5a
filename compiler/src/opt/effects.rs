//! What a block may change: variables and kinds of memory.

use super::simplify::{Memory, memory};
use crate::ir::{Block, Stmt, Var, for_each_stmt};
use cranelift_entity::EntityRef;
use std::collections::BTreeSet;

/// What a block may change.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// Variables that are set.
    pub(super) vars: BTreeSet<Var>,
    /// Memory that is stored to.
    pub(super) memory: BTreeSet<Memory>,
}

/// What `block` and the blocks inside may change.
pub(super) fn effects(block: &Block) -> Effects {
    let mut effects = Effects::default();
    for_each_stmt(block, &mut |stmt| match stmt {
        Stmt::Set(var, _) => {
            effects.vars.insert(*var);
        }
        Stmt::Store { place, .. } => {
            effects.memory.insert(memory(place));
        }
        Stmt::Clear(array) => {
            effects.memory.insert(Memory::Array(array.index() as u32));
        }
        _ => {}
    });
    effects
}
