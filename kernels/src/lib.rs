//! Real loop kernels and the mini-apps around them, for measuring and checking parloop.
//!
//! Three apps, each a module with the same parts: the C text of its kernels, the mesh they run on, and the same numerics in
//! plain Rust as a reference.
//!
//! - [`airfoil`]: Euler flow past a NACA0012 profile, five loops; the field's standard benchmark, with published residuals.
//! - [`jac`]: Jacobi iteration for a 5-point Laplacian stored as an edge set, in double and single precision.
//! - [`reduce`]: INC, MIN and MAX of ten element types, onto globals and through a map.
//!
//! Meshes are plain vectors of numbers; nothing here compiles or caches a kernel.

#![forbid(unsafe_code)]

pub mod airfoil;
pub mod jac;
pub mod reduce;
pub mod text;
