//! Real loop kernels and the mini-apps around them, for measuring and checking parloop.
//!
//! Each app is a module with the same parts: the C text of its kernels, the mesh they run on, and the same numerics in
//! plain Rust as a reference.
//!
//! - [`airfoil`]: Euler flow past a NACA0012 profile, five loops; the field's standard benchmark, with published residuals.
//!
//! Meshes are plain vectors of numbers; nothing here compiles or caches a kernel.

#![forbid(unsafe_code)]

pub mod airfoil;
pub mod text;
