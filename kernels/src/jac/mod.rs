//! jac: Jacobi iteration for a 5-point Laplacian whose matrix is stored as an edge set, in the manner of OP2's jac programs.
//!
//! Two loops an iteration. `res`, over the edges: A, direct READ; u of the edge's second node, READ; du of its first node,
//! INC; beta, a global READ. `update`, over the nodes: r READ, du RW, u RW (written as INC in OP2), all direct; u_sum, a global
//! INC; u_max, a global MAX. The constant `alpha` is named by `update`. Each comes in double and in single precision; [`mesh`]
//! makes the sets and the matrix, [`mod@reference`] is the same numerics in plain Rust and the solution in closed form.

pub mod app;
pub mod mesh;
pub mod reference;

use crate::text::KernelText;

/// Edges: du += beta A u, double precision.
pub const RES_F64: KernelText = KernelText {
    function: "res",
    file: "jac/res_f64.c",
    source: include_str!("res_f64.c"),
};

/// Nodes: u += du + alpha r, du = 0, sum and maximum; double precision.
pub const UPDATE_F64: KernelText = KernelText {
    function: "update",
    file: "jac/update_f64.c",
    source: include_str!("update_f64.c"),
};

/// Edges: du += beta A u, single precision.
pub const RES_F32: KernelText = KernelText {
    function: "res",
    file: "jac/res_f32.c",
    source: include_str!("res_f32.c"),
};

/// Nodes: u += du + alpha r, du = 0, sum and maximum; single precision.
pub const UPDATE_F32: KernelText = KernelText {
    function: "update",
    file: "jac/update_f32.c",
    source: include_str!("update_f32.c"),
};

/// All kernels: res and update in double, then in single precision.
pub const KERNELS: [KernelText; 4] = [RES_F64, UPDATE_F64, RES_F32, UPDATE_F32];

/// The constant `alpha`: weight of the right-hand side in a step.
pub const ALPHA: f32 = 1.0;

/// The global `beta`: weight of the matrix in a step.
pub const BETA: f32 = 1.0;
