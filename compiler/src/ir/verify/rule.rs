//! The rules of sound IR, each with what broke it.

use crate::ir::body::{Label, Value};
use crate::ir::types::{Scalar, Type};

/// A rule that is broken, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("statement {statement}: {rule}")]
pub struct VerifyError {
    /// The statement, counted from 1 in the order of the text; 0 for the declarations.
    pub statement: usize,
    /// What is wrong with it.
    pub rule: Rule,
}

/// A rule of sound IR, broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// A type with a number of lanes that does not exist, or an address where none may be.
    #[error("the type {0} can't be used here")]
    BadType(Type),
    /// A local array or table of no entries or too many.
    #[error("a length of {0} is out of range")]
    BadLength(u64),
    /// A constant that is not of its type.
    #[error("the bits {0:#x} are beyond their type")]
    BadBits(u64),
    /// Something that is in no arena.
    #[error("{0}{1} is not declared")]
    NoSuchEntry(&'static str, u32),
    /// A use before the definition, or outside of its block.
    #[error("{0} is not visible")]
    NotVisible(Value),
    /// Two definitions of one value.
    #[error("{0} is defined twice")]
    DefinedTwice(Value),
    /// A value of another type than the place where it stands asks for.
    #[error("{value} is {found}, not {wanted}")]
    Mismatch {
        /// The value.
        value: Value,
        /// Its type.
        found: Type,
        /// What is asked for.
        wanted: Type,
    },
    /// An instruction that does not exist for the type of its result or operands.
    #[error("{name} is not an operation of {ty}")]
    NotAnOperation {
        /// Name of the instruction.
        name: &'static str,
        /// The type.
        ty: Type,
    },
    /// A call with a wrong number of arguments.
    #[error("a call of a function of {wanted} parameters has {found} arguments")]
    WrongArguments {
        /// How many it takes.
        wanted: usize,
        /// How many it gets.
        found: usize,
    },
    /// A load or store of another scalar than the place holds, save of a double from or to a row.
    #[error("a place of {held} is accessed as {accessed}")]
    PlaceHolds {
        /// What lies there.
        held: Scalar,
        /// What is loaded or stored.
        accessed: Scalar,
    },
    /// A store to a table, a kernel constant or a region that is read only.
    #[error("a store to what is only read")]
    StoreToReadonly,
    /// What only kernels have in a loop, or the other way round.
    #[error("{0} does not exist at this level")]
    WrongLevel(&'static str),
    /// A parameter used as if it were passed in another way.
    #[error("param{0} is not passed in this way")]
    WrongPassing(u16),
    /// An address outside of the dat of its region.
    #[error("{0} is not an address in the region of slot {1}")]
    WrongRegion(Value, u16),
    /// A region that is said to be read only and is not.
    #[error("the region of slot {0} is written by an argument")]
    WrittenRegion(u16),
    /// Addresses of two dats where one is asked for.
    #[error("{0} and {1} are addresses in different regions")]
    MixedRegions(Value, Value),
    /// An argument without a map, a map's second argument, or a column beyond the arity.
    #[error("argument {0} has no such map entry")]
    NoSuchMapEntry(u16),
    /// A lane or a mask beyond the operands.
    #[error("lane {0} does not exist")]
    NoSuchLane(u8),
    /// Statements for a number of elements that does not exist, or in a plain function.
    #[error("statements for {0} elements at once")]
    BadWide(u8),
    /// A guard's length beyond what an index can be.
    #[error("a check against {0} is not one of an index")]
    BadCheck(u64),
    /// A counter under a `Let`.
    #[error("{0} is a counter outside of its loop")]
    CounterOutsideFor(Value),
    /// A counted loop whose counter is something else.
    #[error("{0} is not a counter")]
    NotACounter(Value),
    /// A counted loop that does not count.
    #[error("a step of zero")]
    ZeroStep,
    /// One label on two blocks.
    #[error("{0} stands twice")]
    LabelTwice(Label),
    /// A jump to a label that does not enclose it.
    #[error("{0} is not open")]
    LabelNotOpen(Label),
    /// A continue of what is not a loop.
    #[error("{0} is not a loop's")]
    ContinueOfBlock(Label),
    /// A statement after an exit or a continue.
    #[error("a statement follows that is never reached")]
    Unreachable,
    /// Blocks nested beyond `NESTING_MAX`.
    #[error("blocks are nested too deep")]
    TooDeep,
    /// A guard or an unbounded loop that runs outside of elements, where nobody could be told which element failed.
    #[error("what may fail stands outside of the elements")]
    FailsOutsideElements,
    /// The element outside of the elements.
    #[error("there is no element here")]
    NoElement,
}

impl Rule {
    pub(super) fn mismatch(value: Value, found: Type, wanted: Type) -> Rule {
        Rule::Mismatch {
            value,
            found,
            wanted,
        }
    }
}
