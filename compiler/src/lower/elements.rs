//! Which elements run, and how many at a time: those of a range, or of a list.

use super::Lower;
use crate::ir::Wide;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self as clif, BlockArg, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, types,
};
use cranelift_frontend::FunctionBuilder;

/// Where a loop is in its list of elements: in memory, because the elements need the registers.
#[derive(Clone, Copy)]
struct ListPlace(clif::StackSlot);

impl ListPlace {
    /// The list, the position that comes next, and the one behind the last.
    const ELEMS: i32 = 0;
    const AT: i32 = 8;
    const END: i32 = 16;

    fn new(
        b: &mut FunctionBuilder<'_>,
        elems: clif::Value,
        at: clif::Value,
        end: clif::Value,
    ) -> ListPlace {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 24, 3);
        let place = ListPlace(b.create_sized_stack_slot(data));
        place.store(b, ListPlace::ELEMS, elems);
        place.store(b, ListPlace::AT, at);
        place.store(b, ListPlace::END, end);
        place
    }

    fn load(self, b: &mut FunctionBuilder<'_>, offset: i32) -> clif::Value {
        b.ins().stack_load(types::I64, types::I64, self.0, offset)
    }

    fn store(self, b: &mut FunctionBuilder<'_>, offset: i32, value: clif::Value) {
        b.ins().stack_store(types::I64, value, self.0, offset);
    }
}

/// Where the numbers are of elements that run at once, but the first's.
#[derive(Clone, Copy)]
pub(super) enum Others {
    /// A single one.
    Value(clif::Value),
    /// In memory, one behind the other: several would take the registers of what is computed.
    Kept(clif::StackSlot),
}

impl Lower<'_, '_> {
    /// Runs all elements.
    pub(super) fn elements(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        let it = self.it;
        match it.wide.as_ref().filter(|wide| wide.covers_rest) {
            Some(wide) => self.together(wide, elems, (begin, end)),
            None => self.in_ranges(elems, begin, end),
        }
    }

    /// Runs the elements of a range, or of a list: there, each run of consecutive elements is a range.
    fn in_ranges(&mut self, elems: clif::Value, begin: clif::Value, end: clif::Value) {
        let list = self.block_with(1);
        let range = self.block_with(2);
        let next = self.b.create_block();
        let done = self.b.create_block();
        let listed = self.b.ins().icmp_imm_s(IntCC::NotEqual, elems, 0);
        let at = self.b.ins().select(listed, begin, end);
        let place = ListPlace::new(&mut self.b, elems, at, end);
        let whole = [begin, end].map(BlockArg::Value);
        self.b.ins().brif(listed, next, &[], range, &whole);

        self.b.switch_to_block(next);
        let at = place.load(&mut self.b, ListPlace::AT);
        let end = place.load(&mut self.b, ListPlace::END);
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
        place: ListPlace,
        end: clif::Value,
    ) {
        let longer = self.block_with(2);
        let test = self.b.create_block();
        let found = self.b.create_block();
        self.b.switch_to_block(list);
        let first_at = self.b.block_params(list)[0];
        let elems = place.load(&mut self.b, ListPlace::ELEMS);
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
        place.store(&mut self.b, ListPlace::AT, at);
        self.b.ins().jump(range, &[first, hi].map(BlockArg::Value));
    }

    fn list_entry(&mut self, elems: clif::Value, at: clif::Value) -> clif::Value {
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

    /// Runs the elements of a range or of a list several at a time, which may be any that differ, the last ones too however few
    /// they are.
    fn together(
        &mut self,
        wide: &Wide,
        elems: clif::Value,
        (begin, end): (clif::Value, clif::Value),
    ) {
        let count = usize::from(wide.elements);
        let [range, list] = [0, 1].map(|_| self.block_with(1));
        let [some, next_of_range, next_of_list, done] = [0; 4].map(|_| self.b.create_block());
        let (body, others) = self.at_once(count);
        let place = ListPlace::new(&mut self.b, elems, begin, end);
        let is_any = self.b.ins().icmp(IntCC::UnsignedLessThan, begin, end);
        let last = self.b.ins().iadd_imm_s(end, -1);
        self.b.ins().brif(is_any, some, &[], done, &[]);
        self.b.switch_to_block(some);
        let first = [BlockArg::Value(begin)];
        self.b.ins().brif(elems, list, &first, range, &first);

        self.b.switch_to_block(range);
        let first = self.b.block_params(range)[0];
        let mut at_once = vec![first];
        for after in 1..count {
            let own = self.b.ins().iadd_imm_s(first, after as i64);
            at_once.push(self.b.ins().umin(own, last));
        }
        self.run_at_once(body, others, &at_once);

        self.b.switch_to_block(list);
        let at = self.b.block_params(list)[0];
        let at_once = self.listed(place, at, count);
        self.run_at_once(body, others, &at_once);

        self.b.switch_to_block(body);
        let first = self.b.block_params(body)[0];
        self.element = Some(first);
        self.others = Some(match others {
            Some(slot) => Others::Kept(slot),
            None => Others::Value(self.b.block_params(body)[1]),
        });
        self.block(&wide.block);
        let is_list = place.load(&mut self.b, ListPlace::ELEMS);
        self.b
            .ins()
            .brif(is_list, next_of_list, &[], next_of_range, &[]);

        self.b.switch_to_block(next_of_range);
        let following = self.b.ins().iadd_imm_s(first, count as i64);
        self.go_on(following, last, range, done);
        self.b.switch_to_block(next_of_list);
        let following = place.load(&mut self.b, ListPlace::AT);
        self.go_on(following, last, list, done);
        self.b.switch_to_block(done);
    }

    /// A block for so many elements, which takes their numbers, and where those but the first are kept if they are several.
    fn at_once(&mut self, count: usize) -> (clif::Block, Option<clif::StackSlot>) {
        if count == 2 {
            return (self.block_with(2), None);
        }
        let size = 8 * (count as u32 - 1);
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3);
        let slot = self.b.create_sized_stack_slot(data);
        (self.block_with(1), Some(slot))
    }

    /// Runs such a block.
    fn run_at_once(
        &mut self,
        body: clif::Block,
        others: Option<clif::StackSlot>,
        numbers: &[clif::Value],
    ) {
        let mut passed = numbers.to_vec();
        if let Some(slot) = others {
            for (at, number) in passed.drain(1..).enumerate() {
                let offset = 8 * at as i32;
                self.b.ins().stack_store(types::I64, number, slot, offset);
            }
        }
        let passed: Vec<BlockArg> = passed.into_iter().map(BlockArg::Value).collect();
        self.b.ins().jump(body, &passed);
    }

    /// The number of an element that runs with the first.
    pub(super) fn element_after(&mut self, after: u8) -> clif::Value {
        match self.others.expect("several run at once") {
            Others::Value(number) => number,
            Others::Kept(slot) => {
                let offset = 8 * (i32::from(after) - 1);
                self.b
                    .ins()
                    .stack_load(types::I64, types::I64, slot, offset)
            }
        }
    }

    /// Goes to a block with what follows, unless that comes after the last.
    fn go_on(
        &mut self,
        following: clif::Value,
        last: clif::Value,
        again: clif::Block,
        done: clif::Block,
    ) {
        let condition = IntCC::UnsignedLessThanOrEqual;
        let more = self.b.ins().icmp(condition, following, last);
        let following = [BlockArg::Value(following)];
        self.b.ins().brif(more, again, &following, done, &[]);
    }

    /// The elements at a position of the list and behind it, until one is there twice: the one before, once more, in the place of
    /// that and all that follow. Leaves the position that comes after them.
    fn listed(&mut self, place: ListPlace, at: clif::Value, count: usize) -> Vec<clif::Value> {
        let elems = place.load(&mut self.b, ListPlace::ELEMS);
        let end = place.load(&mut self.b, ListPlace::END);
        let last = self.b.ins().iadd_imm_s(end, -1);
        let mut next = self.b.ins().iadd_imm_s(at, 1);
        let mut numbers = vec![self.list_entry(elems, at)];
        let mut differ: Option<clif::Value> = None;
        for after in 1..count {
            let own = self.b.ins().iadd_imm_s(at, after as i64);
            let own = self.b.ins().umin(own, last);
            let entry = self.list_entry(elems, own);
            for other in &numbers {
                let is_other = self.b.ins().icmp(IntCC::NotEqual, entry, *other);
                differ = Some(match differ {
                    Some(differ) => self.b.ins().band(differ, is_other),
                    None => is_other,
                });
            }
            let differ = differ.expect("there is an element before");
            let before = numbers[after - 1];
            numbers.push(self.b.ins().select(differ, entry, before));
            let counted = self.b.ins().uextend(types::I64, differ);
            next = self.b.ins().iadd(next, counted);
        }
        place.store(&mut self.b, ListPlace::AT, next);
        numbers
    }
}
