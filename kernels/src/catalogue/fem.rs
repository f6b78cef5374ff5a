//! Integrals as FFCx writes them, as loops over cells or facets: element matrices kept by cell, element vectors added to the
//! degrees of freedom.
//!
//! Coefficients are packed by cell, as DOLFINx hands them to these kernels. Texts are those of `fixtures/ffcx/c`, one function of
//! a file at a time.

use super::builder::{Builder, Kept, numbers};
use super::grid::{Cell, Facet, Grid, Points};
use crate::app::AppError;
use crate::order::{Order, shuffled};
use parloop::{Arg, DType, Dat, Engine, Global, Map, RenumberError, Renumbering, Set};

/// What a kernel adds to.
#[derive(Clone, Copy)]
enum Tensor {
    /// So many values of the cell.
    Matrix(usize),
    /// Values at the cell's points of a degree, so many at each.
    Vector { degree: usize, values: usize },
    /// Values at the points of degree 1 of two cells, each cell's its own.
    Facet,
}
use Tensor::{Facet as BothSides, Matrix, Vector};

/// One function of a file.
struct Integral {
    label: &'static str,
    text: &'static str,
    /// Its place among the `tabulate_tensor` functions of the text.
    index: usize,
    tensor: Tensor,
    /// Values of all coefficients, packed, and of all constants; 1 where there are none.
    w: usize,
    c: usize,
}

macro_rules! fixture {
    ($stem:literal) => {
        include_str!(concat!("../../fixtures/ffcx/c/", $stem, ".c"))
    };
}

const MASS_STIFFNESS: &str = fixture!("mass_stiffness");
const ELASTICITY: &str = fixture!("elasticity");
const HYPERELASTICITY: &str = fixture!("hyperelasticity");

const fn integral(
    label: &'static str,
    text: &'static str,
    index: usize,
    tensor: Tensor,
    w: usize,
    c: usize,
) -> Integral {
    Integral {
        label,
        text,
        index,
        tensor,
        w,
        c,
    }
}

const fn vector(degree: usize) -> Tensor {
    Vector { degree, values: 1 }
}

#[rustfmt::skip]
static TRIANGLES: [Integral; 5] = [
    integral("mass P2 matrix", MASS_STIFFNESS, 4, Matrix(36), 1, 1),
    integral("stiffness P2 matrix", MASS_STIFFNESS, 5, Matrix(36), 1, 1),
    integral("Helmholtz P2 action", MASS_STIFFNESS, 6, vector(2), 6, 2),
    integral("Poisson P1 matrix", fixture!("poisson_p1_triangle"), 0, Matrix(9), 1, 1),
    integral("Poisson P1 action", fixture!("poisson_p1_triangle"), 1, vector(1), 3, 1),
];

#[rustfmt::skip]
static QUADRILATERALS: [Integral; 7] = [
    integral("mass Q2 matrix", MASS_STIFFNESS, 8, Matrix(81), 1, 1),
    integral("stiffness Q2 matrix", MASS_STIFFNESS, 9, Matrix(81), 1, 1),
    integral("Helmholtz Q2 action", MASS_STIFFNESS, 10, vector(2), 9, 2),
    integral("stiffness Q3 matrix", fixture!("stiffness_q3_quadrilateral"), 0, Matrix(256), 16, 1),
    integral("stiffness Q3 action", fixture!("stiffness_q3_quadrilateral"), 1, vector(3), 16, 1),
    integral("elasticity Q2 matrix", ELASTICITY, 3, Matrix(324), 1, 2),
    integral("elasticity Q2 action", ELASTICITY, 4, Vector { degree: 2, values: 2 }, 18, 2),
];

#[rustfmt::skip]
static TETRAHEDRA: [Integral; 17] = [
    integral("mass P1 matrix", MASS_STIFFNESS, 12, Matrix(16), 1, 1),
    integral("stiffness P1 matrix", MASS_STIFFNESS, 13, Matrix(16), 1, 1),
    integral("Helmholtz P1 action", MASS_STIFFNESS, 14, vector(1), 4, 2),
    integral("mass P2 matrix", fixture!("mass_action_p2_tetrahedron"), 0, Matrix(100), 1, 1),
    integral("mass P2 action", fixture!("mass_action_p2_tetrahedron"), 1, vector(2), 10, 1),
    integral("Poisson P3 matrix", fixture!("poisson_p3_tetrahedron"), 0, Matrix(400), 20, 1),
    integral("Poisson P3 action", fixture!("poisson_p3_tetrahedron"), 1, vector(3), 20, 1),
    integral("elasticity P1 matrix", ELASTICITY, 0, Matrix(144), 1, 2),
    integral("elasticity P1 action", ELASTICITY, 1, Vector { degree: 1, values: 3 }, 12, 2),
    integral("elasticity P2 matrix", fixture!("elasticity_p2_tetrahedron"), 0, Matrix(900), 1, 2),
    integral("elasticity P2 action", fixture!("elasticity_p2_tetrahedron"), 1, Vector { degree: 2, values: 3 }, 30, 2),
    integral("hyperelasticity P1 tangent", fixture!("hyperelasticity_p1_tetrahedron"), 0, Matrix(144), 12, 2),
    integral("hyperelasticity P1 residual", fixture!("hyperelasticity_p1_tetrahedron"), 1, Vector { degree: 1, values: 3 }, 24, 2),
    integral("hyperelasticity P2 residual", HYPERELASTICITY, 2, Vector { degree: 2, values: 3 }, 60, 2),
    integral("hyperelasticity P2 tangent", HYPERELASTICITY, 4, Matrix(900), 30, 2),
    integral("advection DG1 cells", fixture!("advection_dg1_tetrahedron"), 0, Matrix(4), 16, 1),
    integral("advection DG1 facets", fixture!("advection_dg1_tetrahedron"), 1, BothSides, 32, 1),
];

#[rustfmt::skip]
static HEXAHEDRA: [Integral; 11] = [
    integral("mass Q1 matrix", MASS_STIFFNESS, 16, Matrix(64), 1, 1),
    integral("stiffness Q1 matrix", MASS_STIFFNESS, 17, Matrix(64), 1, 1),
    integral("mass and stiffness Q1 action", MASS_STIFFNESS, 18, vector(1), 8, 2),
    integral("Helmholtz Q1 matrix", fixture!("helmholtz_q1_hexahedron"), 0, Matrix(64), 1, 1),
    integral("Helmholtz Q1 action", fixture!("helmholtz_q1_hexahedron"), 1, vector(1), 8, 1),
    integral("Helmholtz Q2 matrix", fixture!("helmholtz_q2_hexahedron"), 0, Matrix(729), 1, 1),
    integral("Helmholtz Q2 action", fixture!("helmholtz_q2_hexahedron"), 1, vector(2), 27, 1),
    integral("Helmholtz Q3 matrix", fixture!("helmholtz_q3_hexahedron"), 0, Matrix(4096), 1, 1),
    integral("Helmholtz Q3 action", fixture!("helmholtz_q3_hexahedron"), 1, vector(3), 64, 1),
    integral("Helmholtz Q4 action", fixture!("helmholtz_q4_hexahedron"), 0, vector(4), 125, 1),
    integral("mass Q3 action, sum factorised", fixture!("mass_q3_hexahedron_sum_factorization"), 1, vector(3), 64, 1),
];

fn integrals(cell: Cell) -> &'static [Integral] {
    match cell {
        Cell::Triangle => &TRIANGLES,
        Cell::Quadrilateral => &QUADRILATERALS,
        Cell::Tetrahedron => &TETRAHEDRA,
        Cell::Hexahedron => &HEXAHEDRA,
    }
}

/// Adds all integrals on a kind of cell, each on a mesh of its own with about so many bytes of data.
pub(super) fn add(
    builder: &mut Builder<'_>,
    cell: Cell,
    bytes: usize,
    order: Order,
) -> Result<(), AppError> {
    let all = integrals(cell);
    all.iter()
        .try_for_each(|integral| integral.add(builder, cell, bytes, order))
}

impl Integral {
    fn add(
        &self,
        builder: &mut Builder<'_>,
        cell: Cell,
        bytes: usize,
        order: Order,
    ) -> Result<(), AppError> {
        let tensor = match self.tensor {
            Matrix(values) => values,
            Vector { values, .. } => 3 * values,
            BothSides => 8,
        };
        let grid = Grid::of(cell, bytes / (8 * (tensor + self.w + 6)));
        let mesh = Topology::new(&grid, self.tensor, order)?;
        let data = Inputs::new(builder.engine, self, &grid, &mesh)?;
        let Some(points) = &mesh.points else {
            return self.finish(builder, &mesh, &data, data.matrix.inc());
        };
        let values = match self.tensor {
            Vector { values, .. } => values,
            _ => 1,
        };
        let b = builder.engine;
        let b = b.dat_zeroed(points.to_set(), "b", values, DType::F64)?;
        builder.kept.push(Kept::Dat(b.clone()));
        self.finish(builder, &mesh, &data, b.inc().through(points))
    }

    fn finish(
        &self,
        builder: &mut Builder<'_>,
        mesh: &Topology,
        data: &Inputs,
        tensor: Arg<'_>,
    ) -> Result<(), AppError> {
        let args = [
            tensor,
            data.w.read(),
            data.c.read(),
            data.x.read().through(&mesh.corners),
            data.facets.read(),
            data.permutations.read(),
            data.custom.read(),
        ];
        let (function, source) = function(self.text, self.index);
        let set = mesh.corners.from_set();
        builder.add(self.label, function, source, set, &args)
    }
}

/// What a loop reads, and the values of cells that it may add to.
struct Inputs {
    matrix: Dat,
    w: Dat,
    c: Global,
    x: Dat,
    facets: Dat,
    permutations: Dat,
    custom: Global,
}

impl Inputs {
    fn new(
        engine: &Engine,
        of: &Integral,
        grid: &Grid,
        mesh: &Topology,
    ) -> Result<Inputs, AppError> {
        let set = mesh.corners.from_set();
        let values = match of.tensor {
            Matrix(values) => values,
            _ => 1,
        };
        let nodes = engine.dat(&mesh.nodes, "x", 3, &grid.coordinates())?;
        let x = match &mesh.renumbered_nodes {
            Some(by) => by.iter().try_fold(nodes, |x, by| by.dat(&x))?,
            None => nodes,
        };
        Ok(Inputs {
            matrix: engine.dat_zeroed(set, "A", values, DType::F64)?,
            w: engine.dat(set, "w", of.w, &numbers(set.size() * of.w))?,
            c: engine.global("c", &numbers(of.c))?,
            x,
            facets: engine.dat(set, "facets", 2, &mesh.local)?,
            permutations: engine.dat_zeroed(set, "permutations", 2, DType::U8)?,
            custom: engine.global("custom", &[0.0])?,
        })
    }
}

/// The elements of a loop and what they touch, in an order.
struct Topology {
    /// The nodes as the grid has them.
    nodes: Set,
    renumbered_nodes: Option<Vec<Renumbering>>,
    corners: Map,
    points: Option<Map>,
    /// The facet's number in its cells: shape [element][2].
    local: Vec<i32>,
}

impl Topology {
    fn new(grid: &Grid, tensor: Tensor, order: Order) -> Result<Topology, AppError> {
        let mut topology = match tensor {
            BothSides => Topology::of_facets(grid)?,
            _ => Topology::of_cells(grid, tensor)?,
        };
        if order != Order::Natural {
            topology.renumber(|set, _| shuffled(set))?;
        }
        if order == Order::Rcm {
            topology.renumber(|set, corners| match set == corners.from_set() {
                true => Renumbering::rcm(set, &[corners]),
                false => Renumbering::along(set, corners),
            })?;
        }
        Ok(topology)
    }

    fn of_cells(grid: &Grid, tensor: Tensor) -> Result<Topology, AppError> {
        let cells = Set::new("cells", grid.cells())?;
        let map = |name, points: Points| {
            let set = Set::new(name, points.total)?;
            Map::new(name, &cells, &set, points.arity, points.of_cells)
        };
        let corners = map("corners", grid.points(1))?;
        Ok(Topology {
            nodes: corners.to_set().clone(),
            renumbered_nodes: None,
            points: match tensor {
                Vector { degree, .. } => Some(map("points", grid.points(degree))?),
                _ => None,
            },
            corners,
            local: vec![0; 2 * cells.size()],
        })
    }

    /// Facets touch the corners of both cells, and degrees of freedom that each cell has for itself.
    fn of_facets(grid: &Grid) -> Result<Topology, AppError> {
        let facets = grid.facets();
        let Points {
            total,
            arity,
            of_cells,
        } = grid.points(1);
        let set = Set::new("facets", facets.len())?;
        let nodes = Set::new("corners", total)?;
        let own = Set::new("points", of_cells.len())?;
        let sides = || facets.iter().flat_map(|facet: &Facet| facet.cells);
        let range = |cell: i32| cell as usize * arity..(cell as usize + 1) * arity;
        let touched: Vec<i32> = sides()
            .flat_map(|cell| &of_cells[range(cell)])
            .copied()
            .collect();
        let owned: Vec<i32> = sides().flat_map(range).map(|point| point as i32).collect();
        Ok(Topology {
            corners: Map::new("corners", &set, &nodes, 2 * arity, touched)?,
            points: Some(Map::new("points", &set, &own, 2 * arity, owned)?),
            nodes,
            renumbered_nodes: None,
            local: facets.iter().flat_map(|facet| facet.local).collect(),
        })
    }

    /// Elements first, then nodes and points by the map to them.
    fn renumber(
        &mut self,
        by: impl Fn(&Set, &Map) -> Result<Renumbering, RenumberError>,
    ) -> Result<(), RenumberError> {
        let elements = by(self.corners.from_set(), &self.corners)?;
        let old = elements.old_of_new().iter();
        let local = old.flat_map(|old| [0, 1].map(|side| self.local[2 * *old as usize + side]));
        self.local = local.collect();
        self.corners = elements.map(&self.corners)?;
        let nodes = by(self.corners.to_set(), &self.corners)?;
        self.corners = nodes.map(&self.corners)?;
        self.renumbered_nodes.get_or_insert_default().push(nodes);
        if let Some(points) = self.points.take() {
            let points = elements.map(&points)?;
            self.points = Some(by(points.to_set(), &points)?.map(&points)?);
        }
        Ok(())
    }
}

/// The name and the text of the `index`-th function of a file.
fn function(text: &'static str, index: usize) -> (&'static str, String) {
    let mut starts = text.match_indices("void tabulate_tensor_");
    let (start, _) = starts.nth(index).expect("the table names functions");
    let text = &text[start..];
    let end = end_of_body(text);
    let name = &text["void ".len()..text.find('(').expect("functions have parameters")];
    let headers =
        "#include <math.h>\n#include <stdint.h>\n#include <stdbool.h>\n#include <string.h>\n";
    (name, format!("{headers}{}\n", &text[..end]))
}

/// Where the first pair of braces ends.
fn end_of_body(text: &str) -> usize {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return at + 1,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_of_a_function_on_its_cell() {
        for cell in [
            Cell::Triangle,
            Cell::Quadrilateral,
            Cell::Tetrahedron,
            Cell::Hexahedron,
        ] {
            for integral in integrals(cell) {
                let (name, text) = function(integral.text, integral.index);
                let on = match integral.tensor {
                    BothSides => "triangle".to_owned(),
                    _ => format!("{cell:?}").to_lowercase(),
                };
                assert!(name.ends_with(&on), "{}: {name}", integral.label);
                assert_eq!(text.matches("void tabulate_tensor_").count(), 1);
            }
        }
    }
}
