//! A catalogue of loops, each by itself: what memory bounds, what the integrals of finite elements need, what a finite-volume code
//! does.
//!
//! Loops of an app here are independent of each other: no loop reads what another writes but STREAM's, and an iteration runs each
//! once. What they compute is held against references elsewhere (`tests/fixtures`); here they are to be timed.

mod builder;
mod fem;
mod grid;
mod shallow_water;
mod stream;

use crate::app::{App, AppError, AppLoop, Runner, Sizes, run_loop, set};
use crate::order::Order;
use builder::{Builder, Kept};
use grid::Cell;
use parloop::Engine;

/// A part of the catalogue, an app of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// STREAM's copy, scale, add and triad.
    Stream,
    /// A sparse matrix with seven entries a row times a vector.
    Spmv,
    /// A shallow-water code's loops over triangles and their edges, in floats.
    ShallowWater,
    /// FFCx's integrals on triangles.
    FemTriangle,
    /// On quadrilaterals.
    FemQuadrilateral,
    /// On tetrahedra, and on the facets between them.
    FemTetrahedron,
    /// On hexahedra.
    FemHexahedron,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 7] = [
        Part::Stream,
        Part::Spmv,
        Part::ShallowWater,
        Part::FemTriangle,
        Part::FemQuadrilateral,
        Part::FemTetrahedron,
        Part::FemHexahedron,
    ];

    /// What commands and reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Stream => "stream",
            Part::Spmv => "spmv",
            Part::ShallowWater => "shallow-water",
            Part::FemTriangle => "fem-triangle",
            Part::FemQuadrilateral => "fem-quadrilateral",
            Part::FemTetrahedron => "fem-tetrahedron",
            Part::FemHexahedron => "fem-hexahedron",
        }
    }
}

/// How much data each loop has, about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Size {
    /// 32 KiB: what a core's first cache holds.
    L1,
    /// 1 MiB: what a core's own cache holds.
    #[default]
    L2,
    /// 8 MiB: what the cache shared by cores holds.
    L3,
    /// 256 MiB: more than caches hold.
    Memory,
}

impl Size {
    /// In bytes.
    pub fn bytes(self) -> usize {
        match self {
            Size::L1 => 32 << 10,
            Size::L2 => 1 << 20,
            Size::L3 => 8 << 20,
            Size::Memory => 256 << 20,
        }
    }
}

/// A part of the catalogue, ready to run.
#[derive(Debug)]
pub struct Catalogue {
    sizes: Sizes,
    loops: Vec<AppLoop>,
    kept: Vec<Kept>,
}

impl Catalogue {
    /// Sets a part up, its sets in an order, and gets the code of its loops. STREAM has no order.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn new(
        engine: &Engine,
        part: Part,
        size: Size,
        order: Order,
    ) -> Result<Catalogue, AppError> {
        let mut builder = Builder {
            engine,
            loops: Vec::new(),
            kept: Vec::new(),
        };
        let bytes = size.bytes();
        match part {
            Part::Stream => stream::add_stream(&mut builder, bytes),
            Part::Spmv => stream::add_spmv(&mut builder, bytes, order),
            Part::ShallowWater => shallow_water::add(&mut builder, bytes, order),
            Part::FemTriangle => fem::add(&mut builder, Cell::Triangle, bytes, order),
            Part::FemQuadrilateral => fem::add(&mut builder, Cell::Quadrilateral, bytes, order),
            Part::FemTetrahedron => fem::add(&mut builder, Cell::Tetrahedron, bytes, order),
            Part::FemHexahedron => fem::add(&mut builder, Cell::Hexahedron, bytes, order),
        }?;
        let Builder { loops, kept, .. } = builder;
        Ok(Catalogue {
            sizes: Sizes {
                cells: loops.iter().map(|of| of.elements).max().unwrap_or(0),
                ..Sizes::default()
            },
            loops,
            kept,
        })
    }
}

impl App for Catalogue {
    fn loops(&self) -> &[AppLoop] {
        &self.loops
    }

    fn loops_mut(&mut self) -> &mut [AppLoop] {
        &mut self.loops
    }

    /// The cells of the largest loop: each has a mesh of its own.
    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn reset(&mut self) -> Result<(), AppError> {
        for kept in &self.kept {
            match kept {
                Kept::Dat(dat) => dat.data_mut::<f64>()?.fill(0.0),
                Kept::Floats(dat) => dat.data_mut::<f32>()?.fill(0.0),
                Kept::Lowest(global, first) => set(global, *first)?,
            }
        }
        Ok(())
    }

    /// Reports no number.
    fn iterate_with(&mut self, run: &mut Runner<'_>) -> Result<f64, AppError> {
        for index in 0..self.loops.len() {
            run_loop(&mut self.loops, index, run)?;
        }
        Ok(0.0)
    }
}
