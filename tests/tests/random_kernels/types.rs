//! The types of C that kernels are drawn with, and C's rules for them.

use parloop_compiler::DType;

/// A type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Ty {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

use Ty::{Bool, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};

/// Types of locals and helpers, those of real kernels most often.
const DRAWN: [Ty; 20] = [
    F64, I32, F64, U32, F32, I64, Bool, I16, F64, U8, I8, U16, U64, I32, F32, F64, I32, I64, F64,
    F32,
];

impl Ty {
    pub(crate) fn of(number: u8) -> Ty {
        DRAWN[usize::from(number) % DRAWN.len()]
    }

    /// A type of loop counters.
    pub(crate) fn counter(number: u8) -> Ty {
        [I32, I32, I32, U32, I64, I32, U64, U8, I16, I32][usize::from(number) % 10]
    }

    /// A type of data.
    pub(crate) fn data(number: u8) -> (Ty, &'static str) {
        const DATA: [(Ty, &str); 16] = [
            (F64, "f64"),
            (F64, "f64"),
            (F32, "f32"),
            (I32, "i32"),
            (I64, "i64"),
            (U32, "u32"),
            (I8, "i8"),
            (U16, "u16"),
            (F64, "f64"),
            (F64, "f64"),
            (F32, "f32"),
            (I32, "i32"),
            (U64, "u64"),
            (I16, "i16"),
            (U8, "u8"),
            (F64, "f64"),
        ];
        DATA[usize::from(number) % DATA.len()]
    }

    /// Its name in C; some have several.
    pub(crate) fn name(self, by: u8) -> &'static str {
        let names: [&str; 2] = match self {
            Bool => ["bool", "_Bool"],
            I8 => ["int8_t", "signed char"],
            U8 => ["uint8_t", "unsigned char"],
            I16 => ["int16_t", "short"],
            U16 => ["uint16_t", "unsigned short"],
            I32 => ["int", "int32_t"],
            U32 => ["unsigned", "uint32_t"],
            I64 => ["int64_t", "long"],
            U64 => ["uint64_t", "unsigned long"],
            F32 => ["float", "float"],
            F64 => ["double", "double"],
        };
        names[usize::from(by) % 2]
    }

    pub(crate) fn float(self) -> bool {
        matches!(self, F32 | F64)
    }

    pub(crate) fn signed(self) -> bool {
        matches!(self, I8 | I16 | I32 | I64)
    }

    /// After integer promotion.
    pub(crate) fn promoted(self) -> Ty {
        if self < I32 { I32 } else { self }
    }

    /// What an operator of two operands computes in.
    pub(crate) fn usual(self, other: Ty) -> Ty {
        // `long` holds all of `unsigned`; otherwise the later one of the list wins.
        self.promoted().max(other.promoted())
    }

    /// Between which values a floating-point number is converted to what C says; both are whole in `float`.
    pub(crate) fn range(self) -> (&'static str, &'static str) {
        match self {
            Bool | F32 | F64 => ("", ""),
            I8 => ("-100.0", "100.0"),
            U8 => ("0.0", "200.0"),
            I16 => ("-30000.0", "30000.0"),
            U16 => ("0.0", "60000.0"),
            I32 => ("-1000000.0", "1000000.0"),
            U32 => ("0.0", "4000000000.0"),
            I64 => ("-1e15", "1e15"),
            U64 => ("0.0", "1e15"),
        }
    }

    /// Bytes of a value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Bool | I8 | U8 => 1,
            I16 | U16 => 2,
            I32 | U32 | F32 => 4,
            I64 | U64 | F64 => 8,
        }
    }

    /// Data of this type.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Bool | U8 => DType::U8,
            I8 => DType::I8,
            I16 => DType::I16,
            U16 => DType::U16,
            I32 => DType::I32,
            U32 => DType::U32,
            I64 => DType::I64,
            U64 => DType::U64,
            F32 => DType::F32,
            F64 => DType::F64,
        }
    }

    /// Whether C lets pointers to both lead to the same memory.
    pub(crate) fn meets(self, other: Ty) -> bool {
        let pair = |a, b| self == a && other == b || self == b && other == a;
        let chars = |ty| matches!(ty, I8 | U8);
        self == other
            || chars(self)
            || chars(other)
            || pair(I16, U16)
            || pair(I32, U32)
            || pair(I64, U64)
    }
}
