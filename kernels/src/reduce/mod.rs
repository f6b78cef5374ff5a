//! reduce: reductions alone, INC, MIN and MAX of ten element types, onto globals and through a map onto nodes.
//!
//! Five kernels on an edge set, each one text in `double` that stands for every [`ElementType`]; [`text`] writes it for
//! another. Sums wrap in integers. Values are small multiples of 1 (integers) or 1/8 (floats), so floating-point sums are exact
//! in any order while they stay below 2^24 eighths, and results can be compared bit for bit. [`mesh`] makes the sets and
//! values, [`mod@reference`] is the same in plain Rust.

pub mod app;
pub mod element;
pub mod mesh;
pub mod reference;

pub use element::{Element, ElementType};

use crate::text::KernelText;

/// Edges: v READ, direct; sum INC, low MIN, high MAX, all global.
pub const GLOBALS: KernelText = KernelText {
    function: "globals",
    file: "reduce/globals.c",
    source: include_str!("globals.c"),
};

/// Edges: v READ, direct; a dat of the nodes INC through the edge's first and second node: v and 2 v.
pub const SUM_ENDS: KernelText = KernelText {
    function: "sum_ends",
    file: "reduce/sum_ends.c",
    source: include_str!("sum_ends.c"),
};

/// Edges: v READ, direct; a dat of the nodes MIN through the edge's first and second node.
pub const LOW_ENDS: KernelText = KernelText {
    function: "low_ends",
    file: "reduce/low_ends.c",
    source: include_str!("low_ends.c"),
};

/// Edges: v READ, direct; a dat of the nodes MAX, both nodes packed, `[2][1]`.
pub const HIGH_ENDS: KernelText = KernelText {
    function: "high_ends",
    file: "reduce/high_ends.c",
    source: include_str!("high_ends.c"),
};

/// Edges: a dat of the nodes READ, both nodes packed, `[2][1]`; width WRITE, direct; widest MAX, global.
pub const GAP: KernelText = KernelText {
    function: "gap",
    file: "reduce/gap.c",
    source: include_str!("gap.c"),
};

/// The five kernels, in the order in which an iteration of the app runs them.
pub const KERNELS: [KernelText; 5] = [GLOBALS, SUM_ENDS, LOW_ENDS, HIGH_ENDS, GAP];

/// The C text of `kernel`, one of [`KERNELS`], for values of type `element`.
pub fn text(kernel: &KernelText, element: ElementType) -> String {
    kernel
        .source
        .replace(ElementType::F64.c_name(), element.c_name())
}
