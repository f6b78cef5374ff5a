//! Short counted loops become straight-line code, so that arrays become values and nothing is counted.
//!
//! Innermost loops first; a loop is copied while its trip count and the copies' size stay within limits.

use crate::ir::{Block, Body, For, Inst, Label, Op, Stmt, Value, eval};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// The most statements that the copies of one loop may have.
const COPIES_SIZE_MAX: usize = 1024;

/// The most statements that all copies of one body may have.
const TOTAL_SIZE_MAX: usize = 8192;

/// Unrolls the loops of a body's root of at most `trips_max` trips.
pub(super) fn unroll(body: &mut Body, trips_max: u16) {
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Unroll {
        body,
        trips_max: u64::from(trips_max),
        budget: TOTAL_SIZE_MAX,
    };
    pass.block(&mut root);
    body.root = root;
}

struct Unroll<'a> {
    body: &'a mut Body,
    trips_max: u64,
    budget: usize,
}

impl Unroll<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut kept = Block::with_capacity(block.len());
        for mut stmt in std::mem::take(block) {
            for inner in stmt.blocks_mut() {
                self.block(inner);
            }
            match stmt {
                Stmt::For(it) if self.is_short(&it) => self.copies(&it, &mut kept),
                other => kept.push(other),
            }
        }
        *block = kept;
    }

    fn is_short(&mut self, it: &For) -> bool {
        let Some(trips) = trips(self.body, it) else {
            return false;
        };
        let size = size(&it.body).saturating_mul(trips as usize);
        let fits = trips <= self.trips_max && size <= COPIES_SIZE_MAX && size <= self.budget;
        let short = trips <= 1 || fits;
        // Leaving a loop early would need a block around all copies; such loops stay loops.
        let short = short && !names(&it.body, it.label);
        if short {
            self.budget = self.budget.saturating_sub(size);
        }
        short
    }

    fn copies(&mut self, it: &For, kept: &mut Block) {
        let lo = self.body.int_constant(it.lo).expect("bounds are constant");
        let trips = trips(self.body, it).expect("bounds are constant");
        for trip in 0..trips {
            let counter = lo.wrapping_add(it.step.wrapping_mul(trip as i64));
            let at = self.body.values.push(Inst {
                op: Op::Const(counter as u64),
                ty: self.body.ty(it.counter),
            });
            kept.push(Stmt::Let(at));
            let mut copy = Copy::new(self.body);
            copy.values[it.counter] = at.into();
            kept.extend(copy.block(&it.body));
        }
    }
}

/// How often a counted loop runs, if its bounds are constants.
pub(super) fn trips(body: &Body, it: &For) -> Option<u64> {
    let (lo, hi) = (body.int_constant(it.lo)?, body.int_constant(it.hi)?);
    Some(eval::trip_count(lo, hi, it.step))
}

fn size(block: &Block) -> usize {
    let mut count = 0;
    crate::ir::for_each_stmt(block, &mut |_| count += 1);
    count
}

fn names(block: &Block, label: Label) -> bool {
    let mut found = false;
    crate::ir::for_each_stmt(block, &mut |stmt| {
        found |= matches!(stmt, Stmt::Exit(l) | Stmt::Continue(l) if *l == label);
    });
    found
}

/// Copies statements, giving each copy its own values and labels.
pub(super) struct Copy<'a> {
    body: &'a mut Body,
    /// What a value has become in the copy.
    pub(super) values: SecondaryMap<Value, PackedOption<Value>>,
    labels: Vec<(Label, Label)>,
}

impl<'a> Copy<'a> {
    pub(super) fn new(body: &'a mut Body) -> Copy<'a> {
        Copy {
            body,
            values: SecondaryMap::new(),
            labels: Vec::new(),
        }
    }

    fn value(&self, value: Value) -> Value {
        self.values[value].expand().unwrap_or(value)
    }

    fn define(&mut self, value: Value) -> Value {
        let mut inst = self.body.values[value].clone();
        inst.op.map_operands(|v| self.value(v));
        let copy = self.body.values.push(inst);
        self.values[value] = copy.into();
        copy
    }

    fn open(&mut self, label: Label) -> Label {
        let copy = self.body.label();
        self.labels.push((label, copy));
        copy
    }

    fn label(&self, label: Label) -> Label {
        let own = self.labels.iter().rev().find(|(from, _)| *from == label);
        own.map_or(label, |(_, to)| *to)
    }

    pub(super) fn block(&mut self, block: &Block) -> Block {
        block.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        match stmt {
            Stmt::Let(value) => Stmt::Let(self.define(*value)),
            Stmt::Exit(label) => Stmt::Exit(self.label(*label)),
            Stmt::Continue(label) => Stmt::Continue(self.label(*label)),
            Stmt::Set(..) | Stmt::Store { .. } | Stmt::Clear(_) => {
                let mut copy = stmt.clone();
                copy.map_operands(|v| self.value(v));
                copy
            }
            Stmt::If { cond, then, other } => Stmt::If {
                cond: self.value(*cond),
                then: self.block(then),
                other: self.block(other),
            },
            Stmt::For(it) => {
                let label = self.open(it.label);
                let (lo, hi) = (self.value(it.lo), self.value(it.hi));
                let counter = self.define(it.counter);
                let body = self.block(&it.body);
                self.labels.pop();
                Stmt::For(Box::new(For {
                    label,
                    counter,
                    lo,
                    hi,
                    step: it.step,
                    site: it.site,
                    body,
                }))
            }
            Stmt::Loop { label, site, body } => {
                let label = self.open(*label);
                let body = self.block(body);
                self.labels.pop();
                let site = *site;
                Stmt::Loop { label, site, body }
            }
            Stmt::Block { label, body } => {
                let label = self.open(*label);
                let body = self.block(body);
                self.labels.pop();
                Stmt::Block { label, body }
            }
        }
    }
}
