//! The factor of a fused multiply-add that is not used again goes first.
//!
//! The machine's instruction overwrites one of its three operands. The code generator takes the first, and copies it before if it
//! is still needed.

use crate::ir::{Block, Body, Op, Stmt, Value, for_each_operand};
use cranelift_entity::{EntitySet, SecondaryMap};

/// Orders the factors of a body's fused multiply-adds.
pub(super) fn order_factors(body: &mut Body) {
    let root = std::mem::take(&mut body.root);
    let values = body.values.len();
    let mut pass = Factors {
        depth: SecondaryMap::with_default(u32::MAX),
        used: EntitySet::with_capacity(values),
        body,
    };
    pass.depth.resize(values);
    pass.note(&root, 0);
    pass.block(&root, 0);
    body.root = root;
}

struct Factors<'a> {
    body: &'a mut Body,
    /// How many loops are around a value's definition; what is defined before all elements is needed by all.
    depth: SecondaryMap<Value, u32>,
    /// What the statements behind the one at hand use.
    used: EntitySet<Value>,
}

impl Factors<'_> {
    /// Notes where values are defined.
    fn note(&mut self, block: &Block, depth: u32) {
        for stmt in block {
            if let Stmt::Let(value) = stmt {
                self.depth[*value] = depth;
            }
            let inside = depth + u32::from(stmt.is_loop());
            stmt.blocks().for_each(|inner| self.note(inner, inside));
        }
    }

    /// Treats statements from the last to the first.
    fn block(&mut self, block: &Block, depth: u32) {
        for stmt in block.iter().rev() {
            let inside = depth + u32::from(stmt.is_loop());
            stmt.blocks().for_each(|inner| self.block(inner, inside));
            if let Stmt::Let(value) = stmt
                && let Op::Fma(a, b, c) = self.body.values[*value].op
                && !self.ends(a, depth)
                && self.ends(b, depth)
            {
                self.body.values[*value].op = Op::Fma(b, a, c);
            }
            let used = &mut self.used;
            for_each_operand(self.body, stmt, |operand| {
                used.insert(operand);
            });
        }
    }

    /// Whether nothing needs a value after the statement at hand: neither one behind it nor the next trip of the loop around.
    fn ends(&self, value: Value, depth: u32) -> bool {
        self.depth[value] == depth && !self.used.contains(value)
    }
}
