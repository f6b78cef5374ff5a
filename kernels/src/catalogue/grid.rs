//! Boxes of cells for the catalogue: corners and degrees of freedom of every cell, and the facets between tetrahedra.
//!
//! A box of n0 times n1 (times n2) bricks; a brick is one quadrilateral or hexahedron, two triangles or six tetrahedra along its
//! diagonal. Points of degree k are those of the lattice with k steps to a brick, so that cells share those of their common
//! vertices, edges and faces. Within a cell they come with the first direction fastest, which is the order of Basix at degree 1;
//! at higher degrees it is another numbering of the same points.

use std::collections::BTreeMap;

/// What a brick is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Triangle,
    Quadrilateral,
    Tetrahedron,
    Hexahedron,
}

/// Directions from the first corner of a tetrahedron of a brick to the next ones, in turn.
const PATHS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

impl Cell {
    fn dim(self) -> usize {
        match self {
            Cell::Triangle | Cell::Quadrilateral => 2,
            Cell::Tetrahedron | Cell::Hexahedron => 3,
        }
    }

    fn is_simplex(self) -> bool {
        matches!(self, Cell::Triangle | Cell::Tetrahedron)
    }

    /// The directions in which each cell of a brick goes.
    fn paths(self) -> Vec<&'static [usize]> {
        match self {
            Cell::Triangle => vec![&[0, 1], &[1, 0]],
            Cell::Quadrilateral => vec![&[0, 1]],
            Cell::Tetrahedron => PATHS.iter().map(|path| path.as_slice()).collect(),
            Cell::Hexahedron => vec![&[0, 1, 2]],
        }
    }

    /// The steps along each path of the points of degree k.
    fn points(self, k: usize) -> Vec<[usize; 3]> {
        let along = |d: usize| if d < self.dim() { 0..=k } else { 0..=0 };
        let mut points = Vec::new();
        for c in along(2) {
            for b in along(1) {
                points.extend(along(0).map(|a| [a, b, c]));
            }
        }
        if self.is_simplex() {
            points.retain(|[a, b, c]| a + b + c <= k);
        }
        points
    }
}

/// Cells in a box.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) cell: Cell,
    /// Bricks in each direction; 1 in those that there are not.
    bricks: [usize; 3],
}

/// Points of a degree, and those of each cell.
pub(super) struct Points {
    pub(super) total: usize,
    pub(super) arity: usize,
    /// Shape [cell][arity].
    pub(super) of_cells: Vec<i32>,
}

/// A facet between two tetrahedra.
pub(super) struct Facet {
    pub(super) cells: [i32; 2],
    /// Its number in each: that of the opposite corner.
    pub(super) local: [i32; 2],
}

impl Grid {
    /// A box of about so many cells, as long in each direction.
    pub(super) fn of(cell: Cell, cells: usize) -> Grid {
        let bricks = cells.div_ceil(cell.paths().len()).max(1) as f64;
        let side = bricks.powf(1.0 / cell.dim() as f64).round().max(1.0) as usize;
        let mut sides = [side; 3];
        if cell.dim() == 2 {
            sides[2] = 1;
        }
        Grid {
            cell,
            bricks: sides,
        }
    }

    pub(super) fn cells(&self) -> usize {
        self.bricks.iter().product::<usize>() * self.cell.paths().len()
    }

    /// The points of degree k.
    pub(super) fn points(&self, k: usize) -> Points {
        let side = |d: usize| match d < self.cell.dim() {
            true => self.bricks[d] * k + 1,
            false => 1,
        };
        let stride = [1, side(0), side(0) * side(1)];
        let points = self.cell.points(k);
        let mut of_cells = Vec::with_capacity(self.cells() * points.len());
        for brick in 0..self.bricks.iter().product() {
            let [nx, ny, _] = self.bricks;
            let corner = [brick % nx, brick / nx % ny, brick / (nx * ny)];
            for path in self.cell.paths() {
                of_cells.extend(points.iter().map(|steps| {
                    let at = self.place(corner.map(|x| x * k), path, *steps);
                    (0..3).map(|d| at[d] * stride[d]).sum::<usize>() as i32
                }));
            }
        }
        Points {
            total: (0..3).map(side).product(),
            arity: points.len(),
            of_cells,
        }
    }

    /// A simplex's path turns after each vertex: the second direction begins where the first has ended.
    fn place(&self, corner: [usize; 3], path: &[usize], steps: [usize; 3]) -> [usize; 3] {
        let mut at = corner;
        for (turn, direction) in path.iter().enumerate() {
            at[*direction] += match self.cell.is_simplex() {
                true => steps[turn..].iter().sum::<usize>(),
                false => steps[turn],
            };
        }
        at
    }

    /// Coordinates of the corners, off the grid a little so that no two cells are alike: shape [corner][3].
    pub(super) fn coordinates(&self) -> Vec<f64> {
        let total = self.points(1).total;
        let [nx, ny, _] = self.bricks;
        let mut out = Vec::with_capacity(3 * total);
        for corner in 0..total {
            let at = [
                corner % (nx + 1),
                corner / (nx + 1) % (ny + 1),
                corner / ((nx + 1) * (ny + 1)),
            ];
            out.extend((0..3).map(|d| {
                let x = at[d] as f64;
                let off = 0.1 * (3.7 * x + 1.3 * (corner % 11) as f64).sin();
                if d < self.cell.dim() { x + off } else { 0.0 }
            }));
        }
        out
    }

    /// The facets between two tetrahedra or triangles, in the order of their corners.
    pub(super) fn facets(&self) -> Vec<Facet> {
        let Points {
            arity, of_cells, ..
        } = self.points(1);
        let mut sides: BTreeMap<Vec<i32>, Vec<[i32; 2]>> = BTreeMap::new();
        for (cell, corners) in of_cells.chunks(arity).enumerate() {
            for local in 0..arity {
                let mut facet = corners.to_vec();
                facet.remove(local);
                facet.sort_unstable();
                let side = [cell as i32, local as i32];
                sides.entry(facet).or_default().push(side);
            }
        }
        let between = sides.into_values().filter(|sides| sides.len() == 2);
        between
            .map(|sides| Facet {
                cells: [sides[0][0], sides[1][0]],
                local: [sides[0][1], sides[1][1]],
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CELLS: [Cell; 4] = [
        Cell::Triangle,
        Cell::Quadrilateral,
        Cell::Tetrahedron,
        Cell::Hexahedron,
    ];

    #[test]
    fn cells_have_the_points_of_their_element_and_share_them_with_their_neighbours() {
        for cell in CELLS {
            let grid = Grid::of(cell, 200);
            for k in 1..=4 {
                let points = grid.points(k);
                let wanted = match cell {
                    Cell::Triangle => (k + 1) * (k + 2) / 2,
                    Cell::Quadrilateral => (k + 1).pow(2),
                    Cell::Tetrahedron => (k + 1) * (k + 2) * (k + 3) / 6,
                    Cell::Hexahedron => (k + 1).pow(3),
                };
                assert_eq!(points.arity, wanted, "{cell:?} {k}");
                assert_eq!(points.of_cells.len(), wanted * grid.cells());
                let used: BTreeSet<i32> = points.of_cells.iter().copied().collect();
                assert_eq!(used.len(), points.total, "{cell:?} {k}: each point is used");
                for cell in points.of_cells.chunks(wanted) {
                    let apart: BTreeSet<&i32> = cell.iter().collect();
                    assert_eq!(apart.len(), wanted);
                }
            }
        }
    }

    #[test]
    fn facets_lie_between_all_neighbours() {
        let grid = Grid::of(Cell::Tetrahedron, 6 * 27);
        // Four for each of the 162 tetrahedra, twice but for those on the surface: 6 squares of 9 bricks' sides, two in each.
        assert_eq!(grid.facets().len(), (4 * 162 - 6 * 9 * 2) / 2);
    }

    #[test]
    fn tetrahedra_fill_the_box() {
        let grid = Grid::of(Cell::Tetrahedron, 6 * 27);
        let x = grid.coordinates();
        let corner = |c: i32| -> [f64; 3] { x[3 * c as usize..][..3].try_into().unwrap() };
        let volume: f64 = grid
            .points(1)
            .of_cells
            .chunks(4)
            .map(|cell| {
                let [o, a, b, c] = [0, 1, 2, 3].map(|i| corner(cell[i]));
                let e = |p: [f64; 3]| [p[0] - o[0], p[1] - o[1], p[2] - o[2]];
                let (a, b, c) = (e(a), e(b), e(c));
                let det = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
                    + a[2] * (b[0] * c[1] - b[1] * c[0]);
                assert!(det.abs() > 0.2, "{det}");
                det.abs() / 6.0
            })
            .sum();
        assert!((volume / 27.0 - 1.0).abs() < 0.2, "{volume}");
    }
}
