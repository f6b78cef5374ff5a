//! What statements use.

use super::{Block, Body, Stmt, Value, for_each_stmt};
use cranelift_entity::SecondaryMap;

/// A map with a place for each value that there is; more may follow.
pub(crate) fn per_value<V: Clone + Default>(body: &Body) -> SecondaryMap<Value, V> {
    let mut map = SecondaryMap::new();
    map.resize(body.values.len());
    map
}

/// Calls `f` on each value that a statement uses: those of what it defines, too, but not those inside its blocks.
pub(crate) fn for_each_operand(body: &Body, stmt: &Stmt, mut f: impl FnMut(Value)) {
    stmt.for_each_operand(&mut f);
    if let Stmt::Let(value) = stmt {
        body.values[*value].op.for_each_operand(&mut f);
    }
}

/// How often a block and the blocks inside use each value.
pub(crate) fn count_uses(body: &Body, root: &Block) -> SecondaryMap<Value, u32> {
    let mut uses: SecondaryMap<Value, u32> = per_value(body);
    for_each_stmt(root, &mut |stmt| {
        for_each_operand(body, stmt, |value| uses[value] += 1)
    });
    uses
}
