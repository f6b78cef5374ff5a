//! The types that reduce reduces, by name and as a trait.
//!
//! [`ElementType`] is for whoever chooses a type while running; [`Element`] for code generic over one. Arithmetic is what the
//! kernels' C means in parloop: integers wrap in their own width.

/// The element types of a dat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// `double`.
    F64,
    /// `float`.
    F32,
    /// `int64_t`.
    I64,
    /// `int`.
    I32,
    /// `int16_t`.
    I16,
    /// `int8_t`.
    I8,
    /// `uint64_t`.
    U64,
    /// `uint32_t`.
    U32,
    /// `uint16_t`.
    U16,
    /// `uint8_t`.
    U8,
}

impl ElementType {
    /// All of them.
    pub const ALL: [ElementType; 10] = [
        ElementType::F64,
        ElementType::F32,
        ElementType::I64,
        ElementType::I32,
        ElementType::I16,
        ElementType::I8,
        ElementType::U64,
        ElementType::U32,
        ElementType::U16,
        ElementType::U8,
    ];

    /// The type's name in a kernel.
    pub fn c_name(self) -> &'static str {
        match self {
            ElementType::F64 => "double",
            ElementType::F32 => "float",
            ElementType::I64 => "int64_t",
            ElementType::I32 => "int",
            ElementType::I16 => "int16_t",
            ElementType::I8 => "int8_t",
            ElementType::U64 => "uint64_t",
            ElementType::U32 => "uint32_t",
            ElementType::U16 => "uint16_t",
            ElementType::U8 => "uint8_t",
        }
    }
}

/// A type that reduce can reduce.
pub trait Element: Copy + PartialOrd + std::fmt::Debug + Send + Sync + 'static {
    /// Its name.
    const TYPE: ElementType;
    /// Where a sum starts.
    const ZERO: Self;
    /// Where a maximum starts: no value is lower.
    const LOWEST: Self;
    /// Where a minimum starts: no value is higher.
    const HIGHEST: Self;

    /// Value `k`, of 0 ..= 120, of this type's sample range: -60 ..= 60, for unsigned types 0 ..= 120, for floats in eighths.
    fn sample(k: u8) -> Self;

    /// Sum; wraps in integers.
    fn plus(self, other: Self) -> Self;

    /// Difference; wraps in integers.
    fn minus(self, other: Self) -> Self;
}

macro_rules! integer_elements {
    ($($rust:ty, $tag:ident, $shift:literal;)*) => {$(
        impl Element for $rust {
            const TYPE: ElementType = ElementType::$tag;
            const ZERO: Self = 0;
            const LOWEST: Self = <$rust>::MIN;
            const HIGHEST: Self = <$rust>::MAX;

            fn sample(k: u8) -> Self {
                (k as $rust).wrapping_sub($shift)
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    )*};
}

macro_rules! float_elements {
    ($($rust:ty, $tag:ident;)*) => {$(
        impl Element for $rust {
            const TYPE: ElementType = ElementType::$tag;
            const ZERO: Self = 0.0;
            const LOWEST: Self = <$rust>::NEG_INFINITY;
            const HIGHEST: Self = <$rust>::INFINITY;

            fn sample(k: u8) -> Self {
                (<$rust>::from(k) - 60.0) / 8.0
            }

            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn minus(self, other: Self) -> Self {
                self - other
            }
        }
    )*};
}

integer_elements! {
    i64, I64, 60; i32, I32, 60; i16, I16, 60; i8, I8, 60;
    u64, U64, 0; u32, U32, 0; u16, U16, 0; u8, U8, 0;
}

float_elements! { f64, F64; f32, F32; }
