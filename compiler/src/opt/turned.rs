//! Rows that are only combined entry by entry are combined before they are turned, not after: half as many shuffles.
//!
//! Two elements at once load rows of two doubles whole and turn them, so that one vector has the first entries and another the second
//! (`across`). Differences of coordinates are all that many kernels take of such rows, and they are the same before and after.

use crate::ir::{BinaryOp, Block, Body, Inst, Op, Stmt, Value, count_uses};
use cranelift_entity::SecondaryMap;
use rustc_hash::FxHashMap as HashMap;

/// Combines rows first in the run of a body's root.
pub(super) fn turn_late(body: &mut Body) {
    let root = std::mem::take(&mut body.root);
    let mut pass = Turned {
        uses: count_uses(body, &root),
        body,
        halves: HashMap::default(),
        combined: Vec::new(),
    };
    for (at, stmt) in root.iter().enumerate() {
        if let Stmt::Let(value) = stmt {
            pass.combine(*value, at);
        }
    }
    let combined = pass.combined;
    body.root = match combined.is_empty() {
        true => root,
        false => with_combined(root, combined),
    };
}

/// Two rows that are turned: the vectors, one of each element.
type Rows = (Value, Value);

/// A lane of rows combined with the same lane of others.
type Half = (BinaryOp, Rows, Rows, u8);

struct Turned<'a> {
    body: &'a mut Body,
    uses: SecondaryMap<Value, u32>,
    /// Which statement combines one lane of rows, and its value.
    halves: HashMap<Half, (usize, Value)>,
    /// Rows combined, and in front of which statement.
    combined: Vec<(usize, [Value; 2])>,
}

impl Turned<'_> {
    /// Combines rows whose lanes a statement is the second to combine.
    fn combine(&mut self, value: Value, at: usize) {
        let Inst { op, ty } = &self.body.values[value];
        let (Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul), a, b), ty) =
            (op.clone(), *ty)
        else {
            return;
        };
        let (Some((first, lane)), Some((second, other))) = (self.rows(a), self.rows(b)) else {
            return;
        };
        if lane != other {
            return;
        }
        let half = |lane| (op, first, second, lane);
        let Some((before, earlier)) = self.halves.remove(&half(1 - lane)) else {
            self.halves.insert(half(lane), (at, value));
            return;
        };
        let mut row = |a, b| {
            let op = Op::Binary(op, a, b);
            self.body.values.push(Inst { op, ty })
        };
        let rows = [row(first.0, second.0), row(first.1, second.1)];
        for (value, lane) in [(earlier, 1 - lane), (value, lane)] {
            self.body.values[value].op = Op::Shuffle(rows[0], rows[1], [lane, 2 + lane, 0, 0]);
        }
        self.combined.push((before, rows));
    }

    /// The rows that a vector has one lane of, and which, if it is used once.
    fn rows(&self, value: Value) -> Option<(Rows, u8)> {
        let Inst { op, ty } = &self.body.values[value];
        match *op {
            Op::Shuffle(a, b, [lane @ (0 | 1), other, ..])
                if ty.lanes == 2 && other == 2 + lane && self.uses[value] == 1 =>
            {
                Some(((a, b), lane))
            }
            _ => None,
        }
    }
}

/// The statements with combined rows in front of those that first need them.
fn with_combined(root: Block, mut combined: Vec<(usize, [Value; 2])>) -> Block {
    combined.sort_by_key(|(at, _)| *at);
    let mut all = Block::with_capacity(root.len() + 2 * combined.len());
    let mut combined = combined.into_iter().peekable();
    for (at, stmt) in root.into_iter().enumerate() {
        while let Some((_, rows)) = combined.next_if(|(to, _)| *to == at) {
            all.extend(rows.map(Stmt::Let));
        }
        all.push(stmt);
    }
    all
}
