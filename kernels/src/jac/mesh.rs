//! The grid of jac: the interior nodes of NN x NN squares, and the nonzeros of its matrix as edges.
//!
//! Node (i, j), for i, j = 1 ..= NN-1, has number (i - 1) + (j - 1) (NN - 1). An edge (row, column) is a nonzero of the
//! Jacobi matrix: -1 on the diagonal, 1/4 towards each interior neighbour; a neighbour on the boundary, where u = 1, adds 1/4
//! to the right-hand side r instead. So u = 1 everywhere solves the system.

/// Why a grid can't be made.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GridError {
    /// A grid of fewer than 2 x 2 squares has no interior node.
    #[error(
        "a grid needs at least 2 x 2 squares to have an interior node: asked for {squares} x {squares}"
    )]
    NoNodes {
        /// Squares along a side asked for.
        squares: u64,
    },
    /// The edge set would have more elements than a map can name.
    #[error("a grid of {squares} x {squares} squares is too large: at most {limit} x {limit}")]
    TooLarge {
        /// Squares along a side asked for.
        squares: u64,
        /// The most squares along a side, [`SQUARES_MAX`].
        limit: u64,
    },
}

/// Most squares along a side: the edges, nearly 5 NN^2, stay within 31 bits.
pub const SQUARES_MAX: u64 = 20_000;

/// Nodes and matrix of the 5-point Laplacian; `T` is `f64` or `f32`. Map values count from 0.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Grid<T> {
    /// Squares along a side, NN.
    pub squares: usize,
    /// Row and column of each nonzero: `[nedge][2]`.
    pub edges: Vec<i32>,
    /// Value of each nonzero: `[nedge]`.
    pub a: Vec<T>,
    /// Right-hand side: `[nnode]`.
    pub r: Vec<T>,
}

impl<T: Copy + From<f32>> Grid<T> {
    /// The grid of `squares` x `squares` squares: (NN-1)^2 nodes, (NN-1)^2 + 4 (NN-1) (NN-2) edges.
    pub fn new(squares: u64) -> Result<Grid<T>, GridError> {
        if squares < 2 {
            return Err(GridError::NoNodes { squares });
        }
        if squares > SQUARES_MAX {
            return Err(GridError::TooLarge {
                squares,
                limit: SQUARES_MAX,
            });
        }
        let side = squares as usize - 1;
        let nedge = side * side + 4 * side * (side - 1);
        let mut grid = Grid {
            squares: side + 1,
            edges: Vec::with_capacity(2 * nedge),
            a: Vec::with_capacity(nedge),
            r: Vec::with_capacity(side * side),
        };
        for j in 0..side {
            for i in 0..side {
                grid.push_row(i, j);
            }
        }
        Ok(grid)
    }

    /// The nonzeros and the right-hand side of the node in column i, row j, both from 0.
    fn push_row(&mut self, i: usize, j: usize) {
        let side = self.squares - 1;
        let row = i + j * side;
        self.push_nonzero(row, row, -1.0);
        let neighbours = [
            (i > 0).then(|| row - 1),
            (i + 1 < side).then(|| row + 1),
            (j > 0).then(|| row - side),
            (j + 1 < side).then(|| row + side),
        ];
        let mut on_boundary = 0.0;
        for neighbour in neighbours {
            match neighbour {
                Some(column) => self.push_nonzero(row, column, 0.25),
                None => on_boundary += 0.25,
            }
        }
        self.r.push(T::from(on_boundary));
    }

    fn push_nonzero(&mut self, row: usize, column: usize, value: f32) {
        self.edges.extend([row as i32, column as i32]);
        self.a.push(T::from(value));
    }
}

impl<T> Grid<T> {
    /// Number of nodes.
    pub fn nnode(&self) -> usize {
        self.r.len()
    }

    /// Number of edges.
    pub fn nedge(&self) -> usize {
        self.a.len()
    }
}
