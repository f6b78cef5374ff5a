//! A kernel as IR: what the front end makes of a C function, before any signature is known.

use super::body::Body;
use super::types::Scalar;

/// How a kernel takes a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Passing {
    /// A scalar by value.
    Value = 0,
    /// A pointer (or array) of scalars, however many dimensions it was declared with.
    Pointer = 1,
    /// An array of row pointers (`double **`).
    Rows = 2,
    /// A pointer that the kernel never uses; the argument may be of any type (`void *`).
    Unused = 3,
}

/// A parameter as code generation sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    /// By value or by pointer.
    pub passing: Passing,
    /// What is passed or pointed to.
    pub scalar: Scalar,
}

/// A kernel constant as code generation sees it; its slot is its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ConstantSlot {
    /// Type of an entry.
    pub scalar: Scalar,
    /// Number of entries.
    pub dim: u32,
}

/// A kernel in canonical form: typed, helper functions inlined, numbered in order of appearance, no names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kernel {
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Kernel constants it reads, in order of first appearance.
    pub constants: Vec<ConstantSlot>,
    /// What it does for one element.
    pub body: Body,
}
