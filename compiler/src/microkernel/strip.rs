//! Strips: machine code for elements one after the other whose statements are straight and touch nothing but their own rows.
//!
//! Such loops wait for memory more than for arithmetic, and 256 bits move it in half the instructions that the code generator's
//! 128 take. What a trip does is a list of steps, each of which may define a value of one double or of four; registers are
//! assigned in one walk, and where sixteen do not suffice there is no strip. The code has two arguments: the address of a frame,
//! where addresses, scalars and what is carried from trip to trip stand one behind the other in eight bytes each, and the number
//! of trips, which is not zero. It does nothing but load, compute and store, and leaves in the frame what was carried.

mod registers;

use super::asm::{Address, Assembler, Memory, Operand, Vector, Width};
use crate::ir::Scalar;
use registers::Registers;
use std::collections::BTreeSet;

/// Addresses of rows, which trips move on.
const POINTERS: [Address; 7] = [
    Address::Rax,
    Address::Rcx,
    Address::Rdx,
    Address::R8,
    Address::R9,
    Address::R10,
    Address::R11,
];

const FRAME: Address = Address::Rdi;
const TRIPS: Address = Address::Rsi;

/// How far ahead of a trip the lines are asked for that it only stores to, in bytes, or a little more. Processors look ahead for
/// what is loaded, less so for what is stored; measured, from 256 to 2048 all the same.
const AHEAD: i32 = 512;

/// What memory is moved in.
const LINE_BYTES: i32 = 64;

/// Size of an entry of the frame.
pub(crate) const ENTRY_BYTES: i32 = 8;

/// The number of a value: first what comes in, then what is carried, then those of the steps, whether they define one or not.
pub(crate) type Id = usize;

/// Where a row's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spot {
    pub(crate) pointer: u8,
    pub(crate) offset: i32,
}

/// Arithmetic of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Of bits, as all that follow.
    And,
    Xor,
}

/// One step of a trip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step<V = Id> {
    /// Loads one double, or four.
    Load {
        from: Spot,
        is_wide: bool,
    },
    Store {
        to: Spot,
        value: V,
    },
    /// Four zeros.
    Zeros,
    /// A scalar four times.
    Splat(V),
    /// One of four.
    Lane(V, u8),
    /// One of four, four times.
    Spread(V, u8),
    SquareRoot(V),
    Binary(Arithmetic, V, V),
    /// `a * b + c`, rounded once.
    MultiplyAdd(V, V, V),
}

impl<V: Copy> Step<V> {
    /// The step with other values.
    pub(crate) fn map<W>(self, value: impl Fn(V) -> W) -> Step<W> {
        match self {
            Step::Load { from, is_wide } => Step::Load { from, is_wide },
            Step::Store { to, value: stored } => Step::Store {
                to,
                value: value(stored),
            },
            Step::Zeros => Step::Zeros,
            Step::Splat(a) => Step::Splat(value(a)),
            Step::Lane(a, lane) => Step::Lane(value(a), lane),
            Step::Spread(a, lane) => Step::Spread(value(a), lane),
            Step::SquareRoot(a) => Step::SquareRoot(value(a)),
            Step::Binary(op, a, b) => Step::Binary(op, value(a), value(b)),
            Step::MultiplyAdd(a, b, c) => Step::MultiplyAdd(value(a), value(b), value(c)),
        }
    }
}

impl Step {
    fn operands(self) -> impl Iterator<Item = Id> {
        let all = match self {
            Step::Load { .. } | Step::Zeros => [None; 3],
            Step::Store { value: a, .. }
            | Step::Splat(a)
            | Step::Lane(a, _)
            | Step::Spread(a, _)
            | Step::SquareRoot(a) => [Some(a), None, None],
            Step::Binary(_, a, b) => [Some(a), Some(b), None],
            Step::MultiplyAdd(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        all.into_iter().flatten()
    }

    /// The operand that may be in memory.
    fn last_operand(self) -> Option<Id> {
        match self {
            Step::Splat(a) => Some(a),
            Step::Binary(Arithmetic::And | Arithmetic::Xor, ..) => None,
            Step::Binary(_, a, b) | Step::MultiplyAdd(a, b, _) if a != b => Some(b),
            _ => None,
        }
    }
}

/// Steps, with all but their addresses and scalars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Strip {
    /// Bytes that a trip moves each address on by.
    pub(crate) pointers: Vec<i32>,
    /// How many scalars come in.
    pub(crate) inputs: usize,
    /// What is carried to the next trip, in the place of what this one got.
    pub(crate) carried: Vec<Id>,
    pub(crate) steps: Vec<Step>,
}

impl Strip {
    /// The number of the value that a step defines.
    pub(crate) fn id_of(&self, step: usize) -> Id {
        self.first_step() + step
    }

    fn first_step(&self) -> usize {
        self.inputs + self.carried.len()
    }

    /// The code, if registers suffice.
    pub(crate) fn code(&self) -> Option<Vec<u8>> {
        if self.pointers.len() > POINTERS.len() {
            return None;
        }
        let mut registers = Registers::of(self)?;
        let mut asm = Assembler::new(Scalar::F64, false);
        self.start(&mut asm, &registers);
        asm.align();
        let again = asm.label();
        for (at, step) in self.steps.iter().enumerate() {
            self.step(&mut asm, &mut registers, at, *step)?;
        }
        for (number, value) in self.carried.iter().enumerate() {
            let (home, is) = (registers.homes[number], registers.register(*value)?);
            if home != is {
                asm.copy(home, Width::Bits128, is);
            }
        }
        self.ask_ahead(&mut asm);
        for (pointer, by) in POINTERS.iter().zip(&self.pointers) {
            asm.advance(*pointer, *by);
        }
        asm.count_down(TRIPS, again);
        for (number, home) in registers.homes.iter().enumerate() {
            let to = self.entry(self.pointers.len() + self.inputs + number);
            asm.store(*home, Width::One, to);
        }
        asm.leave_at_once();
        Some(asm.finish())
    }

    /// Asks for the lines that a later trip will store to, of rows that are not loaded from.
    fn ask_ahead(&self, asm: &mut Assembler) {
        let (mut loaded, mut lines) = (BTreeSet::new(), BTreeSet::new());
        for step in &self.steps {
            match step {
                Step::Load { from, .. } => {
                    loaded.insert(from.pointer);
                }
                Step::Store { to, .. } => {
                    lines.insert((to.pointer, to.offset.div_euclid(LINE_BYTES)));
                }
                _ => {}
            }
        }
        lines.retain(|(pointer, _)| !loaded.contains(pointer));
        for (pointer, line) in lines {
            // So many trips.
            let by = self.pointers[usize::from(pointer)].max(1);
            let ahead = (AHEAD + by - 1) / by * by;
            let offset = line * LINE_BYTES + ahead;
            asm.prefetch_to_store(place(Spot { pointer, offset }));
        }
    }

    fn entry(&self, number: usize) -> Memory {
        Memory {
            base: FRAME,
            offset: ENTRY_BYTES * number as i32,
        }
    }

    /// Loads what is the same in all trips, and what the first one gets.
    fn start(&self, asm: &mut Assembler, registers: &Registers) {
        for (number, pointer) in POINTERS.iter().enumerate().take(self.pointers.len()) {
            asm.load_address_from(*pointer, self.entry(number));
        }
        let scalar = |value: Id| self.entry(self.pointers.len() + value);
        for value in 0..self.first_step() {
            if let Some(register) = registers.assigned[value] {
                asm.load(register, Width::One, scalar(value), false);
            }
        }
        for (at, step) in self.steps.iter().enumerate() {
            let Some(register) = registers.assigned[self.id_of(at)] else {
                continue;
            };
            match *step {
                Step::Splat(value) => {
                    asm.broadcast(register, Width::Bits256, scalar(value));
                }
                Step::Zeros => asm.zero(register),
                _ => {}
            }
        }
    }

    /// Whether a step is the same in all trips, and done before the first.
    fn is_early(&self, step: Step) -> bool {
        match step {
            Step::Zeros => true,
            Step::Splat(value) => value < self.inputs,
            _ => false,
        }
    }

    fn step(
        &self,
        asm: &mut Assembler,
        registers: &mut Registers,
        at: usize,
        step: Step,
    ) -> Option<()> {
        let id = self.id_of(at);
        let is_done = self.is_early(step) || registers.in_memory[id].is_some();
        if is_done || !registers.is_needed[at] {
            return Some(());
        }
        let width = registers.width(id);
        match step {
            Step::Load { from, .. } => asm.load(registers.take(id)?, width, place(from), false),
            Step::Store { to, value } => {
                let from = registers.register(value)?;
                asm.store(from, registers.width(value), place(to));
                registers.release(at, step);
            }
            Step::Splat(value) => {
                let from = registers.operand(value)?;
                registers.release(at, step);
                let to = registers.take(id)?;
                match from {
                    Operand::Memory(from) => asm.broadcast(to, width, from),
                    _ => asm.broadcast_first(to, registers.register(value)?),
                }
            }
            Step::Lane(value, lane) => self.lane(asm, registers, at, (value, lane))?,
            Step::Spread(value, lane) => {
                let from = registers.register(value)?;
                registers.release(at, step);
                asm.spread(registers.take(id)?, from, lane);
            }
            Step::SquareRoot(value) => {
                let from = registers.register(value)?;
                registers.release(at, step);
                asm.square_root(registers.take(id)?, width, from);
            }
            Step::Binary(op, a, b) => {
                let (left, right) = (registers.register(a)?, registers.operand(b)?);
                registers.release(at, step);
                binary(asm, op, registers.take(id)?, width, left, right);
            }
            Step::MultiplyAdd(a, b, c) => self.multiply_add(asm, registers, at, (a, b, c))?,
            Step::Zeros => {}
        }
        Some(())
    }

    fn lane(
        &self,
        asm: &mut Assembler,
        registers: &mut Registers,
        at: usize,
        (vector, lane): (Id, u8),
    ) -> Option<()> {
        let id = self.id_of(at);
        if lane == 0 {
            registers.share(id, vector)?;
            registers.release(at, self.steps[at]);
            return Some(());
        }
        let from = registers.register(vector)?;
        let upper = self.lane_before(registers, at, vector);
        registers.release(at, self.steps[at]);
        let to = registers.take(id)?;
        match (lane, upper) {
            (1, _) => asm.second_double(to, from),
            (3, Some(upper)) => asm.second_double(to, upper),
            _ => asm.upper_half(to, from, Width::Bits256),
        }
        if lane == 3 && upper.is_none() {
            asm.second_double(to, to);
        }
        Some(())
    }

    /// Where the third of four doubles is, if a step before took it out.
    fn lane_before(&self, registers: &Registers, at: usize, vector: Id) -> Option<Vector> {
        let third = Step::Lane(vector, 2);
        let known = self.steps[..at].iter().position(|step| *step == third)?;
        let id = self.id_of(known);
        let is_there = registers.is_needed[known] && !registers.is_over[id];
        registers.register(id).filter(|_| is_there)
    }

    /// In the place of what is added to, if that is not needed any more; else in that of none that is read.
    fn multiply_add(
        &self,
        asm: &mut Assembler,
        registers: &mut Registers,
        at: usize,
        (a, b, c): (Id, Id, Id),
    ) -> Option<()> {
        let id = self.id_of(at);
        let (left, right) = (registers.register(a)?, registers.operand(b)?);
        let sum = registers.register(c)?;
        let width = registers.width(id);
        let is_free = registers.ends(c, at) && c != a && c != b;
        let over = is_free.then(|| registers.take_over(id, sum)).flatten();
        let to = match over {
            Some(to) => {
                registers.is_over[c] = true;
                to
            }
            None => {
                let to = registers.take(id)?;
                asm.copy(to, width.max(Width::Bits128), sum);
                to
            }
        };
        registers.release(at, self.steps[at]);
        asm.multiply_add(to, width, left, right);
        Some(())
    }
}

/// Writes arithmetic of two operands; of bits there are whole vectors only.
fn binary(
    asm: &mut Assembler,
    op: Arithmetic,
    to: Vector,
    width: Width,
    left: Vector,
    right: Operand,
) {
    let whole = width.max(Width::Bits128);
    match op {
        Arithmetic::Add => asm.add(to, width, left, right),
        Arithmetic::Subtract => asm.subtract(to, width, left, right),
        Arithmetic::Multiply => asm.multiply(to, width, left, right),
        Arithmetic::Divide => asm.divide(to, width, left, right),
        Arithmetic::And => asm.and(to, whole, left, right),
        Arithmetic::Xor => asm.xor(to, whole, left, right),
    }
}

fn place(Spot { pointer, offset }: Spot) -> Memory {
    Memory {
        base: POINTERS[usize::from(pointer)],
        offset,
    }
}
