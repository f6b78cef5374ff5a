//! Loops that memory bounds: STREAM's four, and a sparse matrix times a vector.

use super::builder::{Builder, Kept, numbers};
use crate::app::AppError;
use crate::order::{Order, shuffled};
use parloop::{DType, Map, RenumberError, Renumbering, Set};

const STREAM: &str = include_str!("stream.c");
const SPMV: &str = include_str!("spmv.c");

/// Entries of a row: a point of a grid and its neighbours.
const ROW: usize = 7;

/// Adds STREAM's loops on three dats of so many bytes in all.
pub(super) fn add_stream(builder: &mut Builder<'_>, bytes: usize) -> Result<(), AppError> {
    let engine = builder.engine;
    let set = Set::new("elements", (bytes / 24).max(1))?;
    let dat = |name| engine.dat(&set, name, 1, &numbers(set.size()));
    let (a, b, c) = (dat("a")?, dat("b")?, dat("c")?);
    // Close to STREAM's 3, and such that values neither grow nor vanish over its four loops.
    let scalar = engine.global("scalar", &[0.41421])?;
    builder.add("copy", "copy", STREAM, &set, &[a.read(), c.write()])?;
    let scale = [c.read(), b.write(), scalar.read()];
    builder.add("scale", "scale", STREAM, &set, &scale)?;
    let add = [a.read(), b.read(), c.write()];
    builder.add("add", "add", STREAM, &set, &add)?;
    let triad = [b.read(), c.read(), a.write(), scalar.read()];
    builder.add("triad", "triad", STREAM, &set, &triad)
}

/// Adds the product of the matrix of a periodic 7-point stencil, of about so many bytes.
pub(super) fn add_spmv(
    builder: &mut Builder<'_>,
    bytes: usize,
    order: Order,
) -> Result<(), AppError> {
    let engine = builder.engine;
    let side = ((bytes / (12 * ROW + 16)) as f64).cbrt().round().max(3.0) as usize;
    let columns = ordered(columns(side)?, order)?;
    let rows = columns.from_set();
    let a = engine.dat(rows, "a", ROW, &numbers(ROW * rows.size()))?;
    let x = engine.dat(columns.to_set(), "x", 1, &numbers(rows.size()))?;
    let y = engine.dat_zeroed(rows, "y", 1, DType::F64)?;
    builder.kept.push(Kept::Dat(y.clone()));
    let args = [a.read(), x.read().through(&columns), y.write()];
    builder.add("spmv", "spmv", SPMV, rows, &args)
}

/// Columns of the entries of each row. Rows and columns are the same points, but each has its own set: the rows are in the
/// order of the columns.
fn columns(side: usize) -> Result<Map, AppError> {
    let points = side * side * side;
    let stride = [1, side, side * side];
    let mut entries = Vec::with_capacity(ROW * points);
    for point in 0..points {
        entries.push(point as i32);
        for stride in stride {
            let at = point / stride % side;
            let line = point - at * stride;
            let beside = |by: usize| (line + (at + by) % side * stride) as i32;
            entries.extend([beside(1), beside(side - 1)]);
        }
    }
    let set = |name| Set::new(name, points);
    Ok(Map::new(
        "columns",
        &set("rows")?,
        &set("points")?,
        ROW,
        entries,
    )?)
}

fn ordered(mut columns: Map, order: Order) -> Result<Map, RenumberError> {
    if order != Order::Natural {
        columns = shuffled(columns.to_set())?.map(&columns)?;
        columns = shuffled(columns.from_set())?.map(&columns)?;
    }
    if order == Order::Rcm {
        columns = Renumbering::rcm(columns.to_set(), &[&columns])?.map(&columns)?;
        columns = Renumbering::along(columns.from_set(), &columns)?.map(&columns)?;
    }
    Ok(columns)
}
