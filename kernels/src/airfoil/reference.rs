//! The airfoil numerics in plain Rust: what the C kernels and the loops over them are checked against.
//!
//! Each kernel is a function over one element's values, in the same order of operations as its C text and without contraction,
//! so a strict run agrees bit for bit. [`Reference`] drives them over a mesh, element by element in order.
//!
//! Formulas: cell-centred finite volumes with a central flux and constant-coefficient smoothing, the scheme of the published
//! airfoil benchmark.

use super::mesh::Mesh;
use super::{BOUND_WALL, Constants};

/// qold = q.
pub fn save_soln(q: &[f64; 4], qold: &mut [f64; 4]) {
    *qold = *q;
}

/// Area over time step: sum over the sides (dx, dy), taken round the cell, of |u dy - v dx| + c sqrt(dx^2 + dy^2), over cfl.
pub fn adt_calc(constants: &Constants, x: [&[f64; 2]; 4], q: &[f64; 4], adt: &mut f64) {
    let ri = 1.0 / q[0];
    let (u, v) = (ri * q[1], ri * q[2]);
    let c = (constants.gam * constants.gm1 * (ri * q[3] - 0.5 * (u * u + v * v))).sqrt();
    let side = |from: &[f64; 2], to: &[f64; 2]| {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        (u * dy - v * dx).abs() + c * (dx * dx + dy * dy).sqrt()
    };
    let mut sum = side(x[0], x[1]);
    sum += side(x[1], x[2]);
    sum += side(x[2], x[3]);
    sum += side(x[3], x[0]);
    *adt = sum / constants.cfl;
}

/// Flux between two cells with smoothing mu = eps (adt1 + adt2) / 2: added to `res1`, taken from `res2`.
pub fn res_calc(
    constants: &Constants,
    x: [&[f64; 2]; 2],
    q: [&[f64; 4]; 2],
    adt: [f64; 2],
    res1: &mut [f64; 4],
    res2: &mut [f64; 4],
) {
    let mu = 0.5 * constants.eps * (adt[0] + adt[1]);
    let f = flux(constants, x, q, mu);
    for n in 0..4 {
        res1[n] += f[n];
    }
    for n in 0..4 {
        res2[n] -= f[n];
    }
}

/// Flux through a boundary edge: pressure alone at a wall, else the flux against the free stream with mu = eps adt.
pub fn bres_calc(
    constants: &Constants,
    x: [&[f64; 2]; 2],
    q: &[f64; 4],
    adt: f64,
    res: &mut [f64; 4],
    bound: i32,
) {
    if bound == BOUND_WALL {
        let (dx, dy) = (x[0][0] - x[1][0], x[0][1] - x[1][1]);
        let p = pressure(constants, 1.0 / q[0], q);
        res[1] += p * dy;
        res[2] -= p * dx;
    } else {
        let f = flux(constants, x, [q, &constants.qinf], constants.eps * adt);
        for n in 0..4 {
            res[n] += f[n];
        }
    }
}

/// q = qold - res / adt, res = 0, rms += the squared change.
pub fn update(qold: &[f64; 4], q: &mut [f64; 4], res: &mut [f64; 4], adt: f64, rms: &mut f64) {
    let adti = 1.0 / adt;
    for n in 0..4 {
        let del = adti * res[n];
        q[n] = qold[n] - del;
        res[n] = 0.0;
        *rms += del * del;
    }
}

/// p = gm1 (q3 - (q1^2 + q2^2) / (2 q0)), with ri = 1 / q0.
fn pressure(constants: &Constants, ri: f64, q: &[f64; 4]) -> f64 {
    constants.gm1 * (q[3] - 0.5 * ri * (q[1] * q[1] + q[2] * q[2]))
}

/// Mean of both sides' fluxes of (mass, momentum x, momentum y, energy) through the edge `x[0] - x[1]`, plus mu times the jump.
fn flux(constants: &Constants, x: [&[f64; 2]; 2], q: [&[f64; 4]; 2], mu: f64) -> [f64; 4] {
    let [q1, q2] = q;
    let (dx, dy) = (x[0][0] - x[1][0], x[0][1] - x[1][1]);
    let (ri1, ri2) = (1.0 / q1[0], 1.0 / q2[0]);
    let (p1, p2) = (pressure(constants, ri1, q1), pressure(constants, ri2, q2));
    let vol1 = ri1 * (q1[1] * dy - q1[2] * dx);
    let vol2 = ri2 * (q2[1] * dy - q2[2] * dx);
    [
        0.5 * (vol1 * q1[0] + vol2 * q2[0]) + mu * (q1[0] - q2[0]),
        0.5 * (vol1 * q1[1] + p1 * dy + vol2 * q2[1] + p2 * dy) + mu * (q1[1] - q2[1]),
        0.5 * (vol1 * q1[2] - p1 * dx + vol2 * q2[2] - p2 * dx) + mu * (q1[2] - q2[2]),
        0.5 * (vol1 * (q1[3] + p1) + vol2 * (q2[3] + p2)) + mu * (q1[3] - q2[3]),
    ]
}

/// The five loops over a mesh, with the dats they work on.
#[derive(Debug, Clone)]
pub struct Reference<'m> {
    mesh: &'m Mesh,
    constants: Constants,
    /// State of the cells: `[ncell][4]`.
    pub q: Vec<[f64; 4]>,
    /// State at the start of the iteration: `[ncell][4]`.
    pub qold: Vec<[f64; 4]>,
    /// Residual of the cells: `[ncell][4]`.
    pub res: Vec<[f64; 4]>,
    /// Area over time step: `[ncell]`.
    pub adt: Vec<f64>,
}

impl<'m> Reference<'m> {
    /// The published start: q is the free stream, res is 0.
    pub fn new(mesh: &'m Mesh) -> Reference<'m> {
        let constants = Constants::published();
        let ncell = mesh.ncell();
        Reference {
            mesh,
            constants,
            q: vec![constants.qinf; ncell],
            qold: vec![[0.0; 4]; ncell],
            res: vec![[0.0; 4]; ncell],
            adt: vec![0.0; ncell],
        }
    }

    /// One iteration; gives sqrt(rms / cells) of its second half.
    pub fn iterate(&mut self) -> f64 {
        self.save_soln();
        let mut rms = 0.0;
        for _half in 0..2 {
            self.adt_calc();
            self.res_calc();
            self.bres_calc();
            rms = self.update();
        }
        (rms / self.mesh.ncell() as f64).sqrt()
    }

    /// Runs `iterations` iterations; gives (iteration, rms) at each multiple of `every` and at the last one.
    pub fn history(&mut self, iterations: usize, every: usize) -> Vec<(usize, f64)> {
        let mut history = Vec::new();
        for iteration in 1..=iterations {
            let rms = self.iterate();
            if iteration % every.max(1) == 0 || iteration == iterations {
                history.push((iteration, rms));
            }
        }
        history
    }

    /// Loop over cells.
    pub fn save_soln(&mut self) {
        for (q, qold) in self.q.iter().zip(&mut self.qold) {
            save_soln(q, qold);
        }
    }

    /// Loop over cells.
    pub fn adt_calc(&mut self) {
        let (x, _) = self.mesh.x.as_chunks::<2>();
        let (cells, _) = self.mesh.cells.as_chunks::<4>();
        for ((nodes, q), adt) in cells.iter().zip(&self.q).zip(&mut self.adt) {
            adt_calc(&self.constants, nodes.map(|node| &x[node as usize]), q, adt);
        }
    }

    /// Loop over interior edges.
    pub fn res_calc(&mut self) {
        let (x, _) = self.mesh.x.as_chunks::<2>();
        let (edges, _) = self.mesh.edges.as_chunks::<2>();
        let (edge_cells, _) = self.mesh.edge_cells.as_chunks::<2>();
        for (nodes, cells) in edges.iter().zip(edge_cells) {
            let [c1, c2] = cells.map(|cell| cell as usize);
            let (mut res1, mut res2) = ([0.0; 4], [0.0; 4]);
            res_calc(
                &self.constants,
                nodes.map(|node| &x[node as usize]),
                [&self.q[c1], &self.q[c2]],
                [self.adt[c1], self.adt[c2]],
                &mut res1,
                &mut res2,
            );
            add(&mut self.res[c1], &res1);
            add(&mut self.res[c2], &res2);
        }
    }

    /// Loop over boundary edges.
    pub fn bres_calc(&mut self) {
        let (x, _) = self.mesh.x.as_chunks::<2>();
        let (bedges, _) = self.mesh.bedges.as_chunks::<2>();
        for ((nodes, &cell), &bound) in bedges
            .iter()
            .zip(&self.mesh.bedge_cells)
            .zip(&self.mesh.bound)
        {
            let c = cell as usize;
            let mut res = [0.0; 4];
            let nodes = nodes.map(|node| &x[node as usize]);
            bres_calc(
                &self.constants,
                nodes,
                &self.q[c],
                self.adt[c],
                &mut res,
                bound,
            );
            add(&mut self.res[c], &res);
        }
    }

    /// Loop over cells; gives the sum of the squared changes.
    pub fn update(&mut self) -> f64 {
        let mut rms = 0.0;
        for (c, &adt) in self.adt.iter().enumerate() {
            let mut change = 0.0;
            update(
                &self.qold[c],
                &mut self.q[c],
                &mut self.res[c],
                adt,
                &mut change,
            );
            rms += change;
        }
        rms
    }
}

/// An increment goes back after the kernel, from a local that started at zero.
fn add(to: &mut [f64; 4], increment: &[f64; 4]) {
    for n in 0..4 {
        to[n] += increment[n];
    }
}
