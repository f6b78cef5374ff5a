//! jac on the runtime: sets, map, dats and the two loops, in double or in single precision.
//!
//! The constant `alpha` has the app's type, so an engine runs jac in one precision.

use super::mesh::Grid;
use super::reference::{Real, Totals};
use super::{ALPHA, BETA, RES_F32, RES_F64, UPDATE_F32, UPDATE_F64};
use crate::app::{App, AppError, AppLoop, Runner, Sizes, get, run_loop, set};
use crate::order::{Order, shuffled};
use crate::text::KernelText;
use parloop::{Dat, Engine, Global, Map, PreparedLoop, RenumberError, Renumbering, Set};
use std::marker::PhantomData;

const RES: usize = 0;
const UPDATE: usize = 1;

/// A precision that jac comes in: `f64` and `f32`.
pub trait Precision: Real + parloop::Real + Into<f64> {
    /// The text of `res`.
    const RES: KernelText;
    /// The text of `update`.
    const UPDATE: KernelText;
}

impl Precision for f64 {
    const RES: KernelText = RES_F64;
    const UPDATE: KernelText = UPDATE_F64;
}

impl Precision for f32 {
    const RES: KernelText = RES_F32;
    const UPDATE: KernelText = UPDATE_F32;
}

/// jac, ready to run.
#[derive(Debug)]
pub struct Jac<T> {
    sizes: Sizes,
    u: Dat,
    du: Dat,
    u_sum: Global,
    u_max: Global,
    loops: Vec<AppLoop>,
    precision: PhantomData<T>,
}

/// Nodes, edges, and what is on them from the start.
struct Matrix {
    ends: Map,
    a: Dat,
    r: Dat,
}

impl Matrix {
    fn new<T: Precision>(
        engine: &Engine,
        grid: &Grid<T>,
        order: Order,
    ) -> Result<Matrix, AppError> {
        let nodes = Set::new("nodes", grid.nnode())?;
        let edges = Set::new("edges", grid.nedge())?;
        let mut matrix = Matrix {
            ends: Map::new("ends", &edges, &nodes, 2, grid.edges.as_slice())?,
            a: engine.dat(&edges, "A", 1, &grid.a)?,
            r: engine.dat(&nodes, "r", 1, &grid.r)?,
        };
        if order != Order::Natural {
            matrix = matrix.renumbered(&shuffled(&nodes)?, |ends| shuffled(ends.from_set()))?;
        }
        if order == Order::Rcm {
            let nodes = Renumbering::rcm(matrix.ends.to_set(), &[&matrix.ends])?;
            let along = |ends: &Map| Renumbering::along(ends.from_set(), ends);
            matrix = matrix.renumbered(&nodes, along)?;
        }
        Ok(matrix)
    }

    /// Nodes first, then edges as the map to the new nodes tells.
    fn renumbered(
        &self,
        nodes: &Renumbering,
        edges: impl Fn(&Map) -> Result<Renumbering, RenumberError>,
    ) -> Result<Matrix, RenumberError> {
        let ends = nodes.map(&self.ends)?;
        let edges = edges(&ends)?;
        Ok(Matrix {
            ends: edges.map(&ends)?,
            a: edges.dat(&self.a)?,
            r: nodes.dat(&self.r)?,
        })
    }
}

impl<T: Precision> Jac<T> {
    /// Sets jac up on `grid`. Declares `alpha` on `engine`, and gets the code of both loops.
    ///
    /// # Errors
    /// [`AppError`], for an engine whose `alpha` has the other precision as an example.
    pub fn new(engine: &Engine, grid: &Grid<T>) -> Result<Jac<T>, AppError> {
        Jac::in_order(engine, grid, Order::Natural)
    }

    /// The same with nodes and edges in another order. Under [`Order::Rcm`] nodes are numbered by reverse Cuthill-McKee, and
    /// edges are sorted by the lower of their nodes.
    ///
    /// # Errors
    /// As [`Jac::new`].
    pub fn in_order(engine: &Engine, grid: &Grid<T>, order: Order) -> Result<Jac<T>, AppError> {
        let zero = T::from(0.0);
        engine.declare_constant("alpha", &[T::from(ALPHA)])?;
        let Matrix { ends, a, r } = Matrix::new(engine, grid, order)?;
        let (edges, nodes) = (ends.from_set().clone(), ends.to_set().clone());
        let u = engine.dat_zeroed(&nodes, "u", 1, T::DTYPE)?;
        let du = engine.dat_zeroed(&nodes, "du", 1, T::DTYPE)?;
        let beta = engine.global("beta", &[T::from(BETA)])?;
        let u_sum = engine.global("u_sum", &[zero])?;
        let u_max = engine.global("u_max", &[zero])?;

        let kernel = |text: &KernelText| engine.kernel(text.source, Some(text.function));
        let res_args = [
            a.read(),
            u.read().at(&ends, 1),
            du.inc().at(&ends, 0),
            beta.read(),
        ];
        let res = engine.prepare(&kernel(&T::RES), &edges, &res_args)?;
        let update_args = [r.read(), du.rw(), u.rw(), u_sum.inc(), u_max.max()];
        let update = engine.prepare(&kernel(&T::UPDATE), &nodes, &update_args)?;
        Ok(Jac {
            sizes: Sizes {
                nodes: grid.nnode(),
                edges: grid.nedge(),
                ..Sizes::default()
            },
            loops: vec![
                AppLoop::new(&T::RES, grid.nedge(), res),
                AppLoop::new(&T::UPDATE, grid.nnode(), update),
            ],
            u,
            du,
            u_sum,
            u_max,
            precision: PhantomData,
        })
    }

    /// Solution at the nodes: dim 1.
    pub fn u(&self) -> &Dat {
        &self.u
    }

    /// Change of the solution at the nodes: dim 1. Zero between iterations.
    pub fn du(&self) -> &Dat {
        &self.du
    }

    /// What the last iteration summed up.
    ///
    /// # Errors
    /// [`AppError::Data`] while somebody else writes the globals.
    pub fn totals(&self) -> Result<Totals<T>, AppError> {
        Ok(Totals {
            u_sum: get(&self.u_sum)?,
            u_max: get(&self.u_max)?,
        })
    }

    /// The loop `res`.
    pub fn res(&mut self) -> &mut PreparedLoop {
        &mut self.loops[RES].prepared
    }

    /// The loop `update`; it adds to `u_sum` and raises `u_max`.
    pub fn update(&mut self) -> &mut PreparedLoop {
        &mut self.loops[UPDATE].prepared
    }
}

impl<T: Precision> App for Jac<T> {
    fn loops(&self) -> &[AppLoop] {
        &self.loops
    }

    fn loops_mut(&mut self) -> &mut [AppLoop] {
        &mut self.loops
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn reset(&mut self) -> Result<(), AppError> {
        let zero = T::from(0.0);
        for dat in [&self.u, &self.du] {
            dat.data_mut::<T>()?.fill(zero);
        }
        set(&self.u_sum, zero)?;
        Ok(set(&self.u_max, zero)?)
    }

    /// Reports sqrt(u_sum / nodes), which goes to 1.
    fn iterate_with(&mut self, run: &mut Runner<'_>) -> Result<f64, AppError> {
        run_loop(&mut self.loops, RES, run)?;
        set(&self.u_sum, T::from(0.0))?;
        set(&self.u_max, T::from(0.0))?;
        run_loop(&mut self.loops, UPDATE, run)?;
        let u_sum: f64 = self.totals()?.u_sum.into();
        Ok((u_sum / self.sizes.nodes as f64).sqrt())
    }
}
