//! The body of a kernel or of a loop: instructions in an arena, under structured control flow.
//!
//! Each `Let` defines one value, in order; scalars that C assigns more than once are `Var`s, read by `Get` and written by
//! `Set`. A value is visible in the rest of its block and in the blocks nested there. Names and source positions are not
//! part of a body; a `Site` numbers the places that can fail, so that the caller's text tells the line.

use super::eval;
use super::types::{Scalar, Type};
use cranelift_entity::{PrimaryMap, entity_impl};
use smallvec::SmallVec;

/// An instruction and its result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u32);
entity_impl!(Value, "v");

/// A scalar that may be assigned many times; zero at first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(u32);
entity_impl!(Var, "x");

/// A local array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Array(u32);
entity_impl!(Array, "array");

/// A table of constants.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table(u32);
entity_impl!(Table, "table");

/// A host function that the body calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);
entity_impl!(Symbol, "fn");

/// A block or loop that can be left or continued.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(u32);
entity_impl!(Label, "label");

/// The number of a place in the kernel's text that may fail at run time, counted from 0 in text order, a helper
/// function's once for each call of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site(u32);
entity_impl!(Site, "site");

/// A local array: `len` scalars. Its content is zero until the first store and after each `Clear`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArrayData {
    /// Type of an entry.
    pub scalar: Scalar,
    /// Number of entries, all dimensions multiplied; at least 1.
    pub len: u64,
}

/// A table of constants, all dimensions flattened in C's order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableData {
    /// Type of an entry.
    pub scalar: Scalar,
    /// The entries' bits, zero-extended to 64.
    pub bits: Vec<u64>,
}

/// A host function: name and C signature. The name is resolved by the loader from its table, never by the linker.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HostSymbol {
    /// C name, for example `exp`.
    pub name: String,
    /// Parameter types.
    pub params: Vec<Scalar>,
    /// Result type.
    pub result: Scalar,
}

/// What a load or store touches; its index counts scalars from the start of the place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Place {
    /// A local array.
    Array(Array),
    /// A table of constants; read only.
    Table(Table),
    /// Kernel level: what the pointer parameter points to.
    Param(u16),
    /// Kernel level: row `row` of a pointer-to-pointer parameter.
    ParamRow {
        /// Which parameter.
        param: u16,
        /// Which row pointer (an `I64` value).
        row: Value,
    },
    /// A kernel constant, by its slot; read only.
    Constant(u16),
    /// Loop level, of a plain function: the row pointers of an argument, each an `Addr`; read only.
    RowPointers(u16),
    /// Loop level: memory at an address, in the alias region of a dat.
    Row {
        /// An `Addr` value.
        addr: Value,
        /// Accesses in different regions never overlap.
        region: Region,
    },
}

/// An alias region: memory of one dat slot of the signature, or of one global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Region {
    /// Dat slot of the signature.
    pub slot: u16,
    /// Whether nothing in the loop writes it.
    pub readonly: bool,
}

/// One operand: arithmetic that is not a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum UnaryOp {
    /// Negation; integers wrap, floats flip the sign bit.
    Neg = 0,
    /// Bitwise complement of an integer; logical complement of `Bool`.
    Not = 1,
    /// Square root (floats).
    Sqrt = 2,
    /// Absolute value (floats).
    Abs = 3,
    /// Round down (floats).
    Floor = 4,
    /// Round up (floats).
    Ceil = 5,
    /// Round to zero (floats).
    Trunc = 6,
    /// Round to nearest, ties to even (floats).
    Rint = 7,
}

impl UnaryOp {
    /// All of them, in the order of their tags.
    pub const ALL: [UnaryOp; 8] = [
        UnaryOp::Neg,
        UnaryOp::Not,
        UnaryOp::Sqrt,
        UnaryOp::Abs,
        UnaryOp::Floor,
        UnaryOp::Ceil,
        UnaryOp::Trunc,
        UnaryOp::Rint,
    ];

    /// The name used in IR text.
    pub const fn name(self) -> &'static str {
        match self {
            UnaryOp::Neg => "neg",
            UnaryOp::Not => "not",
            UnaryOp::Sqrt => "sqrt",
            UnaryOp::Abs => "abs",
            UnaryOp::Floor => "floor",
            UnaryOp::Ceil => "ceil",
            UnaryOp::Trunc => "trunc",
            UnaryOp::Rint => "rint",
        }
    }
}

/// Two operands of the result's type (a shift's count may be of another integer type).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum BinaryOp {
    /// Sum; integers wrap.
    Add = 0,
    /// Difference; integers wrap.
    Sub = 1,
    /// Product; integers wrap.
    Mul = 2,
    /// Quotient, integers towards zero; the divisor is not 0, and the least integer over -1 wraps.
    Div = 3,
    /// Remainder with the dividend's sign (integers); the divisor is not 0, anything over -1 gives 0.
    Rem = 4,
    /// Bitwise and (integers, `Bool`).
    And = 5,
    /// Bitwise or (integers, `Bool`).
    Or = 6,
    /// Bitwise exclusive or (integers, `Bool`).
    Xor = 7,
    /// Shift left; the count is taken modulo the width.
    Shl = 8,
    /// Shift right, arithmetic for signed types; the count is taken modulo the width.
    Shr = 9,
    /// C's `fmin`: a NaN operand is ignored; of equal operands the second.
    Min = 10,
    /// C's `fmax`: a NaN operand is ignored; of equal operands the second.
    Max = 11,
    /// Magnitude of the first, sign of the second (floats).
    Copysign = 12,
}

impl BinaryOp {
    /// All of them, in the order of their tags.
    pub const ALL: [BinaryOp; 13] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Rem,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Xor,
        BinaryOp::Shl,
        BinaryOp::Shr,
        BinaryOp::Min,
        BinaryOp::Max,
        BinaryOp::Copysign,
    ];

    /// The name used in IR text.
    pub const fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::Div => "div",
            BinaryOp::Rem => "rem",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Xor => "xor",
            BinaryOp::Shl => "shl",
            BinaryOp::Shr => "shr",
            BinaryOp::Min => "min",
            BinaryOp::Max => "max",
            BinaryOp::Copysign => "copysign",
        }
    }
}

/// A comparison of two values of one type; the result is `Bool`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum CompareOp {
    /// Equal.
    Eq = 0,
    /// Not equal; true when an operand is NaN.
    Ne = 1,
    /// Less.
    Lt = 2,
    /// Less or equal.
    Le = 3,
    /// Greater.
    Gt = 4,
    /// Greater or equal.
    Ge = 5,
}

impl CompareOp {
    /// All of them, in the order of their tags.
    pub const ALL: [CompareOp; 6] = [
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ];

    /// The name used in IR text.
    pub const fn name(self) -> &'static str {
        match self {
            CompareOp::Eq => "eq",
            CompareOp::Ne => "ne",
            CompareOp::Lt => "lt",
            CompareOp::Le => "le",
            CompareOp::Gt => "gt",
            CompareOp::Ge => "ge",
        }
    }
}

/// Arguments of a host call.
pub type CallArgs = SmallVec<[Value; 2]>;

/// What an instruction computes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A constant by its bits, zero-extended to 64; in every lane alike.
    Const(u64),
    /// One operand.
    Unary(UnaryOp, Value),
    /// Two operands.
    Binary(BinaryOp, Value, Value),
    /// A comparison.
    Compare(CompareOp, Value, Value),
    /// `if_true` where the first is true, else `if_false`; both are computed.
    Select(Value, Value, Value),
    /// First times second plus third with one rounding.
    Fma(Value, Value, Value),
    /// Conversion to the result's type as C converts, saturating from float to integer (NaN to 0), wrapping between
    /// integers, `!= 0` to `Bool`.
    Convert(Value),
    /// The value of a variable here.
    Get(Var),
    /// A load of the result's type; `index` is `I64`. The site is where an index out of range is reported.
    Load {
        /// From where.
        place: Place,
        /// In scalars.
        index: Value,
        /// Where it stands in the text.
        site: Site,
    },
    /// A call of a host function; it has no side effect and its result depends on the arguments alone.
    Call(Symbol, CallArgs),
    /// Kernel level: the value of a by-value parameter.
    Param(u16),
    /// `index` (`I64`) itself if `0 <= index < len`, else the loop stops with an error.
    CheckIndex {
        /// What is checked.
        index: Value,
        /// One past the last good index.
        len: u64,
        /// Where it stands in the text.
        site: Site,
    },
    /// The divisor itself if it is not 0, else the loop stops with an error.
    CheckDivisor {
        /// What is checked.
        divisor: Value,
        /// Where it stands in the text.
        site: Site,
    },
    /// The counter of the `For` that names this value. Never under a `Let`.
    Counter,
    /// Loop level: the element (`I64`).
    Element,
    /// Loop level, where several elements run at once: the one so many after the first, or the last of them.
    ElementAfter(u8),
    /// Loop level: the base address of an argument.
    ArgBase(u16),
    /// Loop level: entry `column` of row `element` of the map of an argument, as `I64`.
    MapEntry {
        /// The argument whose map pointer is used: the first with this map slot.
        arg: u16,
        /// The row.
        element: Value,
        /// Which of the `arity` entries.
        column: u16,
    },
    /// Loop level: `base + row * stride`, in bytes.
    RowAddr {
        /// An `Addr`.
        base: Value,
        /// `I64`.
        row: Value,
        /// In bytes.
        stride: u64,
    },
    /// All lanes alike.
    Splat(Value),
    /// One lane as a scalar.
    Lane(Value, u8),
    /// Lanes of two values of one type, joined: lane `i` of the result is entry `mask[i]` of the first's lanes followed by
    /// the second's.
    Shuffle(Value, Value, [u8; 4]),
}

/// An instruction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Inst {
    /// What it computes.
    pub op: Op,
    /// The type of its result.
    pub ty: Type,
}

/// A sequence of statements.
pub type Block = Vec<Stmt>;

/// A statement.
///
/// Which one is a byte of its own: every pass asks that of every statement.
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stmt {
    /// Computes an instruction.
    Let(Value),
    /// Assigns a variable.
    Set(Var, Value),
    /// Stores `value` (as many scalars as it has lanes); `index` is `I64`.
    Store {
        /// To where.
        place: Place,
        /// In scalars.
        index: Value,
        /// What.
        value: Value,
        /// Where it stands in the text.
        site: Site,
    },
    /// Sets all entries of a local array to zero.
    Clear(Array),
    /// One of two blocks.
    If {
        /// A `Bool`.
        cond: Value,
        /// If true.
        then: Block,
        /// If false.
        other: Block,
    },
    /// `counter` (`I64`) runs from `lo` while it is less than `hi` (more than, for a negative step), by `step`. Bounds are
    /// read once.
    For(Box<For>),
    /// Repeats until left.
    Loop {
        /// To leave or continue.
        label: Label,
        /// Each iteration costs a step of the budget; this is where running out is reported.
        site: Site,
        /// What is repeated.
        body: Block,
    },
    /// Runs once; `Exit` leaves it.
    Block {
        /// To leave.
        label: Label,
        /// What runs.
        body: Block,
    },
    /// Leaves the block or loop of that label. Nothing follows it in its block.
    Exit(Label),
    /// Starts the next iteration of the loop of that label. Nothing follows it in its block.
    Continue(Label),
}

/// A counted loop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct For {
    /// To leave or continue.
    pub label: Label,
    /// An instruction with `Op::Counter`.
    pub counter: Value,
    /// First value (`I64`).
    pub lo: Value,
    /// One past the last (`I64`).
    pub hi: Value,
    /// Not 0.
    pub step: i64,
    /// Where a count beyond the step budget is reported.
    pub site: Site,
    /// What is repeated.
    pub body: Block,
}

/// Most values that there is room for before passes make them.
const ROOM_MAX: usize = 1 << 12;

/// Arenas and statements of a kernel or a loop.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// Instructions.
    pub values: PrimaryMap<Value, Inst>,
    /// Types of variables.
    pub vars: PrimaryMap<Var, Type>,
    /// Local arrays.
    pub arrays: PrimaryMap<Array, ArrayData>,
    /// Tables.
    pub tables: PrimaryMap<Table, TableData>,
    /// Host functions called.
    pub symbols: PrimaryMap<Symbol, HostSymbol>,
    /// How many labels have been given out.
    pub labels: u32,
    /// How many sites have been given out.
    pub sites: u32,
    /// The statements of one element.
    pub root: Block,
}

impl Body {
    /// All but the statements, with some room for more.
    pub(crate) fn arenas(&self) -> Body {
        let len = self.values.len();
        let mut values = PrimaryMap::with_capacity(len + (3 * len).min(ROOM_MAX));
        self.values.values().for_each(|inst| {
            values.push(inst.clone());
        });
        Body {
            values,
            vars: self.vars.clone(),
            arrays: self.arrays.clone(),
            tables: self.tables.clone(),
            symbols: self.symbols.clone(),
            labels: self.labels,
            sites: self.sites,
            root: Block::new(),
        }
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label::from_u32(self.labels - 1)
    }

    /// A new site.
    pub fn site(&mut self) -> Site {
        self.sites += 1;
        Site::from_u32(self.sites - 1)
    }

    /// The bits of a constant, if it is one.
    pub fn constant(&self, value: Value) -> Option<u64> {
        match self.values[value].op {
            Op::Const(bits) => Some(bits),
            _ => None,
        }
    }

    /// The value of an integer constant, sign- or zero-extended by its type.
    pub fn int_constant(&self, value: Value) -> Option<i64> {
        integer(self.ty(value).scalar, self.constant(value)?)
    }

    /// How often a loop runs, if its bounds are constants.
    pub(crate) fn trips(&self, it: &For) -> Option<u64> {
        let (lo, hi) = (self.int_constant(it.lo)?, self.int_constant(it.hi)?);
        Some(eval::trip_count(lo, hi, it.step))
    }

    /// Loop level: the argument that an address is of, as far as its definition tells.
    pub(crate) fn argument(&self, addr: Value) -> Option<u16> {
        let base = match self.values[addr].op {
            Op::RowAddr { base, .. } => base,
            _ => addr,
        };
        match self.values[base].op {
            Op::ArgBase(arg) => Some(arg),
            Op::Load {
                place: Place::RowPointers(arg),
                ..
            } => Some(arg),
            _ => None,
        }
    }
}

/// The integer that zero-extended bits stand for.
pub(crate) fn integer(scalar: Scalar, bits: u64) -> Option<i64> {
    Some(match scalar {
        Scalar::I8 => i64::from(bits as u8 as i8),
        Scalar::I16 => i64::from(bits as u16 as i16),
        Scalar::I32 => i64::from(bits as u32 as i32),
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::I64 => bits as i64,
        Scalar::U64 => i64::try_from(bits).ok()?,
        Scalar::F32 | Scalar::F64 | Scalar::Addr => return None,
    })
}
