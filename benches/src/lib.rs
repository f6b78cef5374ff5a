//! What the benchmarks share: airfoil's `res_calc` over an empty mesh, so that only what surrounds the elements is measured.
//!
//! Results that were kept are under `record/`, whose README says how they were taken.

use parloop::{Arg, DType, Dat, Engine, Kernel, Map, Set};
use parloop_kernels::airfoil::{Constants, RES_CALC};

/// `res_calc` on an engine: all that a call needs besides its kernel.
#[derive(Debug)]
pub struct ResCalc {
    engine: Engine,
    edges: Set,
    edge_nodes: Map,
    edge_cells: Map,
    x: Dat,
    q: Dat,
    adt: Dat,
    res: Dat,
}

impl ResCalc {
    /// Declares the constants on `engine`, and makes sets, maps and dats without elements.
    ///
    /// # Panics
    /// If the engine refuses any of it, which would be a fault of the benchmark.
    pub fn new(engine: &Engine) -> ResCalc {
        for (name, values) in Constants::published().named() {
            engine.declare_constant(name, values).expect("a constant");
        }
        let set = |name| Set::new(name, 0).expect("an empty set");
        let (nodes, cells, edges) = (set("nodes"), set("cells"), set("edges"));
        let map = |name, to| Map::new(name, &edges, to, 2, Vec::<i32>::new()).expect("a map");
        let dat = |set, name, dim| {
            engine
                .dat_zeroed(set, name, dim, DType::F64)
                .expect("a dat")
        };
        ResCalc {
            engine: engine.clone(),
            edge_nodes: map("edge_nodes", &nodes),
            edge_cells: map("edge_cells", &cells),
            x: dat(&nodes, "x", 2),
            q: dat(&cells, "q", 4),
            adt: dat(&cells, "adt", 1),
            res: dat(&cells, "res", 4),
            edges,
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The set to loop over.
    pub fn edges(&self) -> &Set {
        &self.edges
    }

    /// A kernel of which the engine knows nothing but the text.
    pub fn kernel(&self) -> Kernel {
        self.engine.kernel(RES_CALC.source, Some(RES_CALC.function))
    }

    /// The arguments.
    pub fn args(&self) -> [Arg<'_>; 8] {
        let (nodes, cells) = (&self.edge_nodes, &self.edge_cells);
        [
            self.x.read().at(nodes, 0),
            self.x.read().at(nodes, 1),
            self.q.read().at(cells, 0),
            self.q.read().at(cells, 1),
            self.adt.read().at(cells, 0),
            self.adt.read().at(cells, 1),
            self.res.inc().at(cells, 0),
            self.res.inc().at(cells, 1),
        ]
    }
}
