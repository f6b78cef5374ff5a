//! Airfoil: two-dimensional inviscid flow (Euler) past a NACA0012 profile, cell-centred finite volumes on quadrilaterals.
//!
//! It is the benchmark by which OP2, PyOP2 and their kin are compared (Mudalige, Giles, Reguly, Bertolli, Kelly: "OP2: an
//! active library framework for solving unstructured mesh-based applications on multi-core and many-core architectures",
//! 2012). Here are its constants and kernel texts; [`mesh`] makes its mesh, [`mod@file`] reads and writes it, [`mod@app`] runs
//! the loops over it, [`mod@reference`] is the same numerics in plain Rust.
//!
//! The state of a cell is q = (rho, rho u, rho v, rho E). An iteration is save_soln, then twice (adt_calc, res_calc,
//! bres_calc, update).

pub mod app;
pub mod file;
pub mod mesh;
mod profile;
pub mod reference;
mod spline;
mod topology;

use crate::text::KernelText;

/// Cells: qold = q.
pub const SAVE_SOLN: KernelText = KernelText {
    function: "save_soln",
    file: "airfoil/save_soln.c",
    source: include_str!("save_soln.c"),
};

/// Cells: adt, the area over the time step, from the corners' x and q.
pub const ADT_CALC: KernelText = KernelText {
    function: "adt_calc",
    file: "airfoil/adt_calc.c",
    source: include_str!("adt_calc.c"),
};

/// Edges: the flux between two cells, added to the res of both.
pub const RES_CALC: KernelText = KernelText {
    function: "res_calc",
    file: "airfoil/res_calc.c",
    source: include_str!("res_calc.c"),
};

/// Boundary edges: the flux through a wall or to the far field, added to the res of one cell.
pub const BRES_CALC: KernelText = KernelText {
    function: "bres_calc",
    file: "airfoil/bres_calc.c",
    source: include_str!("bres_calc.c"),
};

/// Cells: the new q from qold, res and adt; res = 0; the squared change added to the global rms.
pub const UPDATE: KernelText = KernelText {
    function: "update",
    file: "airfoil/update.c",
    source: include_str!("update.c"),
};

/// The five kernels, in the order of an iteration.
pub const KERNELS: [KernelText; 5] = [SAVE_SOLN, ADT_CALC, RES_CALC, BRES_CALC, UPDATE];

/// Value of `bound` on a boundary edge that is a solid wall: the profile.
pub const BOUND_WALL: i32 = 1;

/// Value of `bound` on a boundary edge of the far field.
pub const BOUND_FAR_FIELD: i32 = 2;

/// What the kernels name: gas, scheme and free stream. All dimensionless.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// Ratio of specific heats.
    pub gam: f64,
    /// gam - 1.
    pub gm1: f64,
    /// Courant number.
    pub cfl: f64,
    /// Smoothing coefficient of the flux.
    pub eps: f64,
    /// Free stream (rho, rho u, rho v, rho E).
    pub qinf: [f64; 4],
}

impl Constants {
    /// The published case: gam 1.4, cfl 0.9, eps 0.05, Mach 0.4, p = rho = 1.
    ///
    /// The published code writes them as single-precision literals, and the published residuals hold for those values;
    /// everything after that rounding is double precision.
    pub fn published() -> Constants {
        let gam = f64::from(1.4_f32);
        let gm1 = gam - 1.0;
        let mach = f64::from(0.4_f32);
        let (p, rho) = (1.0, 1.0);
        let u = (gam * p / rho).sqrt() * mach;
        let energy = p / (rho * gm1) + 0.5 * u * u;
        Constants {
            gam,
            gm1,
            cfl: f64::from(0.9_f32),
            eps: f64::from(0.05_f32),
            qinf: [rho, rho * u, 0.0, rho * energy],
        }
    }

    /// Each constant by the name the kernels use, with its values: dim is 1, or 4 for `qinf`.
    pub fn named(&self) -> [(&'static str, &[f64]); 5] {
        let one = std::slice::from_ref::<f64>;
        [
            ("gam", one(&self.gam)),
            ("gm1", one(&self.gm1)),
            ("cfl", one(&self.cfl)),
            ("eps", one(&self.eps)),
            ("qinf", &self.qinf),
        ]
    }
}
