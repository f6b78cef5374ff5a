//! What compilation may see of a loop's arguments: types, dimensions, layouts, accesses and sharing, nothing of the data.
//!
//! A signature holds no pointer, size or name. Identity of maps and dats appears only as slots: small numbers given in order
//! of first use, so that two loops whose arguments share things in the same way have the same signature.

use crate::ir::Scalar;
use std::fmt;

/// The data type of a dat, a global or a kernel constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum DType {
    /// `double`.
    F64 = 0,
    /// `float`.
    F32 = 1,
    /// `int8_t`.
    I8 = 2,
    /// `uint8_t`.
    U8 = 3,
    /// `int16_t`.
    I16 = 4,
    /// `uint16_t`.
    U16 = 5,
    /// `int32_t`, `int`.
    I32 = 6,
    /// `uint32_t`, `unsigned`.
    U32 = 7,
    /// `int64_t`, `long`.
    I64 = 8,
    /// `uint64_t`, `unsigned long`.
    U64 = 9,
    /// `bool`; reserved.
    Bool = 10,
    /// `float complex`: two `float`, the real part first.
    C64 = 11,
    /// `double complex`: two `double`, the real part first.
    C128 = 12,
}

impl DType {
    /// All types that dats may have today.
    pub const ALL: [DType; 12] = [
        DType::F64,
        DType::F32,
        DType::I8,
        DType::U8,
        DType::I16,
        DType::U16,
        DType::I32,
        DType::U32,
        DType::I64,
        DType::U64,
        DType::C64,
        DType::C128,
    ];

    /// Size of one value in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            DType::I8 | DType::U8 | DType::Bool => 1,
            DType::I16 | DType::U16 => 2,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 | DType::C64 => 8,
            DType::C128 => 16,
        }
    }

    /// Scalars of one value.
    pub const fn parts(self) -> u32 {
        match self {
            DType::C64 | DType::C128 => 2,
            _ => 1,
        }
    }

    /// What the address of a value is a multiple of, in bytes.
    pub const fn align(self) -> usize {
        self.bytes() / self.parts() as usize
    }

    /// The type of a value's parts; of a real type, itself.
    pub const fn real(self) -> DType {
        match self {
            DType::C64 => DType::F32,
            DType::C128 => DType::F64,
            real => real,
        }
    }

    /// The IR scalar it is made of (complex types: of their parts).
    pub const fn scalar(self) -> Scalar {
        match self {
            DType::F64 | DType::C128 => Scalar::F64,
            DType::F32 | DType::C64 => Scalar::F32,
            DType::I8 => Scalar::I8,
            DType::U8 => Scalar::U8,
            DType::I16 => Scalar::I16,
            DType::U16 => Scalar::U16,
            DType::I32 => Scalar::I32,
            DType::U32 => Scalar::U32,
            DType::I64 => Scalar::I64,
            DType::U64 => Scalar::U64,
            DType::Bool => Scalar::Bool,
        }
    }

    /// The name of its C type.
    pub const fn c_name(self) -> &'static str {
        match self {
            DType::F64 => "double",
            DType::F32 => "float",
            DType::I8 => "int8_t",
            DType::U8 => "uint8_t",
            DType::I16 => "int16_t",
            DType::U16 => "uint16_t",
            DType::I32 => "int",
            DType::U32 => "unsigned int",
            DType::I64 => "int64_t",
            DType::U64 => "uint64_t",
            DType::Bool => "bool",
            DType::C64 => "float _Complex",
            DType::C128 => "double _Complex",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.c_name())
    }
}

/// What a kernel may do with an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Access {
    /// Only read.
    Read = 0,
    /// Written without being read.
    Write = 1,
    /// Read and written in place.
    Rw = 2,
    /// Added to.
    Inc = 3,
    /// Combined by minimum.
    Min = 4,
    /// Combined by maximum.
    Max = 5,
}

impl Access {
    /// All accesses.
    pub const ALL: [Access; 6] = [
        Access::Read,
        Access::Write,
        Access::Rw,
        Access::Inc,
        Access::Min,
        Access::Max,
    ];

    /// Whether the argument changes.
    pub const fn writes(self) -> bool {
        !matches!(self, Access::Read)
    }

    /// The field's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Read => "READ",
            Access::Write => "WRITE",
            Access::Rw => "RW",
            Access::Inc => "INC",
            Access::Min => "MIN",
            Access::Max => "MAX",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the `dim` values of an element lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Layout {
    /// Array of structures: an element's values are adjacent, elements follow one another.
    Aos = 0,
    /// Structure of arrays: reserved.
    Soa = 1,
    /// Strides read from the argument block: reserved.
    Strided = 2,
}

/// Width of a map's entries in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum IndexWidth {
    /// `i32`.
    I32 = 0,
    /// `i64`.
    I64 = 1,
}

/// How an argument goes through a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MapUse {
    /// Equal for arguments that use one map.
    pub slot: u16,
    /// Entries an element.
    pub arity: u16,
    /// Width of an entry.
    pub width: IndexWidth,
    /// Whether entries may be -1: such a row reads as zero and is not written.
    pub partial: bool,
}

/// Where the values come from that the kernel gets for an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// The element's own row of a dat on the iteration set.
    Direct,
    /// The row of one map entry (OP2's convention).
    At(MapUse, u16),
    /// The rows of all map entries, as `[arity][dim]` (PyOP2's convention).
    Through(MapUse),
    /// The values of a global.
    Global,
    /// The element's number, by value; the other fields of the argument are fixed: READ, dim 1, no dat slot.
    Element,
    /// Of a plain function: a parameter by value; READ, dim 1.
    Value,
    /// Of a plain function: an array of so many row pointers, each to `dim` values.
    Rows(u32),
}

impl Source {
    /// The map it goes through, if any.
    pub const fn map(self) -> Option<MapUse> {
        match self {
            Source::At(map, _) | Source::Through(map) => Some(map),
            Source::Direct | Source::Global | Source::Element | Source::Value | Source::Rows(_) => {
                None
            }
        }
    }
}

/// One argument of a loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ArgSignature {
    /// Where the values come from.
    pub source: Source,
    /// Type of a value.
    pub dtype: DType,
    /// Values an element (a global's: in all).
    pub dim: u32,
    /// How an element's values lie.
    pub layout: Layout,
    /// What the kernel may do.
    pub access: Access,
    /// Equal for arguments that use one dat or one global.
    pub dat: u16,
}

impl ArgSignature {
    /// How many scalars the kernel sees through its pointer: `dim`, `arity * dim` through a map, those of all rows.
    pub const fn extent(&self) -> u64 {
        match self.source {
            Source::Through(map) => map.arity as u64 * self.dim as u64,
            Source::Rows(rows) => rows as u64 * self.dim as u64,
            _ => self.dim as u64,
        }
    }

    /// Bytes of one row of the dat.
    pub const fn row_bytes(&self) -> u64 {
        self.dim as u64 * self.dtype.bytes() as u64
    }
}

/// What is iterated over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Iteration {
    /// The elements of a set, by range or list.
    Elements = 0,
    /// None: the code is the kernel alone, a C function of its own parameters. Pointers are direct arguments of element 0, arrays
    /// of row pointers `Rows`; both are READ if they are to `const` and RW otherwise. Those with one dat slot may point to the
    /// same memory, of different lengths and types, as may the rows of one argument.
    Function = 1,
}

/// All that compilation sees of a loop besides its kernel.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    /// What is iterated over.
    pub iteration: Iteration,
    /// Arguments in the kernel's order.
    pub args: Vec<ArgSignature>,
    /// Whether the caller takes conflicting arguments, run one element at a time in order.
    pub allow_conflicts: bool,
}
