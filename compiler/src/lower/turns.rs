//! Turns: each does so many elements, one or several, that may be any that differ, those of a range or of a list; the last ones too,
//! however few they are. Those of a turn's list differ, since no element is listed again so near ([`crate::abi::APART`]).
//!
//! A range and a list have one way round in common: a second one would be half as much again to compile. What a turn begins
//! with - positions, and addresses of maps - is made before the one before ends, since all else waits for it.

use super::Lower;
use super::frame::Kept;
use crate::ir::{Block, Loop, Stmt, any_stmt};
use crate::opt::{Touched, has_loops};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, BlockArg, InstBuilder};

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

/// What a turn does.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) block: &'a Block,
    pub(super) elements: usize,
}

/// One element of fewer statements takes little longer than going round: its turns are those of a range.
const STATEMENTS_MIN: usize = 48;

impl Turn<'_> {
    /// What a loop's turns do, if its elements may be any.
    pub(super) fn of(it: &Loop) -> Option<Turn<'_>> {
        match &it.wide {
            Some(wide) => wide.covers_rest.then(|| Turn {
                block: &wide.block,
                elements: usize::from(wide.elements),
            }),
            None => is_long(&it.body.root).then_some(Turn {
                block: &it.body.root,
                elements: 1,
            }),
        }
    }

    /// Before which statement the next turn is made ready: late, and behind loops, which would do without its registers.
    fn nearly_done(&self) -> usize {
        let is_loop = |stmt: &Stmt| stmt.is_loop() || stmt.blocks().any(has_loops);
        let last = self.block.iter().rposition(is_loop);
        let len = self.block.len();
        last.map_or(0, |at| at + 1).max(len - len / 4)
    }
}

fn is_long(block: &Block) -> bool {
    let mut statements = 0;
    any_stmt(block, &mut |stmt| {
        statements += 1;
        statements >= STATEMENTS_MIN || stmt.is_loop()
    })
}

impl Lower<'_, '_> {
    /// Runs all elements, turn by turn.
    pub(super) fn turns(
        &mut self,
        turn: Turn<'_>,
        elems: clif::Value,
        (begin, end): (clif::Value, clif::Value),
    ) {
        let count = turn.elements;
        let [list, done] = [0; 2].map(|_| self.b.create_block());
        let (body, others) = self.at_once(count);
        let place = Kept::new(&mut self.b, 3);
        place.store(&mut self.b, ELEMS, elems);
        let last = self.b.ins().iadd_imm_s(end, -1);
        place.store(&mut self.b, LAST, last);
        let is_any = self.b.ins().icmp(IntCC::UnsignedLessThan, begin, end);
        let args = self.args;
        let mut first = vec![begin];
        self.add_positions(&mut first, last, count);
        first.extend(self.first_bases(Some(args)));
        let head = self.block_with(first.len());
        let first: Vec<BlockArg> = first.into_iter().map(BlockArg::Value).collect();
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
        let numbers = self.listed(elems, positions);
        let of_list = self.passed(others, &numbers);
        self.b.ins().jump(body, &of_list);

        self.b.switch_to_block(body);
        let numbers = self.b.block_params(body).to_vec();
        self.take_elements(&numbers, others);
        if let Some(next) = self.turn(turn, place) {
            let last = place.load(&mut self.b, LAST);
            let condition = IntCC::UnsignedLessThanOrEqual;
            let more = self.b.ins().icmp(condition, next[0], last);
            let next: Vec<BlockArg> = next.into_iter().map(BlockArg::Value).collect();
            self.b.ins().brif(more, head, &next, done, &[]);
        }
        self.b.switch_to_block(done);
    }

    /// The elements of a turn have these numbers.
    fn take_elements(&mut self, numbers: &[clif::Value], others: Option<Kept>) {
        self.element = Some(numbers[0]);
        self.b.def_var(self.element_var, numbers[0]);
        self.refill_steps();
        self.others = match (others, numbers) {
            (Some(kept), _) => Some(Others::Kept(kept)),
            (None, [_, other]) => Some(Others::Value(*other)),
            (None, _) => None,
        };
    }

    /// Does what a turn does, and makes the next ready, if its end is reached.
    fn turn(&mut self, turn: Turn<'_>, place: Kept) -> Option<Vec<clif::Value>> {
        let touched = Touched::of(&self.it.body, turn.block);
        let (block, len) = ((turn.block, &touched), turn.block.len());
        let late = turn.nearly_done();
        if !self.part(block, 0..late / 2) {
            return None;
        }
        self.end_beginning();
        if !self.part(block, late / 2..late) {
            return None;
        }
        let mut next = vec![place.load(&mut self.b, AT)];
        if turn.elements > 1 {
            let last = place.load(&mut self.b, LAST);
            self.add_positions(&mut next, last, turn.elements);
        }
        next.extend(self.first_bases(None));
        self.part(block, late..len).then_some(next)
    }

    /// Adds the positions that follow a turn's first; the last one in the place of those that are not there.
    fn add_positions(&mut self, to: &mut Vec<clif::Value>, last: clif::Value, count: usize) {
        let first = to[0];
        for after in 1..count {
            let own = self.b.ins().iadd_imm_s(first, after as i64);
            to.push(self.b.ins().umin(own, last));
        }
    }

    /// A block for so many elements, which takes their numbers, and where those but the first are kept if they are several.
    fn at_once(&mut self, count: usize) -> (clif::Block, Option<Kept>) {
        if count <= 2 {
            return (self.block_with(count), None);
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

    /// The elements at these positions of the list.
    fn listed(&mut self, elems: clif::Value, positions: &[clif::Value]) -> Vec<clif::Value> {
        let positions = positions.iter();
        positions
            .map(|position| self.list_entry(elems, *position))
            .collect()
    }
}
