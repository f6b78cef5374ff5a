//! Which elements run, and how many at a time: those of a range, or of a list.

use super::Lower;
use super::frame::Kept;
use super::turns::Turn;
use crate::ir::Wide;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, BlockArg, InstBuilder, MemFlagsData, types};

/// Where a loop is in its list of elements, in memory, because the elements need the registers: the list, the position that comes
/// next, and the one behind the last.
const ELEMS: i32 = Kept::offset(0);
const AT: i32 = Kept::offset(1);
const END: i32 = Kept::offset(2);

impl Lower<'_, '_> {
    /// Runs all elements.
    pub(super) fn elements(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        self.keep_bases();
        match Turn::of(self.it) {
            Some(turn) => self.turns(turn, elems, (begin, end)),
            None => self.in_ranges(elems, begin, end),
        }
        self.forget_bases();
    }

    /// Runs the elements of a range, or of a list: there, each run of consecutive elements is a range.
    fn in_ranges(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        let list = self.block_with(1);
        let range = self.block_with(2);
        let next = self.b.create_block();
        let done = self.b.create_block();
        let listed = self.b.ins().icmp_imm_s(IntCC::NotEqual, elems, 0);
        let at = self.b.ins().select(listed, begin, end);
        let place = Kept::new(&mut self.b, 3);
        place.store(&mut self.b, ELEMS, elems);
        place.store(&mut self.b, AT, at);
        place.store(&mut self.b, END, end);
        let whole = [begin, end].map(BlockArg::Value);
        self.b.ins().brif(listed, next, &[], range, &whole);

        self.b.switch_to_block(next);
        let at = place.load(&mut self.b, AT);
        let end = place.load(&mut self.b, END);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, at, end);
        let args = [BlockArg::Value(at)];
        self.b.ins().brif(more, list, &args, done, &[]);

        self.run_of_list(list, range, place, end);
        self.range(range, next);
        self.b.switch_to_block(done);
    }

    /// Finds how far the list goes on with consecutive elements, and runs that range.
    fn run_of_list(
        &mut self,
        list: clif::Block,
        range: clif::Block,
        place: Kept,
        end: clif::Value,
    ) {
        let longer = self.block_with(2);
        let test = self.b.create_block();
        let found = self.b.create_block();
        self.b.switch_to_block(list);
        let first_at = self.b.block_params(list)[0];
        let elems = place.load(&mut self.b, ELEMS);
        let first = self.list_entry(elems, first_at);
        let hi = self.b.ins().iadd_imm_s(first, 1);
        let at = self.b.ins().iadd_imm_s(first_at, 1);
        let args = [hi, at].map(BlockArg::Value);
        self.b.ins().jump(longer, &args);

        self.b.switch_to_block(longer);
        let [hi, at] = self.b.block_params(longer)[..] else {
            unreachable!("a run has two parameters")
        };
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, at, end);
        self.b.ins().brif(more, test, &[], found, &[]);

        self.b.switch_to_block(test);
        let entry = self.list_entry(elems, at);
        let follows = self.b.ins().icmp(IntCC::Equal, entry, hi);
        let next_hi = self.b.ins().iadd_imm_s(hi, 1);
        let next_at = self.b.ins().iadd_imm_s(at, 1);
        let args = [next_hi, next_at].map(BlockArg::Value);
        self.b.ins().brif(follows, longer, &args, found, &[]);

        self.b.switch_to_block(found);
        place.store(&mut self.b, AT, at);
        self.b.ins().jump(range, &[first, hi].map(BlockArg::Value));
    }

    pub(super) fn list_entry(&mut self, elems: clif::Value, at: clif::Value) -> clif::Value {
        let offset = self.b.ins().ishl_imm_u(at, 2);
        let address = self.b.ins().iadd(elems, offset);
        let flags = MemFlagsData::trusted().with_readonly();
        let entry = self.b.ins().load(types::I32, flags, address, 0);
        self.b.ins().uextend(types::I64, entry)
    }

    pub(super) fn block_with(&mut self, params: usize) -> clif::Block {
        let block = self.b.create_block();
        for _ in 0..params {
            self.b.append_block_param(block, types::I64);
        }
        block
    }

    /// Runs elements `lo..hi`, then goes on with the list: several at a time while there are as many, then one by one.
    fn range(&mut self, range: clif::Block, next: clif::Block) {
        self.b.switch_to_block(range);
        let [lo, hi] = self.b.block_params(range)[..] else {
            unreachable!("a range has two parameters")
        };
        let it = self.it;
        let single = self.block_with(1);
        match &it.wide {
            Some(wide) if wide.is_strip => self.strip(wide, (lo, hi), single),
            Some(wide) => self.several(wide, (lo, hi), single),
            None => {
                self.b.ins().jump(single, &[BlockArg::Value(lo)]);
            }
        }
        let body = self.block_with(1);
        self.b.switch_to_block(single);
        let first = self.b.block_params(single)[0];
        let some = self.b.ins().icmp(IntCC::UnsignedLessThan, first, hi);
        let start = [BlockArg::Value(first)];
        self.b.ins().brif(some, body, &start, next, &[]);

        self.b.switch_to_block(body);
        let element = self.b.block_params(body)[0];
        self.element = Some(element);
        self.b.def_var(self.element_var, element);
        self.refill_steps();
        if self.block(&it.body.root) {
            let following = self.b.ins().iadd_imm_s(element, 1);
            let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, hi);
            let again = [BlockArg::Value(following)];
            self.b.ins().brif(more, body, &again, next, &[]);
        }
    }

    /// Runs elements from `lo` several at a time while all of them come before `hi`, then goes to `single` with the next.
    fn several(&mut self, wide: &Wide, (lo, hi): (clif::Value, clif::Value), single: clif::Block) {
        let body = self.block_with(1);
        let count = i64::from(wide.elements);
        let last = self.b.ins().iadd_imm_s(lo, count - 1);
        let some = self.b.ins().icmp(IntCC::UnsignedLessThan, last, hi);
        // The following element is compared with the first that is left: nothing else of an element is needed after it.
        let all = self.b.ins().isub(hi, lo);
        let done = self.b.ins().band_imm_s(all, -count);
        let left = self.b.ins().iadd(lo, done);
        let first = [BlockArg::Value(lo)];
        self.b.ins().brif(some, body, &first, single, &first);

        self.b.switch_to_block(body);
        let element = self.b.block_params(body)[0];
        self.element = Some(element);
        // What it knows of rows is not known where one element runs.
        let rows = self.rows.clone();
        self.block(&wide.block);
        self.rows = rows;
        let following = self.b.ins().iadd_imm_s(element, count);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, following, left);
        let again = [BlockArg::Value(following)];
        self.b.ins().brif(more, body, &again, single, &again);
    }
}
