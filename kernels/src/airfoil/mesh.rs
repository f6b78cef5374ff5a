//! The airfoil mesh: its sets and maps as plain vectors, and the generator for any size.
//!
//! Invariants a generated mesh keeps: cells list their nodes counter-clockwise; walking an edge from its first node to its
//! second, its first cell is on the right, and so is the cell of a boundary edge; coordinates are rounded to 6 decimals, as in
//! the published mesh file, because the published residuals hold for rounded coordinates.
//!
//! The mesh is a C-shaped block of 3I columns by J rows folded round the profile by z = w^2: nodes n(i, j) = i + j (3I + 1),
//! cells c(i, j) = i + 3I j. Files are left to [`super::file`].

use super::profile::{Feet, HALF_WIDTH, place};
use super::{BOUND_FAR_FIELD, BOUND_WALL};

/// Most elements a set may have: map values are 32-bit signed integers.
pub const SET_SIZE_MAX: u64 = i32::MAX as u64;

/// Why a mesh can't be generated.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeshError {
    /// A mesh was asked for that has no cells.
    #[error("a mesh needs at least one cell: asked for {asked}")]
    NoCells {
        /// What was asked for: a number of cells, or blocks.
        asked: Asked,
    },
    /// A set would have more elements than a map can name.
    #[error("{asked} is too large a mesh: its largest set would have more than {limit} elements")]
    TooLarge {
        /// What was asked for.
        asked: Asked,
        /// The most elements of a set, [`SET_SIZE_MAX`].
        limit: u64,
    },
    /// The system has no memory for the mesh.
    #[error("no memory for a mesh of {asked}: {size_bytes} bytes for one of its arrays")]
    NoMemory {
        /// What was asked for.
        asked: Asked,
        /// Size of the array that could not be had.
        size_bytes: u64,
    },
}

/// How a caller put the size of a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// A number of cells.
    Cells(u64),
    /// Blocks I, J.
    Blocks(u64, u64),
}

impl std::fmt::Display for Asked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Asked::Cells(cells) => write!(out, "{cells} cells"),
            Asked::Blocks(i, j) => write!(out, "blocks {i},{j}"),
        }
    }
}

/// The size of a generated mesh: I columns of cells on each of the lower wake, the profile and the upper wake, J rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    i: usize,
    j: usize,
}

impl Blocks {
    /// The published small mesh: 12,000 cells.
    pub const SMALL: Blocks = Blocks { i: 50, j: 80 };
    /// The published standard mesh: 720,000 cells.
    pub const STANDARD: Blocks = Blocks { i: 400, j: 600 };

    /// Blocks of I columns and J rows, 3 I J cells.
    pub fn new(i: u64, j: u64) -> Result<Blocks, MeshError> {
        Blocks::checked(i, j, Asked::Blocks(i, j))
    }

    /// Blocks of about `cells` cells: the standard mesh for exactly 720,000, otherwise I = max(1, round(sqrt(cells / 4.8)))
    /// and J = round(1.6 I).
    pub fn for_cells(cells: u64) -> Result<Blocks, MeshError> {
        let asked = Asked::Cells(cells);
        if cells == 0 {
            return Err(MeshError::NoCells { asked });
        }
        if cells == Blocks::STANDARD.cells() as u64 {
            return Ok(Blocks::STANDARD);
        }
        let i = (cells as f64 / 4.8).sqrt().round().max(1.0);
        Blocks::checked(i as u64, (1.6 * i).round() as u64, asked)
    }

    fn checked(i: u64, j: u64, asked: Asked) -> Result<Blocks, MeshError> {
        if i == 0 || j == 0 {
            return Err(MeshError::NoCells { asked });
        }
        let too_large = MeshError::TooLarge {
            asked,
            limit: SET_SIZE_MAX,
        };
        // 6 I J + 3 I + J + 1 bounds nodes, cells and edges alike.
        let (wide_i, wide_j) = (u128::from(i), u128::from(j));
        let largest = wide_i
            .checked_mul(6 * wide_j)
            .ok_or(too_large)?
            .saturating_add(3 * wide_i + wide_j + 1);
        if largest > u128::from(SET_SIZE_MAX) {
            return Err(too_large);
        }
        Ok(Blocks {
            i: i as usize,
            j: j as usize,
        })
    }

    /// Columns of cells along the profile.
    pub fn i(self) -> usize {
        self.i
    }

    /// Rows of cells.
    pub fn j(self) -> usize {
        self.j
    }

    /// Number of nodes.
    pub fn nodes(self) -> usize {
        (3 * self.i + 1) * (self.j + 1)
    }

    /// Number of cells.
    pub fn cells(self) -> usize {
        3 * self.i * self.j
    }

    /// Number of interior edges.
    pub fn edges(self) -> usize {
        self.i + 3 * self.i * (self.j - 1) + (3 * self.i - 1) * self.j
    }

    /// Number of boundary edges: the profile and three outer sides.
    pub fn bedges(self) -> usize {
        self.i + 3 * self.i + 2 * self.j
    }
}

/// Nodes, cells, edges and boundary edges, with the maps between them. Map values count from 0.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Mesh {
    /// Coordinates of the nodes, chord lengths: `[nnode][2]`.
    pub x: Vec<f64>,
    /// Nodes of the cells, counter-clockwise: `[ncell][4]`.
    pub cells: Vec<i32>,
    /// Nodes of the interior edges: `[nedge][2]`.
    pub edges: Vec<i32>,
    /// Cells of the interior edges, the one on the right first: `[nedge][2]`.
    pub edge_cells: Vec<i32>,
    /// Nodes of the boundary edges: `[nbedge][2]`.
    pub bedges: Vec<i32>,
    /// Cell of the boundary edges, on the right: `[nbedge][1]`.
    pub bedge_cells: Vec<i32>,
    /// Kind of the boundary edges, [`BOUND_WALL`] or [`BOUND_FAR_FIELD`]: `[nbedge]`.
    pub bound: Vec<i32>,
}

impl Mesh {
    /// Number of nodes.
    pub fn nnode(&self) -> usize {
        self.x.len() / 2
    }

    /// Number of cells.
    pub fn ncell(&self) -> usize {
        self.cells.len() / 4
    }

    /// Number of interior edges.
    pub fn nedge(&self) -> usize {
        self.edges.len() / 2
    }

    /// Number of boundary edges.
    pub fn nbedge(&self) -> usize {
        self.bound.len()
    }

    /// The mesh round the NACA0012 profile, of the size `blocks`.
    pub fn generate(blocks: Blocks) -> Result<Mesh, MeshError> {
        let numbering = Numbering { blocks };
        let mut mesh = Mesh {
            x: with_room(blocks, 2 * blocks.nodes())?,
            cells: with_room(blocks, 4 * blocks.cells())?,
            edges: with_room(blocks, 2 * blocks.edges())?,
            edge_cells: with_room(blocks, 2 * blocks.edges())?,
            bedges: with_room(blocks, 2 * blocks.bedges())?,
            bedge_cells: with_room(blocks, blocks.bedges())?,
            bound: with_room(blocks, blocks.bedges())?,
        };
        numbering.place_nodes(&mut mesh);
        numbering.list_cells(&mut mesh);
        numbering.list_edges(&mut mesh);
        numbering.list_bedges(&mut mesh);
        Ok(mesh)
    }

    fn push_edge(&mut self, nodes: [i32; 2], cells: [i32; 2]) {
        self.edges.extend(nodes);
        self.edge_cells.extend(cells);
    }

    fn push_bedge(&mut self, nodes: [i32; 2], cell: i32, bound: i32) {
        self.bedges.extend(nodes);
        self.bedge_cells.push(cell);
        self.bound.push(bound);
    }
}

/// A vector with room for `count` values, or an error: a mesh that does not fit must not abort its caller.
fn with_room<T>(blocks: Blocks, count: usize) -> Result<Vec<T>, MeshError> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(count)
        .map_err(|_| MeshError::NoMemory {
            asked: Asked::Blocks(blocks.i as u64, blocks.j as u64),
            size_bytes: (count * size_of::<T>()) as u64,
        })?;
    Ok(values)
}

/// Numbers of nodes and cells by column and row; they fit 32 bits because [`Blocks`] was checked.
#[derive(Clone, Copy)]
struct Numbering {
    blocks: Blocks,
}

impl Numbering {
    fn node(self, i: usize, j: usize) -> i32 {
        (i + j * (self.width() + 1)) as i32
    }

    fn cell(self, i: usize, j: usize) -> i32 {
        (i + j * self.width()) as i32
    }

    /// Cells in a row.
    fn width(self) -> usize {
        3 * self.blocks.i
    }

    fn place_nodes(self, mesh: &mut Mesh) {
        let feet = Feet::new();
        let columns: Vec<(f64, f64)> = (0..=self.width())
            .map(|i| (place(i, self.blocks.i), feet.height(i, self.blocks.i)))
            .collect();
        for j in 0..=self.blocks.j {
            let up = j as f64 / self.blocks.j as f64;
            for &(re, foot) in &columns {
                let im = foot + (HALF_WIDTH - foot) * up;
                mesh.x
                    .extend([rounded(re * re - im * im), rounded(2.0 * re * im)]);
            }
        }
    }

    fn list_cells(self, mesh: &mut Mesh) {
        for j in 0..self.blocks.j {
            for i in 0..self.width() {
                mesh.cells.extend([
                    self.node(i, j),
                    self.node(i + 1, j),
                    self.node(i + 1, j + 1),
                    self.node(i, j + 1),
                ]);
            }
        }
    }

    fn list_edges(self, mesh: &mut Mesh) {
        for j in 0..self.blocks.j {
            for i in 0..self.width() {
                if j == 0 && i < self.blocks.i {
                    // The wake cut: its nodes lie twice in one place, and the cell below it is the mirrored one.
                    let mirrored = self.cell(self.width() - 1 - i, 0);
                    mesh.push_edge(
                        [self.node(i, 0), self.node(i + 1, 0)],
                        [mirrored, self.cell(i, 0)],
                    );
                }
                if j + 1 < self.blocks.j {
                    let nodes = [self.node(i, j + 1), self.node(i + 1, j + 1)];
                    mesh.push_edge(nodes, [self.cell(i, j), self.cell(i, j + 1)]);
                }
                if i + 1 < self.width() {
                    let nodes = [self.node(i + 1, j), self.node(i + 1, j + 1)];
                    mesh.push_edge(nodes, [self.cell(i + 1, j), self.cell(i, j)]);
                }
            }
        }
    }

    fn list_bedges(self, mesh: &mut Mesh) {
        let (right, top) = (self.width(), self.blocks.j);
        for i in self.blocks.i..2 * self.blocks.i {
            mesh.push_bedge(
                [self.node(i + 1, 0), self.node(i, 0)],
                self.cell(i, 0),
                BOUND_WALL,
            );
        }
        for j in 0..top {
            let nodes = [self.node(right, j + 1), self.node(right, j)];
            mesh.push_bedge(nodes, self.cell(right - 1, j), BOUND_FAR_FIELD);
        }
        for i in (0..right).rev() {
            let nodes = [self.node(i, top), self.node(i + 1, top)];
            mesh.push_bedge(nodes, self.cell(i, top - 1), BOUND_FAR_FIELD);
        }
        for j in (0..top).rev() {
            mesh.push_bedge(
                [self.node(0, j), self.node(0, j + 1)],
                self.cell(0, j),
                BOUND_FAR_FIELD,
            );
        }
    }
}

/// The value that six decimals in a file give back.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
