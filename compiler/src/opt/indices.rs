//! Indices that differ by a constant are one value and constants, so that accesses share an address and differ in its offset.
//!
//! Every index is taken apart as a sum of terms and a constant; the terms are added up once in the block that needs them, those
//! that change least first, so that loops around leave early terms outside.

use super::alias::access;
use super::linear::{Linear, Terms};
use crate::ir::{BinaryOp, Block, Body, Builder, Op, Stmt, Value};
use std::collections::BTreeMap;

/// Normalises the indices of a body's root.
pub(super) fn share_indices(body: &mut Body) {
    let mut taken = std::mem::take(body);
    let root = std::mem::take(&mut taken.root);
    let mut pass = Share {
        builder: Builder::new(taken),
        scopes: Vec::new(),
    };
    pass.block(root);
    *body = pass.builder.finish();
}

struct Share {
    builder: Builder,
    /// Sums that are there, in the blocks around, innermost last.
    scopes: Vec<BTreeMap<Terms, Value>>,
}

impl Share {
    fn block(&mut self, block: Block) {
        self.scopes.push(BTreeMap::new());
        self.builder.reserve(block.len());
        for mut stmt in block {
            if let Some((_, index, value, _)) = access(&self.builder.body, &stmt)
                && let Some(shared) = self.shared(index)
            {
                match &mut stmt {
                    Stmt::Store { index, .. } => *index = shared,
                    _ => {
                        if let Op::Load { index, .. } = &mut self.builder.body.values[value].op {
                            *index = shared;
                        }
                    }
                }
            }
            for inner in stmt.blocks_mut() {
                self.builder.open();
                self.block(std::mem::take(inner));
                *inner = self.builder.close();
            }
            self.builder.push(stmt);
        }
        self.scopes.pop();
    }

    /// An index as a shared sum and a constant; `None` if it is a constant or one value already.
    fn shared(&mut self, index: Value) -> Option<Value> {
        let body = &self.builder.body;
        if body.constant(index).is_some() {
            return None;
        }
        let Linear { terms, constant } = Linear::of(body, index);
        if terms.is_empty() {
            return Some(self.builder.i64(constant));
        }
        if terms[..] == [(index, 1)] {
            return None;
        }
        let sum = self.sum(&terms);
        Some(self.plus(sum, constant))
    }

    fn sum(&mut self, terms: &Terms) -> Value {
        if let Some(known) = self.scopes.iter().rev().find_map(|scope| scope.get(terms)) {
            return *known;
        }
        let (last, rest) = terms.split_last().expect("a sum has terms");
        let product = self.times(last.0, last.1);
        let sum = match rest {
            [] => product,
            rest => {
                let rest = self.sum(&rest.into());
                self.builder.binary(BinaryOp::Add, rest, product)
            }
        };
        let scope = self.scopes.last_mut().expect("a block is open");
        scope.insert(terms.clone(), sum);
        sum
    }

    fn times(&mut self, value: Value, factor: i64) -> Value {
        if factor == 1 {
            return value;
        }
        let factor = self.builder.i64(factor);
        self.builder.binary(BinaryOp::Mul, value, factor)
    }

    fn plus(&mut self, value: Value, constant: i64) -> Value {
        if constant == 0 {
            return value;
        }
        let constant = self.builder.i64(constant);
        self.builder.binary(BinaryOp::Add, value, constant)
    }
}
