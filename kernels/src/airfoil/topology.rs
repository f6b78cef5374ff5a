//! Airfoil's sets and maps on the runtime, and the dats that are the mesh's: numbered as asked for.
//!
//! Under [`Order::Rcm`] cells are neighbours across an edge and are numbered by reverse Cuthill-McKee; edges and boundary edges
//! follow, sorted by the lowest of their cells; nodes come as the cells name them.

use super::mesh::Mesh;
use crate::app::AppError;
use crate::order::{Order, shuffled};
use parloop::{Dat, Engine, Map, RenumberError, Renumbering, Set};

/// Sets, maps, and the data that comes with the mesh.
pub(super) struct Topology {
    pub(super) nodes: Set,
    pub(super) cells: Set,
    pub(super) edges: Set,
    pub(super) bedges: Set,
    pub(super) cell_nodes: Map,
    pub(super) edge_nodes: Map,
    pub(super) edge_cells: Map,
    pub(super) bedge_nodes: Map,
    pub(super) bedge_cell: Map,
    /// Coordinates of the nodes: dim 2.
    pub(super) x: Dat,
    /// Kind of the boundary edges: dim 1.
    pub(super) bound: Dat,
}

impl Topology {
    pub(super) fn new(engine: &Engine, mesh: &Mesh, order: Order) -> Result<Topology, AppError> {
        let mut topology = Topology::natural(engine, mesh)?;
        if order != Order::Natural {
            topology.shuffle()?;
        }
        if order == Order::Rcm {
            topology.order()?;
        }
        Ok(topology)
    }

    fn natural(engine: &Engine, mesh: &Mesh) -> Result<Topology, AppError> {
        let nodes = Set::new("nodes", mesh.nnode())?;
        let cells = Set::new("cells", mesh.ncell())?;
        let edges = Set::new("edges", mesh.nedge())?;
        let bedges = Set::new("bedges", mesh.nbedge())?;
        let map = |name, from: &Set, to: &Set, arity, entries: &[i32]| {
            Map::new(name, from, to, arity, entries)
        };
        Ok(Topology {
            cell_nodes: map("cell_nodes", &cells, &nodes, 4, &mesh.cells)?,
            edge_nodes: map("edge_nodes", &edges, &nodes, 2, &mesh.edges)?,
            edge_cells: map("edge_cells", &edges, &cells, 2, &mesh.edge_cells)?,
            bedge_nodes: map("bedge_nodes", &bedges, &nodes, 2, &mesh.bedges)?,
            bedge_cell: map("bedge_cell", &bedges, &cells, 1, &mesh.bedge_cells)?,
            x: engine.dat(&nodes, "x", 2, &mesh.x)?,
            bound: engine.dat(&bedges, "bound", 1, &mesh.bound)?,
            nodes,
            cells,
            edges,
            bedges,
        })
    }

    fn shuffle(&mut self) -> Result<(), RenumberError> {
        for set in [&self.nodes, &self.cells, &self.edges, &self.bedges].map(Set::clone) {
            self.renumber(&shuffled(&set)?)?;
        }
        Ok(())
    }

    fn order(&mut self) -> Result<(), RenumberError> {
        self.renumber(&Renumbering::rcm(&self.cells, &[&self.edge_cells])?)?;
        self.renumber(&Renumbering::along(&self.edges, &self.edge_cells)?)?;
        self.renumber(&Renumbering::along(&self.bedges, &self.bedge_cell)?)?;
        self.renumber(&Renumbering::along(&self.nodes, &self.cell_nodes)?)
    }

    /// A set, with all that hangs on it.
    fn renumber(&mut self, by: &Renumbering) -> Result<(), RenumberError> {
        let sets = [
            &mut self.nodes,
            &mut self.cells,
            &mut self.edges,
            &mut self.bedges,
        ];
        let maps = [
            &mut self.cell_nodes,
            &mut self.edge_nodes,
            &mut self.edge_cells,
            &mut self.bedge_nodes,
            &mut self.bedge_cell,
        ];
        let old = by.old_set();
        for map in maps {
            if map.from_set() == old || map.to_set() == old {
                *map = by.map(map)?;
            }
        }
        for dat in [&mut self.x, &mut self.bound] {
            if dat.set() == old {
                *dat = by.dat(dat)?;
            }
        }
        for set in sets {
            if set == old {
                *set = by.set().clone();
            }
        }
        Ok(())
    }
}
