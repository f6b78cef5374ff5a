//! Loops of a finite-volume shallow-water code on triangles, in floats: gradients, limiter, fluxes, time step.
//!
//! Texts are those of `fixtures/op2/shallow_water.c`. States are h, hu, hv and the bed; each loop has data of its own, so that
//! every iteration does the same.

use super::builder::{Builder, Kept, numbers};
use super::grid::{Cell, Grid};
use crate::app::AppError;
use crate::order::{Order, shuffled};
use parloop::{DType, Dat, Engine, Map, RenumberError, Renumbering, Set};

const TEXT: &str = include_str!("../../fixtures/op2/shallow_water.c");

/// Cells and the edges between them.
struct Mesh {
    cells: Set,
    /// The cells at the sides of each edge.
    sides: Map,
    /// The edges of each cell; the cells of the surface have some edge twice.
    edges: Map,
}

/// Adds the loops, on cells with about so many bytes of data.
pub(super) fn add(builder: &mut Builder<'_>, bytes: usize, order: Order) -> Result<(), AppError> {
    let mesh = Mesh::new(bytes / 160, order)?;
    let engine = builder.engine;
    let cell = |name, dim| floats(engine, &mesh.cells, name, dim);
    let (q, centre) = (cell("q", 4)?, cell("centre", 2)?);
    let volume = cell("volume", 1)?;
    save(builder, &mesh, &q)?;
    gradient(builder, &mesh, &q)?;
    limiter(builder, &mesh, &q, &centre)?;
    flux(builder, &mesh, &q)?;
    time_step(builder, &mesh, &volume)?;
    evolve(builder, &mesh, &q, &volume)
}

fn floats(engine: &Engine, set: &Set, name: &str, dim: usize) -> Result<Dat, AppError> {
    let values = numbers(set.size() * dim).into_iter();
    let values: Vec<f32> = values.map(|x| x as f32).collect();
    Ok(engine.dat(set, name, dim, &values)?)
}

/// A dat that a loop writes.
fn written(builder: &mut Builder<'_>, set: &Set, name: &str, dim: usize) -> Result<Dat, AppError> {
    let dat = builder.engine.dat_zeroed(set, name, dim, DType::F32)?;
    builder.kept.push(Kept::Floats(dat.clone()));
    Ok(dat)
}

fn save(builder: &mut Builder<'_>, mesh: &Mesh, q: &Dat) -> Result<(), AppError> {
    let old = written(builder, &mesh.cells, "old", 4)?;
    let args = [q.read(), old.write()];
    builder.add("sim_step_save", "sim_step_save", TEXT, &mesh.cells, &args)
}

fn gradient(builder: &mut Builder<'_>, mesh: &Mesh, q: &Dat) -> Result<(), AppError> {
    let (edges, sides) = (mesh.sides.from_set(), &mesh.sides);
    let normal = floats(builder.engine, edges, "normal", 2)?;
    let length = floats(builder.engine, edges, "length", 1)?;
    let gradient = written(builder, &mesh.cells, "gradient", 8)?;
    let args = [
        q.read().at(sides, 0),
        q.read().at(sides, 1),
        normal.read(),
        length.read(),
        gradient.inc().at(sides, 0),
        gradient.inc().at(sides, 1),
    ];
    builder.add("edge_gradient", "edge_gradient", TEXT, edges, &args)
}

fn limiter(builder: &mut Builder<'_>, mesh: &Mesh, q: &Dat, centre: &Dat) -> Result<(), AppError> {
    let cell = |name, dim| floats(builder.engine, &mesh.cells, name, dim);
    let (low, high) = (cell("qmin", 4)?, cell("qmax", 4)?);
    let (gradient, centres) = (cell("gradient", 8)?, cell("edge_centres", 6)?);
    let limits = written(builder, &mesh.cells, "limits", 4)?;
    let args = [
        q.read(),
        low.read(),
        high.read(),
        gradient.read(),
        centres.read(),
        centre.read(),
        limits.write(),
    ];
    builder.add("limiter", "limiter", TEXT, &mesh.cells, &args)
}

fn flux(builder: &mut Builder<'_>, mesh: &Mesh, q: &Dat) -> Result<(), AppError> {
    let (edges, sides) = (mesh.sides.from_set(), &mesh.sides);
    let normal = floats(builder.engine, edges, "normal", 2)?;
    let length = floats(builder.engine, edges, "length", 1)?;
    let boundary = builder
        .engine
        .dat_zeroed(edges, "boundary", 1, DType::I32)?;
    let change = written(builder, &mesh.cells, "change", 4)?;
    let fastest = written(builder, edges, "fastest", 1)?;
    let args = [
        q.read().at(sides, 0),
        q.read().at(sides, 1),
        normal.read(),
        length.read(),
        boundary.read(),
        change.inc().at(sides, 0),
        change.inc().at(sides, 1),
        fastest.write(),
    ];
    builder.add("hllc_flux", "hllc_flux", TEXT, edges, &args)
}

fn time_step(builder: &mut Builder<'_>, mesh: &Mesh, volume: &Dat) -> Result<(), AppError> {
    let speed = floats(builder.engine, mesh.sides.from_set(), "speed", 1)?;
    let lengths = floats(builder.engine, &mesh.cells, "lengths", 3)?;
    let step = builder.engine.global("step", &[f32::MAX])?;
    builder.kept.push(Kept::Lowest(step.clone(), f32::MAX));
    let args = [
        speed.read().at(&mesh.edges, 0),
        speed.read().at(&mesh.edges, 1),
        speed.read().at(&mesh.edges, 2),
        volume.read(),
        lengths.read(),
        step.min(),
    ];
    builder.add("reduce_dt", "reduce_dt", TEXT, &mesh.cells, &args)
}

fn evolve(builder: &mut Builder<'_>, mesh: &Mesh, q: &Dat, volume: &Dat) -> Result<(), AppError> {
    let step = builder.engine.global("dT", &[0.01f32])?;
    let change = floats(builder.engine, &mesh.cells, "change", 4)?;
    let middle = written(builder, &mesh.cells, "middle", 4)?;
    let next = written(builder, &mesh.cells, "next", 4)?;
    let args = [
        step.read(),
        middle.write(),
        q.read(),
        change.read(),
        volume.read(),
        next.write(),
    ];
    builder.add("evolve", "evolve", TEXT, &mesh.cells, &args)
}

impl Mesh {
    fn new(cells: usize, order: Order) -> Result<Mesh, AppError> {
        let grid = Grid::of(Cell::Triangle, cells);
        let facets = grid.facets();
        let set = Set::new("cells", grid.cells())?;
        let edges = Set::new("edges", facets.len())?;
        let sides: Vec<i32> = facets.iter().flat_map(|facet| facet.cells).collect();
        let mut of_cells: Vec<Vec<i32>> = vec![Vec::new(); grid.cells()];
        for (edge, facet) in facets.iter().enumerate() {
            for cell in facet.cells {
                of_cells[cell as usize].push(edge as i32);
            }
        }
        let three = |edges: Vec<i32>| [0, 1, 2].map(|n| edges[n % edges.len()]);
        let of_cells: Vec<i32> = of_cells.into_iter().flat_map(three).collect();
        let mut mesh = Mesh {
            sides: Map::new("sides", &edges, &set, 2, sides)?,
            edges: Map::new("edges", &set, &edges, 3, of_cells)?,
            cells: set,
        };
        if order != Order::Natural {
            mesh.renumber(shuffled, |set, _| shuffled(set))?;
        }
        if order == Order::Rcm {
            let sides = mesh.sides.clone();
            mesh.renumber(
                |cells| Renumbering::rcm(cells, &[&sides]),
                Renumbering::along,
            )?;
        }
        Ok(mesh)
    }

    /// Cells first, then edges by the map to the new cells.
    fn renumber(
        &mut self,
        cells: impl Fn(&Set) -> Result<Renumbering, RenumberError>,
        edges: impl Fn(&Set, &Map) -> Result<Renumbering, RenumberError>,
    ) -> Result<(), RenumberError> {
        let cells = cells(&self.cells)?;
        self.cells = cells.set().clone();
        self.sides = cells.map(&self.sides)?;
        let edges = edges(self.sides.from_set(), &self.sides)?;
        self.sides = edges.map(&self.sides)?;
        self.edges = edges.map(&cells.map(&self.edges)?)?;
        Ok(())
    }
}
