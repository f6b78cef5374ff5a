//! Airfoil on the runtime: its sets, maps, dats and constants, its five loops, and the iteration.
//!
//! Arguments are in OP2's convention, one pointer for each map entry. The dats start as published: q is the free stream, res
//! is zero.

use super::mesh::Mesh;
use super::topology::Topology;
use super::{ADT_CALC, BRES_CALC, Constants, RES_CALC, SAVE_SOLN, UPDATE};
use crate::app::{App, AppError, AppLoop, Runner, Sizes, get, run_loop, set};
use crate::order::Order;
use crate::text::KernelText;
use parloop::{Arg, DType, Dat, Engine, Global, PreparedLoop, Set};

/// Places of the loops in [`App::loops`].
const SAVE: usize = 0;
const ADT: usize = 1;
const RES: usize = 2;
const BRES: usize = 3;
const UPD: usize = 4;

/// Airfoil, ready to run.
#[derive(Debug)]
pub struct Airfoil {
    sizes: Sizes,
    constants: Constants,
    q: Dat,
    qold: Dat,
    res: Dat,
    adt: Dat,
    rms: Global,
    loops: Vec<AppLoop>,
}

impl Airfoil {
    /// Sets airfoil up on `mesh` with the published constants, which it declares on `engine`. Gets the code of all loops.
    ///
    /// # Errors
    /// [`AppError`], for a mesh with map values out of range as an example.
    pub fn new(engine: &Engine, mesh: &Mesh) -> Result<Airfoil, AppError> {
        Airfoil::in_order(engine, mesh, Order::Natural)
    }

    /// The same with the mesh's sets in another order.
    ///
    /// # Errors
    /// As [`Airfoil::new`].
    pub fn in_order(engine: &Engine, mesh: &Mesh, order: Order) -> Result<Airfoil, AppError> {
        let constants = Constants::published();
        for (name, values) in constants.named() {
            engine.declare_constant(name, values)?;
        }
        let on = Topology::new(engine, mesh, order)?;
        let on_cells = |name, dim| engine.dat_zeroed(&on.cells, name, dim, DType::F64);
        let mut airfoil = Airfoil {
            sizes: Sizes {
                nodes: mesh.nnode(),
                cells: mesh.ncell(),
                edges: mesh.nedge(),
                bedges: mesh.nbedge(),
            },
            constants,
            q: on_cells("q", 4)?,
            qold: on_cells("qold", 4)?,
            res: on_cells("res", 4)?,
            adt: on_cells("adt", 1)?,
            rms: engine.global("rms", &[0.0])?,
            loops: Vec::with_capacity(5),
        };
        airfoil.loops = airfoil.prepare(engine, &on)?;
        airfoil.reset()?;
        Ok(airfoil)
    }

    fn prepare(&self, engine: &Engine, on: &Topology) -> Result<Vec<AppLoop>, AppError> {
        let Airfoil {
            q, qold, res, adt, ..
        } = self;
        let prepare = |text: &KernelText, over: &Set, args: &[Arg<'_>]| {
            let kernel = engine.kernel(text.source, Some(text.function));
            let prepared = engine.prepare(&kernel, over, args)?;
            Ok::<_, AppError>(AppLoop::new(text, over.size(), prepared))
        };
        let corner = |index| on.x.read().at(&on.cell_nodes, index);
        let end = |index| on.x.read().at(&on.edge_nodes, index);
        let bend = |index| on.x.read().at(&on.bedge_nodes, index);
        let (sides, side) = (&on.edge_cells, &on.bedge_cell);
        Ok(vec![
            prepare(&SAVE_SOLN, &on.cells, &[q.read(), qold.write()])?,
            prepare(
                &ADT_CALC,
                &on.cells,
                &[
                    corner(0),
                    corner(1),
                    corner(2),
                    corner(3),
                    q.read(),
                    adt.write(),
                ],
            )?,
            prepare(
                &RES_CALC,
                &on.edges,
                &[
                    end(0),
                    end(1),
                    q.read().at(sides, 0),
                    q.read().at(sides, 1),
                    adt.read().at(sides, 0),
                    adt.read().at(sides, 1),
                    res.inc().at(sides, 0),
                    res.inc().at(sides, 1),
                ],
            )?,
            prepare(
                &BRES_CALC,
                &on.bedges,
                &[
                    bend(0),
                    bend(1),
                    q.read().at(side, 0),
                    adt.read().at(side, 0),
                    res.inc().at(side, 0),
                    on.bound.read(),
                ],
            )?,
            prepare(
                &UPDATE,
                &on.cells,
                &[qold.read(), q.write(), res.rw(), adt.read(), self.rms.inc()],
            )?,
        ])
    }

    /// State of the cells: dim 4.
    pub fn q(&self) -> &Dat {
        &self.q
    }

    /// Residual of the cells: dim 4. Zero between iterations.
    pub fn res(&self) -> &Dat {
        &self.res
    }

    /// Area over time step of the cells: dim 1.
    pub fn adt(&self) -> &Dat {
        &self.adt
    }

    /// The loop `save_soln`.
    pub fn save_soln(&mut self) -> &mut PreparedLoop {
        &mut self.loops[SAVE].prepared
    }

    /// The loop `adt_calc`.
    pub fn adt_calc(&mut self) -> &mut PreparedLoop {
        &mut self.loops[ADT].prepared
    }

    /// The loop `res_calc`.
    pub fn res_calc(&mut self) -> &mut PreparedLoop {
        &mut self.loops[RES].prepared
    }

    /// The loop `bres_calc`.
    pub fn bres_calc(&mut self) -> &mut PreparedLoop {
        &mut self.loops[BRES].prepared
    }

    /// The loop `update`; it adds to the sum of squared changes.
    pub fn update(&mut self) -> &mut PreparedLoop {
        &mut self.loops[UPD].prepared
    }
}

impl App for Airfoil {
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
        let free_stream = self.constants.qinf;
        for q in self.q.data_mut::<f64>()?.as_chunks_mut::<4>().0 {
            *q = free_stream;
        }
        for dat in [&self.qold, &self.res, &self.adt] {
            dat.data_mut::<f64>()?.fill(0.0);
        }
        Ok(set(&self.rms, 0.0)?)
    }

    /// Reports sqrt(rms / cells) of the iteration's second half.
    fn iterate_with(&mut self, run: &mut Runner<'_>) -> Result<f64, AppError> {
        let Airfoil {
            loops, rms, sizes, ..
        } = self;
        run_loop(loops, SAVE, run)?;
        for _half in 0..2 {
            run_loop(loops, ADT, run)?;
            run_loop(loops, RES, run)?;
            run_loop(loops, BRES, run)?;
            set(rms, 0.0)?;
            run_loop(loops, UPD, run)?;
        }
        Ok((get::<f64>(rms)? / sizes.cells as f64).sqrt())
    }
}
