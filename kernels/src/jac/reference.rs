//! jac in plain Rust, and its solution in closed form.
//!
//! [`Reference`] does what the C kernels do, in the same order and precision, without contraction: a strict run agrees bit
//! for bit. [`analytic`] knows nothing of edges: the error of Jacobi's method on a square decays mode by mode, each by its own
//! factor (Golub, Van Loan: "Matrix Computations", section 11.2), and so u is a sum of sines.

use std::f64::consts::PI;
use std::ops::{Add, AddAssign, Mul};

use super::mesh::Grid;
use super::{ALPHA, BETA};

/// What the numerics need of a floating-point type: `f64` and `f32` have it.
pub trait Real:
    Copy
    + From<f32>
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + PartialOrd
    + std::fmt::Debug
{
}

impl Real for f64 {}
impl Real for f32 {}

/// du += beta A u.
pub fn res<T: Real>(a: T, u: T, du: &mut T, beta: T) {
    *du += beta * a * u;
}

/// u += du + alpha r, du = 0; u^2 added to `u_sum`, `u_max` raised to u.
pub fn update<T: Real>(alpha: T, r: T, du: &mut T, u: &mut T, u_sum: &mut T, u_max: &mut T) {
    *u += *du + alpha * r;
    *du = T::from(0.0);
    *u_sum += *u * *u;
    *u_max = if *u_max > *u { *u_max } else { *u };
}

/// What an iteration reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals<T> {
    /// Sum of u^2 over the nodes.
    pub u_sum: T,
    /// Largest u of the nodes, or 0 if that is larger.
    pub u_max: T,
}

/// The two loops over a grid, with the dats they work on.
#[derive(Debug, Clone)]
pub struct Reference<'g, T> {
    grid: &'g Grid<T>,
    /// Solution: `[nnode]`.
    pub u: Vec<T>,
    /// Change of the solution: `[nnode]`.
    pub du: Vec<T>,
}

impl<'g, T: Real> Reference<'g, T> {
    /// Starts from u = du = 0.
    pub fn new(grid: &'g Grid<T>) -> Reference<'g, T> {
        let zeros = vec![T::from(0.0); grid.nnode()];
        Reference {
            grid,
            u: zeros.clone(),
            du: zeros,
        }
    }

    /// One iteration: res, then update with u_sum = u_max = 0.
    pub fn iterate(&mut self) -> Totals<T> {
        self.res();
        self.update()
    }

    /// Loop over edges.
    pub fn res(&mut self) {
        let (edges, _) = self.grid.edges.as_chunks::<2>();
        for (&[row, column], &a) in edges.iter().zip(&self.grid.a) {
            let mut increment = T::from(0.0);
            res(a, self.u[column as usize], &mut increment, T::from(BETA));
            self.du[row as usize] += increment;
        }
    }

    /// Loop over nodes.
    pub fn update(&mut self) -> Totals<T> {
        let mut totals = Totals {
            u_sum: T::from(0.0),
            u_max: T::from(0.0),
        };
        for ((&r, du), u) in self.grid.r.iter().zip(&mut self.du).zip(&mut self.u) {
            let mut square = T::from(0.0);
            update(T::from(ALPHA), r, du, u, &mut square, &mut totals.u_max);
            totals.u_sum += square;
        }
        totals
    }
}

/// u after `iterations` iterations from u = 0 on a grid of `squares` x `squares` squares, and its totals: `[nnode]`.
///
/// The start's error -1 is a sum of modes sin(p pi i / NN) sin(q pi j / NN) with p, q odd and weights a_p a_q, where
/// a_p = (2 / NN) cot(p pi / (2 NN)); an iteration multiplies each by (cos(p pi / NN) + cos(q pi / NN)) / 2. Takes time
/// NN^3; meant for grids of up to a few hundred squares.
pub fn analytic(squares: usize, iterations: u32) -> (Vec<f64>, Totals<f64>) {
    let side = squares - 1;
    let angle = |k: usize| PI * k as f64 / squares as f64;
    let odd: Vec<usize> = (1..squares).step_by(2).collect();
    // sine has shape [odd mode][place], weight [odd mode].
    let sine: Vec<Vec<f64>> = odd
        .iter()
        .map(|p| (1..squares).map(|i| (angle(*p) * i as f64).sin()).collect())
        .collect();
    let weight: Vec<f64> = odd
        .iter()
        .map(|&p| 2.0 / squares as f64 / (angle(p) / 2.0).tan())
        .collect();

    // half[p][j] is the sum over q of all that does not depend on i.
    let half: Vec<Vec<f64>> = odd
        .iter()
        .map(|&p| {
            let factors = odd.iter().zip(&weight).map(|(&q, weight)| {
                weight * ((angle(p).cos() + angle(q).cos()) / 2.0).powi(iterations as i32)
            });
            let factors: Vec<f64> = factors.collect();
            (0..side)
                .map(|j| {
                    factors
                        .iter()
                        .zip(&sine)
                        .map(|(factor, sine)| factor * sine[j])
                        .sum()
                })
                .collect()
        })
        .collect();
    let error = |i: usize, j: usize| -> f64 {
        (0..odd.len())
            .map(|p| weight[p] * sine[p][i] * half[p][j])
            .sum()
    };
    let u: Vec<f64> = (0..side * side)
        .map(|node| 1.0 - error(node % side, node / side))
        .collect();
    let totals = Totals {
        u_sum: u.iter().map(|u| u * u).sum(),
        u_max: u.iter().copied().fold(0.0, f64::max),
    };
    (u, totals)
}
