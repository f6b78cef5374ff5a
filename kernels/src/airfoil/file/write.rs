//! The writer. What it writes reads back as the same mesh, bit for bit.
//!
//! A coordinate that six decimals hold exactly, as all of a generated mesh do, is written with six, as in the published
//! file; any other one with as many digits as it takes. The file is written in place: it is not a cache entry.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::MeshFileError;
use crate::airfoil::mesh::Mesh;

/// Bytes handed to the system at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Writes `mesh` to the file `path`, replacing what it held.
pub fn write(mesh: &Mesh, path: impl AsRef<Path>) -> Result<(), MeshFileError> {
    let path = path.as_ref();
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
        write_to(mesh, &mut out)?;
        out.flush()
    });
    written.map_err(|source| MeshFileError::Write {
        path: path.into(),
        source,
    })
}

/// Writes `mesh` to `out`, which should be buffered.
pub fn write_to(mesh: &Mesh, mut out: impl Write) -> io::Result<()> {
    let counts = [mesh.nnode(), mesh.ncell(), mesh.nedge(), mesh.nbedge()];
    writeln!(
        out,
        "{} {} {} {}",
        counts[0], counts[1], counts[2], counts[3]
    )?;
    let mut line = Vec::new();
    for x in mesh.x.chunks_exact(2) {
        push_coordinate(&mut line, x[0])?;
        push_coordinate(&mut line, x[1])?;
        finish(&mut out, &mut line)?;
    }
    for nodes in mesh.cells.chunks_exact(4) {
        push_integers(&mut line, nodes)?;
        finish(&mut out, &mut line)?;
    }
    for (nodes, cells) in mesh
        .edges
        .chunks_exact(2)
        .zip(mesh.edge_cells.chunks_exact(2))
    {
        push_integers(&mut line, nodes)?;
        push_integers(&mut line, cells)?;
        finish(&mut out, &mut line)?;
    }
    for ((nodes, &cell), &bound) in mesh
        .bedges
        .chunks_exact(2)
        .zip(&mesh.bedge_cells)
        .zip(&mesh.bound)
    {
        push_integers(&mut line, nodes)?;
        push_integers(&mut line, &[cell, bound])?;
        finish(&mut out, &mut line)?;
    }
    Ok(())
}

/// Ends the line and hands it on: each field so far ends with a space.
fn finish(out: &mut impl Write, line: &mut Vec<u8>) -> io::Result<()> {
    line.pop();
    line.push(b'\n');
    out.write_all(line)?;
    line.clear();
    Ok(())
}

fn push_integers(line: &mut Vec<u8>, values: &[i32]) -> io::Result<()> {
    for value in values {
        write!(line, "{value} ")?;
    }
    Ok(())
}

fn push_coordinate(line: &mut Vec<u8>, value: f64) -> io::Result<()> {
    let micros = (value.abs() * 1e6).round();
    // Below 2^53 both the whole number and the quotient are exact or correctly rounded, as reading the digits back is.
    if micros < 9e15 && micros / 1e6 == value.abs() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let (whole, part) = (micros as u64 / 1_000_000, micros as u64 % 1_000_000);
        write!(line, "{sign}{whole}.{part:06} ")
    } else {
        write!(line, "{value:?} ")
    }
}
