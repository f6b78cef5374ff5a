//! Statements: control flow, variables, budgets.

use super::frame::Home;
use super::{Lower, Targets, abi};
use crate::ir::{Array, Block, Body, For, Label, Site, Stmt, Value, for_each_stmt};
use crate::opt::{Touched, filled};
use cranelift_codegen::ir::{
    self as clif, BlockArg, InstBuilder, MemFlagsData, condcodes::IntCC, types,
};
use std::ops::Range;

/// Arrays of up to this many 16-byte pieces are cleared without a loop.
const CLEAR_PIECES_MAX: u64 = 16;

impl Lower<'_, '_> {
    /// Translates a block; `false` if its end is not reached.
    pub(super) fn block(&mut self, block: &Block) -> bool {
        let touched = Touched::of(&self.it.body, block);
        self.part((block, &touched), 0..block.len())
    }

    /// Translates some statements of a block; `false` if their end is not reached.
    pub(super) fn part(&mut self, block: (&Block, &Touched), mut part: Range<usize>) -> bool {
        part.all(|at| self.stmt(at, block))
    }

    /// Clears an array, unless microkernels start with zeros in all of its entries.
    fn cleared(&mut self, array: Array, at: usize, block: (&Block, &Touched)) {
        let filled = filled(&self.it.body, block, at, array, self.target);
        self.fresh.extend(filled.nests);
        if !filled.is_whole {
            self.clear(array);
        }
    }

    /// Translates a statement of a block; `false` if its end is not reached.
    fn stmt(&mut self, at: usize, block: (&Block, &Touched)) -> bool {
        match &block.0[at] {
            Stmt::Let(value) => {
                self.define(*value);
                true
            }
            Stmt::Clear(array) => {
                self.cleared(*array, at, block);
                true
            }
            Stmt::Set(var, value) => {
                let value = self.value(*value);
                let variable = self.variable(*var);
                self.b.def_var(variable, value);
                true
            }
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                self.store(*place, *index, *value);
                true
            }
            Stmt::If { cond, then, other } => self.branch(*cond, then, other),
            Stmt::For(it) => {
                if !self.update(it) {
                    self.counted(it);
                }
                true
            }
            Stmt::Loop { label, site, body } => {
                self.repeat(*label, *site, body);
                true
            }
            Stmt::Block { label, body } => {
                let exit = self.b.create_block();
                self.inside(*label, Targets { exit, next: None }, body, exit);
                self.b.switch_to_block(exit);
                true
            }
            Stmt::Exit(label) => {
                let target = self.targets(*label).exit;
                self.b.ins().jump(target, &[]);
                false
            }
            Stmt::Continue(label) => {
                let target = self.targets(*label).next.expect("only loops are continued");
                self.b.ins().jump(target, &[]);
                false
            }
        }
    }

    fn targets(&self, label: Label) -> Targets {
        let found = self.labels.iter().rev().find(|(known, _)| *known == label);
        found.expect("labels are in scope").1
    }

    /// Translates the body of a labelled statement; when its end is reached it goes to `after`.
    fn inside(&mut self, label: Label, targets: Targets, body: &Block, after: clif::Block) {
        self.labels.push((label, targets));
        if self.nested(body) {
            self.b.ins().jump(after, &[]);
        }
        self.labels.pop();
    }

    /// Translates a block that does not run for every element, or runs many times.
    fn nested(&mut self, block: &Block) -> bool {
        self.nesting += 1;
        let reached = self.block(block);
        self.nesting -= 1;
        reached
    }

    fn branch(&mut self, cond: Value, then: &Block, other: &Block) -> bool {
        let cond = self.value(cond);
        let then_block = self.b.create_block();
        let other_block = self.b.create_block();
        let join = self.b.create_block();
        let other_target = if other.is_empty() { join } else { other_block };
        self.b.ins().brif(cond, then_block, &[], other_target, &[]);
        self.b.switch_to_block(then_block);
        let mut reached = other.is_empty();
        if self.nested(then) {
            self.b.ins().jump(join, &[]);
            reached = true;
        }
        if !other.is_empty() {
            self.b.switch_to_block(other_block);
            if self.nested(other) {
                self.b.ins().jump(join, &[]);
                reached = true;
            }
        }
        if reached {
            self.b.switch_to_block(join);
        }
        reached
    }

    fn counted(&mut self, it: &For) {
        let (lo, hi) = (self.value(it.lo), self.value(it.hi));
        let less = match it.step > 0 {
            true => IntCC::SignedLessThan,
            false => IntCC::SignedGreaterThan,
        };
        let head = self.block_with(1);
        let next = self.b.create_block();
        let exit = self.b.create_block();
        let first = [BlockArg::Value(lo)];
        if self.it.body.trips(it).is_some_and(|trips| trips > 0) {
            self.b.ins().jump(head, &first);
        } else {
            let some = self.b.ins().icmp(less, lo, hi);
            let enter = self.b.create_block();
            self.b.ins().brif(some, enter, &[], exit, &[]);
            self.b.switch_to_block(enter);
            if !is_known(&self.it.body, it) {
                self.spend_trips(it, lo, hi);
            }
            self.b.ins().jump(head, &first);
        }
        self.b.switch_to_block(head);
        let counter = self.b.block_params(head)[0];
        self.values[it.counter] = Some(counter);
        let targets = Targets {
            exit,
            next: Some(next),
        };
        self.inside(it.label, targets, &it.body, next);

        self.b.switch_to_block(next);
        let following = self.b.ins().iadd_imm_s(counter, it.step);
        let more = match last_counter(&self.it.body, it) {
            Some(last) => self.b.ins().icmp_imm_s(IntCC::NotEqual, following, last),
            None => self.more(it, counter, hi),
        };
        let again = [BlockArg::Value(following)];
        self.b.ins().brif(more, head, &again, exit, &[]);
        self.b.switch_to_block(exit);
    }

    /// Whether a trip follows the one of `counter`, computed without leaving the type's range.
    fn more(&mut self, it: &For, counter: clif::Value, hi: clif::Value) -> clif::Value {
        let left = self.distance(it.step, counter, hi);
        let size = it.step.unsigned_abs() as i64;
        let ins = self.b.ins();
        ins.icmp_imm_u(IntCC::UnsignedGreaterThan, left, size)
    }

    /// How far `to` is from `from` in the direction of `step`.
    fn distance(&mut self, step: i64, from: clif::Value, to: clif::Value) -> clif::Value {
        match step > 0 {
            true => self.b.ins().isub(to, from),
            false => self.b.ins().isub(from, to),
        }
    }

    /// Takes a loop's trip count from the budget; there is at least one trip.
    fn spend_trips(&mut self, it: &For, lo: clif::Value, hi: clif::Value) {
        let span = self.distance(it.step, lo, hi);
        let last = self.b.ins().iadd_imm_s(span, -1);
        let size = self
            .b
            .ins()
            .iconst(types::I64, it.step.unsigned_abs() as i64);
        let whole = self.b.ins().udiv(last, size);
        let trips = self.b.ins().iadd_imm_s(whole, 1);
        self.spend(trips, it.site);
    }

    fn repeat(&mut self, label: Label, site: Site, body: &Block) {
        let head = self.b.create_block();
        let exit = self.b.create_block();
        self.b.ins().jump(head, &[]);
        self.b.switch_to_block(head);
        let one = self.b.ins().iconst(types::I64, 1);
        self.spend(one, site);
        let targets = Targets {
            exit,
            next: Some(head),
        };
        self.inside(label, targets, body, head);
        self.b.switch_to_block(exit);
    }

    /// Takes `cost` steps from the element's budget, or fails.
    fn spend(&mut self, cost: clif::Value, site: Site) {
        let (variable, _) = self.steps.expect("a budget was prepared");
        let left = self.b.use_var(variable);
        let enough = self
            .b
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, left, cost);
        self.check(enough, abi::OUT_OF_STEPS, site, cost);
        let left = self.b.ins().isub(left, cost);
        self.b.def_var(variable, left);
    }

    /// Goes on if `good`, else fails.
    pub(super) fn check(&mut self, good: clif::Value, status: u32, site: Site, value: clif::Value) {
        let [go_on, bad] = [(), ()].map(|()| self.b.create_block());
        self.b.set_cold_block(bad);
        self.b.ins().brif(good, go_on, &[], bad, &[]);
        // What nobody needs who goes on is not made before the branch.
        self.b.switch_to_block(bad);
        let status = self.b.ins().iconst(types::I32, i64::from(status));
        let site = self.b.ins().iconst(types::I32, i64::from(site.as_u32()));
        let args = [status, site, value].map(BlockArg::Value);
        self.b.ins().jump(self.fail, &args);
        self.b.switch_to_block(go_on);
    }

    /// Declares the budget where something spends it.
    pub(super) fn prepare_steps(&mut self) {
        let body = &self.it.body;
        let mut spends = false;
        for_each_stmt(&body.root, &mut |stmt| match stmt {
            Stmt::Loop { .. } => spends = true,
            Stmt::For(it) => spends |= !is_known(body, it),
            _ => {}
        });
        if spends {
            let full = self.full_budget();
            let variable = self.b.declare_var(types::I64);
            self.b.def_var(variable, full);
            self.steps = Some((variable, full));
        }
    }

    pub(super) fn refill_steps(&mut self) {
        if let Some((variable, full)) = self.steps {
            self.b.def_var(variable, full);
        }
    }

    /// Zeroes an array, sixteen bytes at a time.
    fn clear(&mut self, array: Array) {
        if self.arrays[array].is_none() {
            return;
        }
        let data = self.it.body.arrays[array];
        let bytes = data.len * u64::from(data.scalar.bytes());
        let Home { base, offset } = self.home(array);
        let flags = self.array_flags(array);
        let zero = self.b.ins().iconst(types::I64, 0);
        let pieces = bytes / 16;
        let zeros = self
            .b
            .func
            .dfg
            .constants
            .insert([0u8; 16].as_slice().into());
        let wide = self.b.ins().vconst(types::I64X2, zeros);
        if pieces <= CLEAR_PIECES_MAX {
            for piece in 0..pieces {
                let at = offset + (piece * 16) as i32;
                self.b.ins().store(flags, wide, base, at);
            }
        } else {
            self.clear_loop(flags, wide, Home { base, offset }, pieces);
        }
        for at in pieces * 16..bytes {
            if at % 8 == 0 && at + 8 <= bytes {
                let at = offset + at as i32;
                self.b.ins().store(flags, zero, base, at);
            } else if at >= bytes / 8 * 8 {
                let at = offset + at as i32;
                self.b.ins().istore8(flags, zero, base, at);
            }
        }
    }

    fn clear_loop(&mut self, flags: MemFlagsData, wide: clif::Value, home: Home, pieces: u64) {
        let head = self.block_with(1);
        let exit = self.b.create_block();
        let start = self.b.ins().iconst(types::I64, 0);
        self.b.ins().jump(head, &[BlockArg::Value(start)]);
        self.b.switch_to_block(head);
        let at = self.b.block_params(head)[0];
        let address = self.b.ins().iadd(home.base, at);
        self.b.ins().store(flags, wide, address, home.offset);
        let at = self.b.ins().iadd_imm_s(at, 16);
        let end = (pieces * 16) as i64;
        let more = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, at, end);
        let again = [BlockArg::Value(at)];
        self.b.ins().brif(more, head, &again, exit, &[]);
        self.b.switch_to_block(exit);
    }
}

/// Whether a counted loop's trip count is known when compiling, so that it needs no budget.
fn is_known(body: &Body, it: &For) -> bool {
    body.trips(it).is_some()
}

/// What the counter of a loop of known length is after its last trip.
fn last_counter(body: &Body, it: &For) -> Option<i64> {
    let span = it.step.wrapping_mul(body.trips(it)? as i64);
    Some(body.int_constant(it.lo)?.wrapping_add(span))
}
