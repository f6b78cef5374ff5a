//! What a caller may choose about the code of a loop. Every field is part of the fingerprint.

/// How floating-point expressions may be evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum FloatMode {
    /// `a * b + c` may become one fused operation, except on a sum carried round a loop.
    #[default]
    Contract = 0,
    /// Every operation is rounded by itself, in the order of the text.
    Strict = 1,
    /// As `Contract`, and a sum's terms may be added in another order: in partial sums that do not wait for each other. Results then
    /// depend on how a set is cut into ranges.
    Reassociate = 2,
}

/// Effort of the code generator after our own passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Effort {
    /// It translates what our passes made.
    #[default]
    None = 0,
    /// It optimises once more, save blocks so long that it would make them worse.
    Speed = 1,
}

/// Options of a compilation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Options {
    /// How floating-point expressions may be evaluated.
    pub float: FloatMode,
    /// Effort of the code generator after our own passes.
    pub effort: Effort,
    /// The most elements in flight at a time; 1 runs them one by one, from 2 on two go together where they compute doubles, with
    /// 4 four where they compute floats.
    pub lanes: u8,
    /// The most copies of a loop's body that unrolling may make.
    pub unroll: u16,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            float: FloatMode::Contract,
            effort: Effort::None,
            lanes: 4,
            unroll: 16,
        }
    }
}
