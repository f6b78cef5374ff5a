//! Several elements at once that may be any that differ: those of a range or of a list, the last ones too, however few they are.
//!
//! A range and a list have one way round in common: a second one would be half as much again to compile. What a turn begins
//! with - positions, and addresses of maps - is made before the one before ends, since all else waits for it.

use super::Lower;
use super::frame::Kept;
use crate::ir::Wide;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, BlockArg, InstBuilder, types};

/// Where a loop is, in memory, because the elements need the registers: the list if there is one, the position that comes after
/// the turn at hand, and the last one.
const ELEMS: i32 = Kept::offset(0);
const AT: i32 = Kept::offset(1);
const LAST: i32 = Kept::offset(2);

/// Where the numbers are of elements that run at once, but the first's.
#[derive(Clone, Copy)]
pub(super) enum Others {
    /// A single one.
    Value(clif::Value),
    /// In memory, one behind the other: several would take the registers of what is computed.
    Kept(Kept),
}

impl Lower<'_, '_> {
    pub(super) fn together(
        &mut self,
        wide: &Wide,
        elems: clif::Value,
        (begin, end): (clif::Value, clif::Value),
    ) {
        let count = usize::from(wide.elements);
        let [list, done] = [0; 2].map(|_| self.b.create_block());
        let (body, others) = self.at_once(count);
        let place = Kept::new(&mut self.b, 3);
        place.store(&mut self.b, ELEMS, elems);
        let last = self.b.ins().iadd_imm_s(end, -1);
        place.store(&mut self.b, LAST, last);
        let is_any = self.b.ins().icmp(IntCC::UnsignedLessThan, begin, end);
        let first = self.turn(begin, last, count);
        let head = self.block_with(first.len());
        self.b.ins().brif(is_any, head, &first, done, &[]);

        self.b.switch_to_block(head);
        let begun = self.b.block_params(head).to_vec();
        let (positions, bases) = begun.split_at(count);
        self.begin_turn(bases);
        let following = self.b.ins().iadd_imm_s(positions[0], count as i64);
        place.store(&mut self.b, AT, following);
        let of_range = self.passed(others, positions);
        let elems = place.load(&mut self.b, ELEMS);
        self.b.ins().brif(elems, list, &[], body, &of_range);

        self.b.switch_to_block(list);
        let numbers = self.listed(place, positions);
        let of_list = self.passed(others, &numbers);
        self.b.ins().jump(body, &of_list);

        self.b.switch_to_block(body);
        self.element = Some(self.b.block_params(body)[0]);
        self.others = Some(match others {
            Some(kept) => Others::Kept(kept),
            None => Others::Value(self.b.block_params(body)[1]),
        });
        let len = wide.block.len();
        self.part(&wide.block, 0..len / 2);
        self.end_beginning();
        self.part(&wide.block, len / 2..len - len / 4);
        let [following, last] = [AT, LAST].map(|offset| place.load(&mut self.b, offset));
        let next = self.turn(following, last, count);
        self.part(&wide.block, len - len / 4..len);
        let last = place.load(&mut self.b, LAST);
        let condition = IntCC::UnsignedLessThanOrEqual;
        let more = self.b.ins().icmp(condition, following, last);
        self.b.ins().brif(more, head, &next, done, &[]);
        self.b.switch_to_block(done);
    }

    /// What a turn begins with: so many positions from one on, the last one in the place of those that are not there; and
    /// addresses.
    fn turn(&mut self, at: clif::Value, last: clif::Value, count: usize) -> Vec<BlockArg> {
        let mut begun = vec![at];
        for after in 1..count {
            let own = self.b.ins().iadd_imm_s(at, after as i64);
            begun.push(self.b.ins().umin(own, last));
        }
        begun.extend(self.first_bases());
        begun.into_iter().map(BlockArg::Value).collect()
    }

    /// A block for so many elements, which takes their numbers, and where those but the first are kept if they are several.
    fn at_once(&mut self, count: usize) -> (clif::Block, Option<Kept>) {
        if count == 2 {
            return (self.block_with(2), None);
        }
        let kept = Kept::new(&mut self.b, count - 1);
        (self.block_with(1), Some(kept))
    }

    /// What such a block takes of elements with these numbers; the others are put where they are kept.
    fn passed(&mut self, others: Option<Kept>, numbers: &[clif::Value]) -> Vec<BlockArg> {
        let mut passed = numbers.to_vec();
        if let Some(kept) = others {
            for (at, number) in passed.drain(1..).enumerate() {
                kept.store(&mut self.b, Kept::offset(at), number);
            }
        }
        passed.into_iter().map(BlockArg::Value).collect()
    }

    /// The number of an element that runs with the first.
    pub(super) fn element_after(&mut self, after: u8) -> clif::Value {
        match self.others.expect("several run at once") {
            Others::Value(number) => number,
            Others::Kept(kept) => {
                let offset = Kept::offset(usize::from(after) - 1);
                kept.load(&mut self.b, offset)
            }
        }
    }

    /// The elements at these positions of the list, until one is there twice: the one before, once more, in the place of that and
    /// all that follow. Leaves the position that comes after them.
    fn listed(&mut self, place: Kept, positions: &[clif::Value]) -> Vec<clif::Value> {
        let elems = place.load(&mut self.b, ELEMS);
        let mut next = self.b.ins().iadd_imm_s(positions[0], 1);
        let mut numbers = vec![self.list_entry(elems, positions[0])];
        let mut differ: Option<clif::Value> = None;
        for position in &positions[1..] {
            let entry = self.list_entry(elems, *position);
            for other in &numbers {
                let is_other = self.b.ins().icmp(IntCC::NotEqual, entry, *other);
                differ = Some(match differ {
                    Some(differ) => self.b.ins().band(differ, is_other),
                    None => is_other,
                });
            }
            let differ = differ.expect("there is an element before");
            let before = *numbers.last().expect("there is an element before");
            numbers.push(self.b.ins().select(differ, entry, before));
            let counted = self.b.ins().uextend(types::I64, differ);
            next = self.b.ins().iadd(next, counted);
        }
        place.store(&mut self.b, AT, next);
        numbers
    }
}
