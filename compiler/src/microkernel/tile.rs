//! Cuts the entries of an update into tiles that registers hold.

use super::asm::Width;
use crate::ir::Scalar;
use std::ops::Range;

/// The most products of vectors that are written down for all trips; those of longer updates are in a loop.
const UNROLLED_MAX: u64 = 160;

/// The most products of vectors in one trip.
const PRODUCTS_MAX: u64 = 640;

/// What shapes the code of an update besides its addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Type of all values: `F32` or `F64`.
    pub(crate) scalar: Scalar,
    /// Whether vectors are those of AVX-512.
    pub(crate) has_avx512: bool,
    /// How often all terms are added.
    pub(crate) trips: u64,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    pub(crate) terms: u64,
}

impl Shape {
    /// Whether it is small enough to be written down.
    pub(crate) fn can_be_made(&self) -> bool {
        let lanes = u64::from(self.lanes());
        let vectors = self.columns.div_ceil(lanes);
        let products = vectors
            .checked_mul(self.rows)
            .and_then(|all| all.checked_mul(self.terms));
        let is_empty = [self.trips, self.rows, self.columns, self.terms].contains(&0);
        !is_empty && self.trips < 1 << 16 && products.is_some_and(|all| all <= PRODUCTS_MAX)
    }

    /// Whether the products of all trips are written down.
    pub(crate) fn is_unrolled(&self) -> bool {
        self.products_of_vectors().saturating_mul(self.trips) <= UNROLLED_MAX
    }

    /// How long it takes, about, in quarters of a cycle: two products of vectors in a cycle, sums that wait for each other, and the
    /// call, with entries that are loaded and stored.
    pub(crate) fn quarter_cycles(&self) -> u64 {
        let entries = self.rows * self.columns.div_ceil(u64::from(self.lanes()));
        let sums = self.trips * self.terms;
        let products = sums.saturating_mul((2 * entries).max(16));
        48 + 6 * entries + products
    }

    fn products_of_vectors(&self) -> u64 {
        self.rows * self.columns.div_ceil(u64::from(self.lanes())) * self.terms
    }

    /// Of the widest vector.
    fn lanes(&self) -> u32 {
        self.widest().bytes(self.scalar) / self.scalar.bytes()
    }

    fn widest(&self) -> Width {
        match self.has_avx512 {
            true => Width::Bits512,
            false => Width::Bits256,
        }
    }
}

/// How many vector registers there are.
pub(super) fn registers(shape: &Shape) -> u8 {
    if shape.has_avx512 { 32 } else { 16 }
}

/// A vector of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) width: Width,
    /// Bytes after the row's first.
    pub(super) offset: i32,
    /// Whether it is only the first lanes.
    pub(super) is_masked: bool,
}

/// A row of entries as vectors.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) vectors: Vec<Part>,
    /// How many lanes the last vector has, if those are not all; else 0.
    pub(super) masked_lanes: u32,
}

impl Row {
    fn of(shape: &Shape) -> Row {
        let (lanes, bytes) = (u64::from(shape.lanes()), shape.scalar.bytes());
        let mut row = Row {
            vectors: Vec::new(),
            masked_lanes: 0,
        };
        let full = shape.columns / lanes;
        let offset = |vectors: u64| (vectors * lanes * u64::from(bytes)) as i32;
        for at in 0..full {
            row.vectors.push(Part {
                width: shape.widest(),
                offset: offset(at),
                is_masked: false,
            });
        }
        let rest = (shape.columns % lanes) as u32;
        if rest > 0 {
            let widths = [Width::One, Width::Bits128, Width::Bits256, Width::Bits512];
            let holds = |width: &Width| width.bytes(shape.scalar) >= rest * bytes;
            let width = widths.into_iter().find(holds).unwrap_or(Width::Bits512);
            let is_masked = width.bytes(shape.scalar) > rest * bytes;
            row.masked_lanes = if is_masked { rest } else { 0 };
            row.vectors.push(Part {
                width,
                offset: offset(full),
                is_masked,
            });
        }
        row
    }
}

/// Rows and vectors of each whose entries are in registers at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tile {
    pub(super) rows: Range<u64>,
    pub(super) vectors: Range<usize>,
}

/// An update's entries as tiles of one size, but for the last ones.
#[derive(Debug)]
pub(super) struct Tiling {
    pub(super) row: Row,
    rows: u64,
    /// Of a tile.
    tile_rows: u64,
    tile_vectors: usize,
}

impl Tiling {
    /// The tiles that load the fewest factors.
    pub(super) fn of(shape: &Shape) -> Tiling {
        let row = Row::of(shape);
        // One for the value of all lanes, one for a product, one for a mask.
        let free = u64::from(registers(shape)) - 3;
        let all = row.vectors.len() as u64;
        let mut best = (u64::MAX, 1, 1);
        for vectors in 1..=all.min(free / 2) {
            // As many registers hold factors of columns as a row has.
            let rows = ((free - vectors) / vectors).min(shape.rows);
            let (across, down) = (all.div_ceil(vectors), shape.rows.div_ceil(rows));
            // Tiles of about the same height.
            let rows = shape.rows.div_ceil(down);
            let loads = across * shape.rows + down * all;
            if loads < best.0 {
                best = (loads, rows, vectors as usize);
            }
        }
        let (_, tile_rows, tile_vectors) = best;
        Tiling {
            row,
            rows: shape.rows,
            tile_rows,
            tile_vectors,
        }
    }

    /// All tiles, row by row.
    pub(super) fn tiles(&self) -> impl Iterator<Item = Tile> + '_ {
        let rows = (0..self.rows).step_by(self.tile_rows as usize);
        rows.flat_map(move |row| {
            let vectors = (0..self.row.vectors.len()).step_by(self.tile_vectors);
            vectors.map(move |vector| Tile {
                rows: row..(row + self.tile_rows).min(self.rows),
                vectors: vector..(vector + self.tile_vectors).min(self.row.vectors.len()),
            })
        })
    }
}
