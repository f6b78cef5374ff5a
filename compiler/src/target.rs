//! The machine that code is made for: an architecture and a named level of CPU features.
//!
//! This crate never asks what machine it runs on; the runtime does, and says so in the request.

use std::fmt;

/// A named set of CPU features.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// x86-64 with SSE2 alone.
    Baseline = 0,
    /// x86-64-v2: to SSE4.2.
    V2 = 1,
    /// x86-64-v3: to AVX2 and FMA.
    V3 = 2,
    /// x86-64-v4: AVX-512 (for rank-k updates; other code is that of v3).
    V4 = 3,
    /// 64-bit ARM with its mandatory SIMD and FMA.
    Aarch64 = 4,
}

impl Level {
    /// All levels.
    pub const ALL: [Level; 5] = [
        Level::Baseline,
        Level::V2,
        Level::V3,
        Level::V4,
        Level::Aarch64,
    ];

    /// The name that options and files use.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Baseline => "baseline",
            Level::V2 => "x86-64-v2",
            Level::V3 => "x86-64-v3",
            Level::V4 => "x86-64-v4",
            Level::Aarch64 => "aarch64",
        }
    }

    /// The level of a name.
    pub fn from_name(name: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|l| l.name() == name)
    }

    /// The features that code of this level may use, by the code generator's names for its settings.
    pub const fn features(self) -> &'static [&'static str] {
        const V4: &[&str] = &[
            "has_cmpxchg16b",
            "has_sse3",
            "has_ssse3",
            "has_sse41",
            "has_sse42",
            "has_popcnt",
            "has_avx",
            "has_avx2",
            "has_fma",
            "has_bmi1",
            "has_bmi2",
            "has_lzcnt",
            "has_avx512f",
            "has_avx512dq",
            "has_avx512vl",
        ];
        match self {
            Level::Baseline | Level::Aarch64 => &[],
            Level::V2 => V4.split_at(6).0,
            Level::V3 => V4.split_at(12).0,
            Level::V4 => V4,
        }
    }

    /// Whether a fused multiply-add is one instruction.
    pub const fn has_fma(self) -> bool {
        matches!(self, Level::V3 | Level::V4 | Level::Aarch64)
    }

    /// Whether it is a level of x86-64.
    pub const fn is_x86_64(self) -> bool {
        !matches!(self, Level::Aarch64)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The machine that code is made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The CPU features that code may use; it names the architecture too.
    pub level: Level,
}
