//! The types of IR values: a scalar and a number of lanes.
//!
//! Signedness lives in the type, as in C, so that one `Add`, `Div` or `Lt` serves all of them. Complex numbers are pairs of
//! reals in IR; only signatures know them as one thing.

use std::fmt;

/// The type of one lane of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Scalar {
    /// The result of a comparison; in memory one byte, 0 or 1.
    Bool = 0,
    /// 8-bit signed integer.
    I8 = 1,
    /// 8-bit unsigned integer.
    U8 = 2,
    /// 16-bit signed integer.
    I16 = 3,
    /// 16-bit unsigned integer.
    U16 = 4,
    /// 32-bit signed integer.
    I32 = 5,
    /// 32-bit unsigned integer.
    U32 = 6,
    /// 64-bit signed integer.
    I64 = 7,
    /// 64-bit unsigned integer.
    U64 = 8,
    /// IEEE binary32.
    F32 = 9,
    /// IEEE binary64.
    F64 = 10,
    /// The address of a row of an argument. Only loops have it, never kernels; of memory, only
    /// local arrays and variables hold it.
    Addr = 11,
}

impl Scalar {
    /// All scalars, in the order of their tags.
    pub const ALL: [Scalar; 12] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::U8,
        Scalar::I16,
        Scalar::U16,
        Scalar::I32,
        Scalar::U32,
        Scalar::I64,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
        Scalar::Addr,
    ];

    /// Size in memory.
    pub const fn bytes(self) -> u32 {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 | Scalar::Addr => 8,
        }
    }

    /// Whether it is `F32` or `F64`.
    pub const fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }

    /// Whether it is an integer type (`Bool` and `Addr` are not).
    pub const fn is_int(self) -> bool {
        !self.is_float() && !matches!(self, Scalar::Bool | Scalar::Addr)
    }

    /// Whether it is a signed integer type.
    pub const fn is_signed(self) -> bool {
        matches!(self, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
    }

    /// The name used in IR text.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::U8 => "u8",
            Scalar::I16 => "i16",
            Scalar::U16 => "u16",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::Addr => "addr",
        }
    }

    /// The scalar of a name in IR text.
    pub fn from_name(name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of a value: `lanes` scalars of one kind, 1 for ordinary values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    /// The type of each lane.
    pub scalar: Scalar,
    /// How many lanes: 1, 2 or 4, at most 16 bytes in all; in strips four doubles, too.
    pub lanes: u8,
}

impl Type {
    /// One double.
    pub const F64: Type = Type::of(Scalar::F64);
    /// `I64`, the type of indices.
    pub const I64: Type = Type::of(Scalar::I64);
    /// `Bool`.
    pub const BOOL: Type = Type::of(Scalar::Bool);
    /// `Addr`.
    pub const ADDR: Type = Type::of(Scalar::Addr);

    /// One lane of `scalar`.
    pub const fn of(scalar: Scalar) -> Type {
        Type { scalar, lanes: 1 }
    }

    /// The same scalar in `lanes` lanes.
    pub const fn with_lanes(self, lanes: u8) -> Type {
        Type {
            scalar: self.scalar,
            lanes,
        }
    }

    /// Size in memory.
    pub const fn bytes(self) -> u32 {
        self.scalar.bytes() * self.lanes as u32
    }
}

impl From<Scalar> for Type {
    fn from(scalar: Scalar) -> Type {
        Type::of(scalar)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lanes {
            1 => write!(f, "{}", self.scalar),
            lanes => write!(f, "{}x{lanes}", self.scalar),
        }
    }
}
