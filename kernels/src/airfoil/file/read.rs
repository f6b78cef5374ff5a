//! The reader: record by record, in one pass, from any buffered source.
//!
//! Vectors grow as records are seen, so a hostile file costs no more memory than a few times its own size. What a line may
//! hold is left to [`mod@super::line`].

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::{Fault, MeshFileError, Record, SetName};
use super::line::{Lines, quoted};
use crate::airfoil::mesh::Mesh;

/// Bytes read from the system at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Most values reserved on a count's word alone; beyond that, vectors grow with the data.
const RESERVED_VALUES_MAX: u64 = 1 << 16;

/// Reads the mesh file `path`.
pub fn read(path: impl AsRef<Path>) -> Result<Mesh, MeshFileError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| MeshFileError::Open {
        path: path.into(),
        source,
    })?;
    read_from(BufReader::with_capacity(BUFFER_BYTES, file), path)
}

/// Reads a mesh from `input`; `path` is the name that errors give it.
pub fn read_from(input: impl BufRead, path: impl AsRef<Path>) -> Result<Mesh, MeshFileError> {
    let mut lines = Lines::new(input, path.as_ref());
    let counts = read_counts(&mut lines)?;
    let mut mesh = Mesh::default();
    read_nodes(&mut lines, counts, &mut mesh)?;
    read_cells(&mut lines, counts, &mut mesh)?;
    read_edges(&mut lines, counts, &mut mesh)?;
    read_bedges(&mut lines, counts, &mut mesh)?;
    expect_end(&mut lines, counts)?;
    Ok(mesh)
}

/// The first line, each count at most [`crate::airfoil::mesh::SET_SIZE_MAX`].
#[derive(Clone, Copy)]
struct Counts {
    nodes: u64,
    cells: u64,
    edges: u64,
    bedges: u64,
}

fn read_counts(lines: &mut Lines<'_, impl BufRead>) -> Result<Counts, MeshFileError> {
    let line = lines.expect(Record::Counts, 1, 0)?;
    let [nodes, cells, edges, bedges] = line.fields()?;
    let counts = Counts {
        nodes: line.count("nnode", nodes, SetName::Nodes)?,
        cells: line.count("ncell", cells, SetName::Cells)?,
        edges: line.count("nedge", edges, SetName::Edges)?,
        bedges: line.count("nbedge", bedges, SetName::BoundaryEdges)?,
    };
    if counts.cells == 0 {
        return Err(line.fault(Fault::NoCells));
    }
    Ok(counts)
}

fn read_nodes(
    lines: &mut Lines<'_, impl BufRead>,
    counts: Counts,
    mesh: &mut Mesh,
) -> Result<(), MeshFileError> {
    reserve(&mut mesh.x, 2 * counts.nodes);
    for seen in 0..counts.nodes {
        let line = lines.expect(Record::Node, counts.nodes, seen)?;
        let [x, y] = line.fields()?;
        line.push(
            &mut mesh.x,
            [line.coordinate("x", x)?, line.coordinate("y", y)?],
        )?;
    }
    Ok(())
}

fn read_cells(
    lines: &mut Lines<'_, impl BufRead>,
    counts: Counts,
    mesh: &mut Mesh,
) -> Result<(), MeshFileError> {
    reserve(&mut mesh.cells, 4 * counts.cells);
    for seen in 0..counts.cells {
        let line = lines.expect(Record::Cell, counts.cells, seen)?;
        let [n1, n2, n3, n4] = line.fields()?;
        let nodes = [
            line.node("n1", n1, counts.nodes)?,
            line.node("n2", n2, counts.nodes)?,
            line.node("n3", n3, counts.nodes)?,
            line.node("n4", n4, counts.nodes)?,
        ];
        line.push(&mut mesh.cells, nodes)?;
    }
    Ok(())
}

fn read_edges(
    lines: &mut Lines<'_, impl BufRead>,
    counts: Counts,
    mesh: &mut Mesh,
) -> Result<(), MeshFileError> {
    reserve(&mut mesh.edges, 2 * counts.edges);
    reserve(&mut mesh.edge_cells, 2 * counts.edges);
    for seen in 0..counts.edges {
        let line = lines.expect(Record::Edge, counts.edges, seen)?;
        let [n1, n2, c1, c2] = line.fields()?;
        line.push(
            &mut mesh.edges,
            [
                line.node("n1", n1, counts.nodes)?,
                line.node("n2", n2, counts.nodes)?,
            ],
        )?;
        line.push(
            &mut mesh.edge_cells,
            [
                line.cell("c1", c1, counts.cells)?,
                line.cell("c2", c2, counts.cells)?,
            ],
        )?;
    }
    Ok(())
}

fn read_bedges(
    lines: &mut Lines<'_, impl BufRead>,
    counts: Counts,
    mesh: &mut Mesh,
) -> Result<(), MeshFileError> {
    reserve(&mut mesh.bedges, 2 * counts.bedges);
    reserve(&mut mesh.bedge_cells, counts.bedges);
    reserve(&mut mesh.bound, counts.bedges);
    for seen in 0..counts.bedges {
        let line = lines.expect(Record::BoundaryEdge, counts.bedges, seen)?;
        let [n1, n2, cell, bound] = line.fields()?;
        line.push(
            &mut mesh.bedges,
            [
                line.node("n1", n1, counts.nodes)?,
                line.node("n2", n2, counts.nodes)?,
            ],
        )?;
        line.push(&mut mesh.bedge_cells, [line.cell("c", cell, counts.cells)?])?;
        line.push(&mut mesh.bound, [line.bound(bound)?])?;
    }
    Ok(())
}

fn expect_end(lines: &mut Lines<'_, impl BufRead>, counts: Counts) -> Result<(), MeshFileError> {
    let records = 1 + counts.nodes + counts.cells + counts.edges + counts.bedges;
    match lines.next(Record::End)? {
        None => Ok(()),
        Some(line) => Err(line.fault(Fault::TrailingData {
            records,
            found: quoted(line.text),
        })),
    }
}

/// Room for `count` values, as far as a count that nobody has checked deserves it.
fn reserve<T>(values: &mut Vec<T>, count: u64) {
    values.reserve(count.min(RESERVED_VALUES_MAX) as usize);
}
