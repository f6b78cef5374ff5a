//! Real loop kernels and the mini-apps around them, for measuring and checking parloop.
//!
//! Three apps, each a module with the same parts: the C text of its kernels, the mesh they run on, the loops over it
//! ([`app`] says what those of all apps have in common), and the same numerics in plain Rust as a reference.
//!
//! - [`airfoil`]: Euler flow past a NACA0012 profile, five loops; the field's standard benchmark, with published residuals.
//! - [`jac`]: Jacobi iteration for a 5-point Laplacian stored as an edge set, in double and single precision.
//! - [`reduce`]: INC, MIN and MAX of ten element types, onto globals and through a map.
//!
//! Beside the apps, [`catalogue`] has loops by themselves: STREAM's, a sparse product, integrals of finite elements, a
//! shallow-water code's.
//!
//! airfoil and jac take their mesh in an [`order`]: as it is, shuffled, or renumbered.
//!
//! ```
//! use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
//! use parloop_kernels::airfoil::reference::Reference;
//!
//! let mesh = Mesh::generate(Blocks::for_cells(1_000)?)?;
//! let history = Reference::new(&mesh).history(50, 10);
//! let (iteration, rms) = history[4];
//! assert!(iteration == 50 && rms < 1e-2);
//! # Ok::<(), parloop_kernels::airfoil::mesh::MeshError>(())
//! ```
//!
//! Meshes and fields are plain vectors of numbers, flattened, with their shape in their documentation. The references are
//! sequential and written to be read: they say what is right, not what is fast.

#![forbid(unsafe_code)]

pub mod airfoil;
pub mod app;
pub mod catalogue;
mod draw;
pub mod jac;
pub mod order;
pub mod reduce;
pub mod text;
