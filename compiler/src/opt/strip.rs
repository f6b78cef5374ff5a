//! Loops that touch nothing but their elements' own rows do four doubles at a time.
//!
//! They wait for memory, and vectors of 256 bits move it in half the instructions. The code generator has none of those, so the
//! statements, still in the IR and with the interpreter's meaning, become the steps of a strip (`microkernel::strip`), which
//! the loop calls for each long enough range. Elements are put together until all that a trip stores fills such vectors.

use super::across::{cost_of_trip, own_copy, twice, work};
use super::dead::used;
use super::{pack, stores, variables_set};
use crate::ir::{
    BinaryOp, Block, Body, Inst, Loop, Op, Place, Scalar, Stmt, Type, UnaryOp, Value, Var, Wide,
    for_each_operand, per_value,
};
use crate::microkernel::Strip;
use crate::microkernel::strip::{Arithmetic, Spot, Step};
use crate::options::Options;
use crate::signature::{Access, Iteration, Source};
use crate::target::{Level, Target};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// What a strip computes with.
pub(crate) const VECTOR: Type = Type::F64.with_lanes(4);

/// The most elements of one trip.
const ELEMENTS_MAX: u8 = 8;

/// The most instructions that accesses and arithmetic of a trip may have to be done twice in one.
const WORK_MAX: usize = 8;

/// The same where scalars are divided, or roots taken of them, which four elements do at once.
const SLOW_WORK_MAX: usize = 64;

/// The most statements that are done twice in a trip.
const STATEMENTS_MAX: usize = 256;

/// The most bytes from row to row, so that what a trip moves on by is an operand of an instruction.
const STRIDE_MAX: u64 = 1 << 24;

/// The sign of a double.
const SIGN: u64 = 1 << 63;

/// Statements of a loop for a strip, if it may have one: of one element or of several that follow each other.
pub(super) fn statements(it: &mut Loop, options: &Options, target: &Target) -> Option<Wide> {
    let has_vectors = matches!(target.level, Level::V3 | Level::V4);
    if !has_vectors || options.lanes < VECTOR.lanes || !is_allowed(it) {
        return None;
    }
    let mut block = it.body.root.clone();
    let stores = block
        .iter()
        .filter(|stmt| matches!(stmt, Stmt::Store { .. }))
        .count();
    if stores == 0 {
        return None;
    }
    // So many elements fill vectors, or none of at most as many do.
    let mut elements: u8 = match stores % 4 {
        0 => 1,
        2 => 2,
        _ => 4,
    };
    for done in [1, 2].into_iter().filter(|done| *done < elements) {
        block = twice(&mut it.body, block, done);
    }
    let fewest = loop {
        let packed = packed(&mut it.body, &block);
        if stores_vectors(&it.body, &packed) {
            break packed;
        }
        if !may_be_twice(elements, &block) {
            return None;
        }
        block = twice(&mut it.body, block, elements);
        elements *= 2;
    };
    let mut work = work(&it.body, &fewest);
    let is_slow = has_slow(&it.body, &fewest);
    let is_short = |work, elements| {
        work <= WORK_MAX || is_slow && work <= SLOW_WORK_MAX && elements < VECTOR.lanes
    };
    let mut more = Vec::new();
    while is_short(work, elements) && may_be_twice(elements, &block) {
        block = twice(&mut it.body, block, elements);
        (elements, work) = (2 * elements, 2 * work);
        more.push((elements, block.clone()));
    }
    let fewest_elements = elements >> more.len();
    // As many as registers suffice for.
    for (elements, block) in more.into_iter().rev() {
        let packed = packed(&mut it.body, &block);
        if stores_vectors(&it.body, &packed)
            && let Some(strip) = strip_of(it, elements, packed)
        {
            return Some(strip);
        }
    }
    strip_of(it, fewest_elements, fewest)
}

/// Whether as many elements once more are not too many.
fn may_be_twice(elements: u8, block: &Block) -> bool {
    elements < ELEMENTS_MAX && block.len() <= STATEMENTS_MAX
}

/// A copy of statements with what four doubles are at once packed: that changes what values are computed from.
fn packed(body: &mut Body, block: &Block) -> Block {
    let copy = own_copy(body, block);
    let packed = pack::pack_doubles_by_four(body, copy, None);
    used(body, packed)
}

/// A strip of packed statements, if registers suffice; stores of several elements to one row stand together if they do for that.
fn strip_of(it: &mut Loop, elements: u8, packed: Block) -> Option<Wide> {
    let packed = pack::pack_doubles_by_four(&mut it.body, packed, Some(elements));
    let mut grouped = used(&it.body, packed);
    let in_order = grouped.clone();
    stores::group_in(&it.body, &mut grouped);
    [grouped, in_order].into_iter().find_map(|block| {
        let strip = Wide {
            elements,
            covers_rest: false,
            is_strip: true,
            block,
        };
        let call = StripCall::of(it, &strip)?;
        call.strip.code().map(|_| strip)
    })
}

/// Gives a loop a strip if that takes less time than its elements by themselves.
pub(super) fn keep_cheaper(it: &mut Loop, strip: Wide, target: &Target) {
    let one = cost_of_trip(it, None, target);
    let one = one.saturating_mul(u32::from(strip.elements));
    if cost_of_trip(it, Some(&strip), target) < one && is_given_all(it, &strip.block) {
        it.wide = Some(strip);
    }
}

/// Whether what a strip takes from before the first element is still there.
fn is_given_all(it: &Loop, block: &Block) -> bool {
    let mut defined: SecondaryMap<Value, bool> = SecondaryMap::new();
    for stmt in it.before.iter().chain(block) {
        if let Stmt::Let(value) = stmt {
            defined[*value] = true;
        }
    }
    let mut is_there = true;
    for stmt in block {
        for_each_operand(&it.body, stmt, |operand| is_there &= defined[operand]);
    }
    is_there
}

/// Whether elements have only rows of their own, besides what they read or add up.
fn is_allowed(it: &Loop) -> bool {
    let mut args = it.signature.args.iter();
    it.signature.iteration == Iteration::Elements
        && args.all(|arg| match arg.source {
            Source::Direct | Source::Element => true,
            Source::Global => arg.access != Access::Write && arg.access != Access::Rw,
            _ => false,
        })
        && it.body.root.iter().all(|stmt| match stmt {
            Stmt::Let(value) => is_simple(&it.body.values[*value]),
            Stmt::Set(..) => true,
            Stmt::Store { place, .. } => matches!(place, Place::Row { .. }),
            _ => false,
        })
}

/// Whether strips have an instruction for an operation, or need none.
fn is_simple(Inst { op, ty }: &Inst) -> bool {
    let is_double = ty.scalar == Scalar::F64;
    match op {
        Op::Const(_) | Op::Element | Op::RowAddr { .. } => true,
        Op::Get(_) | Op::Fma(..) => is_double,
        Op::Load { place, .. } => is_double && matches!(place, Place::Row { .. }),
        Op::Unary(op, _) => is_double && matches!(op, UnaryOp::Sqrt | UnaryOp::Neg | UnaryOp::Abs),
        Op::Binary(op, ..) => is_double && arithmetic(*op).is_some(),
        _ => false,
    }
}

fn arithmetic(op: BinaryOp) -> Option<Arithmetic> {
    match op {
        BinaryOp::Add => Some(Arithmetic::Add),
        BinaryOp::Sub => Some(Arithmetic::Subtract),
        BinaryOp::Mul => Some(Arithmetic::Multiply),
        BinaryOp::Div => Some(Arithmetic::Divide),
        _ => None,
    }
}

/// Whether an instruction on a scalar is one of those that units do one after the other.
pub(super) fn is_slow(Inst { op, ty }: &Inst) -> bool {
    let is_slow = matches!(
        op,
        Op::Binary(BinaryOp::Div, ..) | Op::Unary(UnaryOp::Sqrt, _)
    );
    is_slow && *ty == Type::F64
}

fn has_slow(body: &Body, block: &Block) -> bool {
    block
        .iter()
        .any(|stmt| matches!(stmt, Stmt::Let(value) if is_slow(&body.values[*value])))
}

/// Whether all that is stored are vectors, and something is.
fn stores_vectors(body: &Body, block: &Block) -> bool {
    let mut stored = block.iter().filter_map(|stmt| match stmt {
        Stmt::Store { value, .. } => Some(body.ty(*value)),
        _ => None,
    });
    stored.next() == Some(VECTOR) && stored.all(|ty| ty == VECTOR)
}

/// The rows that an address of a strip walks over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Walk {
    pub(crate) base: Value,
    pub(crate) stride: u64,
}

/// A scalar that a strip gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    Value(Value),
    Bits(u64),
}

/// A strip and what it is given.
#[derive(Debug)]
pub(crate) struct StripCall {
    pub(crate) strip: Strip,
    pub(crate) walks: Vec<Walk>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) carried: Vec<Var>,
}

impl StripCall {
    /// The strip that does the statements of a loop for several elements, if there can be one.
    pub(crate) fn of(it: &Loop, wide: &Wide) -> Option<StripCall> {
        let mut translate = Translate {
            body: &it.body,
            walks: Vec::new(),
            inputs: Vec::new(),
            carried: Vec::new(),
            values: per_value(&it.body),
            steps: Vec::new(),
        };
        let set = variables_set(&it.before);
        wide.block
            .iter()
            .try_for_each(|stmt| translate.stmt(stmt, &set))?;
        translate.finish(wide.elements)
    }
}

/// A value of a strip before it is known how many come before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Input(usize),
    Carried(usize),
    Step(usize),
}

/// Statements being translated.
struct Translate<'a> {
    body: &'a Body,
    walks: Vec<Walk>,
    inputs: Vec<Input>,
    /// With what each of them is at the statement at hand.
    carried: Vec<(Var, Known)>,
    values: SecondaryMap<Value, Option<Known>>,
    steps: Vec<Step<Known>>,
}

impl Translate<'_> {
    fn stmt(&mut self, stmt: &Stmt, set: &BTreeSet<Var>) -> Option<()> {
        match stmt {
            Stmt::Let(value) => {
                let Inst { op, ty } = &self.body.values[*value];
                if ty.scalar == Scalar::F64 {
                    let known = self.instruction(op, *ty, set)?;
                    self.values[*value] = Some(known);
                }
            }
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                let (to, value) = (self.spot(*place, *index)?, self.value(*value)?);
                self.steps.push(Step::Store { to, value });
            }
            Stmt::Set(var, value) => {
                let (number, value) = (self.variable(*var, set)?, self.value(*value)?);
                self.carried[number].1 = value;
            }
            _ => return None,
        }
        Some(())
    }

    fn instruction(&mut self, op: &Op, ty: Type, set: &BTreeSet<Var>) -> Option<Known> {
        let is_wide = ty.lanes > 1;
        let step = match *op {
            Op::Const(0) if is_wide => Step::Zeros,
            Op::Const(bits) => return Some(self.bits(bits, is_wide)),
            Op::Get(var) => {
                let number = self.variable(var, set)?;
                return Some(self.carried[number].1);
            }
            Op::Load { place, index, .. } => Step::Load {
                from: self.spot(place, index)?,
                is_wide,
            },
            Op::Splat(a) => {
                let scalar = self.value(a)?;
                match self.lane(scalar) {
                    Some((vector, lane)) => Step::Spread(vector, lane),
                    None => Step::Splat(scalar),
                }
            }
            Op::Lane(a, lane) => Step::Lane(self.value(a)?, lane),
            Op::Unary(UnaryOp::Sqrt, a) => Step::SquareRoot(self.value(a)?),
            Op::Unary(UnaryOp::Neg, a) => {
                Step::Binary(Arithmetic::Xor, self.value(a)?, self.bits(SIGN, is_wide))
            }
            Op::Unary(UnaryOp::Abs, a) => {
                Step::Binary(Arithmetic::And, self.value(a)?, self.bits(!SIGN, is_wide))
            }
            Op::Binary(op, a, b) => Step::Binary(arithmetic(op)?, self.value(a)?, self.value(b)?),
            Op::Fma(a, b, c) => Step::MultiplyAdd(self.value(a)?, self.value(b)?, self.value(c)?),
            _ => return None,
        };
        Some(self.push(step))
    }

    /// The vector that a scalar is a lane of, if it is one.
    fn lane(&self, scalar: Known) -> Option<(Known, u8)> {
        match scalar {
            Known::Step(step) => match self.steps[step] {
                Step::Lane(vector, lane) => Some((vector, lane)),
                _ => None,
            },
            _ => None,
        }
    }

    fn push(&mut self, step: Step<Known>) -> Known {
        self.steps.push(step);
        Known::Step(self.steps.len() - 1)
    }

    /// A value, which comes in if no statement defines it.
    fn value(&mut self, value: Value) -> Option<Known> {
        if let Some(known) = self.values[value] {
            return Some(known);
        }
        (self.body.ty(value) == Type::F64).then(|| self.input(Input::Value(value)))
    }

    fn input(&mut self, input: Input) -> Known {
        Known::Input(number_of(&mut self.inputs, input))
    }

    /// A constant, of four lanes if it is wide.
    fn bits(&mut self, bits: u64, is_wide: bool) -> Known {
        let input = self.input(Input::Bits(bits));
        if !is_wide {
            return input;
        }
        let splat = Step::Splat(input);
        let known = self.steps.iter().position(|step| *step == splat);
        known.map_or_else(|| self.push(splat), Known::Step)
    }

    /// The number of a variable that has a value before the first trip.
    fn variable(&mut self, var: Var, set: &BTreeSet<Var>) -> Option<usize> {
        if !set.contains(&var) || self.body.vars[var] != Type::F64 {
            return None;
        }
        let known = self.carried.iter().position(|(carried, _)| *carried == var);
        Some(known.unwrap_or_else(|| {
            let number = self.carried.len();
            self.carried.push((var, Known::Carried(number)));
            number
        }))
    }

    /// Where an entry of a row is, of the first element or one that follows it.
    fn spot(&mut self, place: Place, index: Value) -> Option<Spot> {
        let Place::Row { addr, .. } = place else {
            return None;
        };
        let Op::RowAddr { base, row, stride } = self.body.values[addr].op else {
            return None;
        };
        if self.values[base].is_some() || stride > STRIDE_MAX {
            return None;
        }
        let element = self.elements_after(row)?;
        let entry = self.body.int_constant(index)?;
        let bytes = i64::from(Scalar::F64.bytes());
        let in_row = entry.checked_mul(bytes)?;
        let offset = in_row.checked_add(element.checked_mul(stride as i64)?)?;
        let pointer = number_of(&mut self.walks, Walk { base, stride });
        Some(Spot {
            pointer: u8::try_from(pointer).ok()?,
            offset: i32::try_from(offset).ok()?,
        })
    }

    /// How many elements after the first of a trip one is.
    fn elements_after(&self, row: Value) -> Option<i64> {
        match self.body.values[row].op {
            Op::Element => Some(0),
            Op::Binary(BinaryOp::Add, first, by) => {
                let is_first = self.body.values[first].op == Op::Element;
                self.body.int_constant(by).filter(|_| is_first)
            }
            _ => None,
        }
    }

    fn finish(self, elements: u8) -> Option<StripCall> {
        let (inputs, carried) = (self.inputs.len(), self.carried.len());
        let id = |known: Known| match known {
            Known::Input(number) => number,
            Known::Carried(number) => inputs + number,
            Known::Step(number) => inputs + carried + number,
        };
        // What two variables have each of the other would have to be swapped.
        let moves =
            self.carried.iter().enumerate().any(
                |(number, (_, last))| matches!(last, Known::Carried(other) if *other != number),
            );
        let bytes = |walk: &Walk| i32::try_from(walk.stride * u64::from(elements)).ok();
        let strip = Strip {
            pointers: self.walks.iter().map(bytes).collect::<Option<_>>()?,
            inputs,
            carried: self.carried.iter().map(|(_, last)| id(*last)).collect(),
            steps: self.steps.iter().map(|step| step.map(id)).collect(),
        };
        (!moves).then(|| StripCall {
            strip,
            walks: self.walks,
            inputs: self.inputs,
            carried: self.carried.into_iter().map(|(var, _)| var).collect(),
        })
    }
}

/// The number of an item in a list, where it is added if it is not there.
fn number_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    let known = list.iter().position(|known| *known == item);
    known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
