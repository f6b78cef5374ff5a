//! The reader: line by line, in one pass, from any buffered source.
//!
//! A line is bounded, and vectors grow as records are seen, so a hostile file costs no more memory than its own size. Lines
//! are counted from 1, blank ones included, so that a number in an error is the one an editor shows.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::error::{Fault, MeshFileError, Record, SetName};
use crate::airfoil::mesh::{Mesh, SET_SIZE_MAX};
use crate::airfoil::{BOUND_FAR_FIELD, BOUND_WALL};

/// Most bytes of a line, its end included.
pub const LINE_BYTES_MAX: usize = 4096;

/// Bytes read from the system at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Most values reserved on a count's word alone; beyond that, vectors grow with the data.
const RESERVED_VALUES_MAX: u64 = 1 << 16;

/// Most characters of a file's text that an error repeats.
const QUOTED_CHARS_MAX: usize = 40;

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
    let mut lines = Lines {
        input,
        path: path.as_ref(),
        buffer: Vec::new(),
        number: 0,
    };
    let counts = read_counts(&mut lines)?;
    let mut mesh = Mesh::default();
    read_nodes(&mut lines, counts, &mut mesh)?;
    read_cells(&mut lines, counts, &mut mesh)?;
    read_edges(&mut lines, counts, &mut mesh)?;
    read_bedges(&mut lines, counts, &mut mesh)?;
    expect_end(&mut lines, counts)?;
    Ok(mesh)
}

/// The first line, each count at most [`SET_SIZE_MAX`].
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
            line.node("n1", n1, counts)?,
            line.node("n2", n2, counts)?,
            line.node("n3", n3, counts)?,
            line.node("n4", n4, counts)?,
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
            [line.node("n1", n1, counts)?, line.node("n2", n2, counts)?],
        )?;
        line.push(
            &mut mesh.edge_cells,
            [line.cell("c1", c1, counts)?, line.cell("c2", c2, counts)?],
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
            [line.node("n1", n1, counts)?, line.node("n2", n2, counts)?],
        )?;
        line.push(&mut mesh.bedge_cells, [line.cell("c", cell, counts)?])?;
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

/// The non-blank lines of a source.
struct Lines<'p, R> {
    input: R,
    path: &'p Path,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<'_, R> {
    /// The next line, which must be there: `seen` of `expected` such records came before.
    fn expect(
        &mut self,
        record: Record,
        expected: u64,
        seen: u64,
    ) -> Result<Line<'_>, MeshFileError> {
        if self.advance(record)? {
            return Ok(self.current(record));
        }
        Err(self.current(record).fault(Fault::Ended {
            record,
            expected,
            found: seen,
        }))
    }

    /// The next line, if there is one.
    fn next(&mut self, record: Record) -> Result<Option<Line<'_>>, MeshFileError> {
        Ok(if self.advance(record)? {
            Some(self.current(record))
        } else {
            None
        })
    }

    fn current(&self, record: Record) -> Line<'_> {
        Line {
            text: &self.buffer,
            path: self.path,
            number: self.number,
            record,
        }
    }

    /// Goes to the next line that is not blank; false, with the last line's number kept, at the end of the file.
    fn advance(&mut self, record: Record) -> Result<bool, MeshFileError> {
        loop {
            self.buffer.clear();
            let limit = LINE_BYTES_MAX as u64;
            let length = (&mut self.input)
                .take(limit)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| MeshFileError::Read {
                    path: self.path.into(),
                    line: self.number + 1,
                    source,
                })?;
            if length == 0 {
                self.number = self.number.max(1);
                return Ok(false);
            }
            self.number += 1;
            if length == LINE_BYTES_MAX && !self.buffer.ends_with(b"\n") {
                return Err(self.current(record).fault(Fault::LineTooLong {
                    record,
                    limit: LINE_BYTES_MAX,
                }));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

/// One line, with what an error about it needs.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    path: &'a Path,
    number: u64,
    record: Record,
}

impl<'a> Line<'a> {
    #[cold]
    fn fault(&self, fault: Fault) -> MeshFileError {
        MeshFileError::Malformed {
            path: self.path.into(),
            line: self.number,
            fault,
        }
    }

    fn fields<const N: usize>(&self) -> Result<[&'a [u8]; N], MeshFileError> {
        let mut fields = [&self.text[..0]; N];
        let mut found = 0;
        for field in self
            .text
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty())
        {
            if let Some(slot) = fields.get_mut(found) {
                *slot = field;
            }
            found += 1;
        }
        if found == N {
            return Ok(fields);
        }
        Err(self.fault(Fault::FieldCount {
            record: self.record,
            expected: N,
            found,
        }))
    }

    fn push<T, const N: usize>(
        &self,
        to: &mut Vec<T>,
        values: [T; N],
    ) -> Result<(), MeshFileError> {
        to.try_reserve(N).map_err(|_| {
            self.fault(Fault::NoMemory {
                record: self.record,
            })
        })?;
        to.extend(values);
        Ok(())
    }

    fn count(&self, field: &'static str, text: &[u8], set: SetName) -> Result<u64, MeshFileError> {
        match self.integer(field, text)? {
            Some(count) if count <= SET_SIZE_MAX => Ok(count),
            _ => Err(self.fault(Fault::CountOutOfRange {
                set,
                limit: SET_SIZE_MAX,
                found: quoted(text),
            })),
        }
    }

    fn node(&self, field: &'static str, text: &[u8], counts: Counts) -> Result<i32, MeshFileError> {
        self.index(field, text, SetName::Nodes, counts.nodes)
    }

    fn cell(&self, field: &'static str, text: &[u8], counts: Counts) -> Result<i32, MeshFileError> {
        self.index(field, text, SetName::Cells, counts.cells)
    }

    fn index(
        &self,
        field: &'static str,
        text: &[u8],
        set: SetName,
        size: u64,
    ) -> Result<i32, MeshFileError> {
        match self.integer(field, text)? {
            // In range of a set, and sets have at most i32::MAX elements.
            Some(index) if index < size => Ok(index as i32),
            _ => {
                let found = quoted(text);
                Err(self.fault(Fault::IndexOutOfRange {
                    record: self.record,
                    field,
                    set,
                    size,
                    found,
                }))
            }
        }
    }

    fn bound(&self, text: &[u8]) -> Result<i32, MeshFileError> {
        match self.integer("bound", text)?.map(i32::try_from) {
            Some(Ok(bound @ (BOUND_WALL | BOUND_FAR_FIELD))) => Ok(bound),
            _ => Err(self.fault(Fault::UnknownBound {
                found: quoted(text),
            })),
        }
    }

    /// The value of an integer, None if it is negative or too large for any use here.
    fn integer(&self, field: &'static str, text: &[u8]) -> Result<Option<u64>, MeshFileError> {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            let found = quoted(text);
            return Err(self.fault(Fault::NotAnInteger {
                record: self.record,
                field,
                found,
            }));
        }
        let value = digits.iter().try_fold(0_u64, |value, digit| {
            value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        Ok(value.filter(|&value| value == 0 || digits.len() == text.len()))
    }

    fn coordinate(&self, field: &'static str, text: &[u8]) -> Result<f64, MeshFileError> {
        let value = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<f64>().ok());
        match value {
            Some(value) if value.is_finite() => Ok(value),
            Some(_) => {
                let found = quoted(text);
                Err(self.fault(Fault::NotFinite {
                    record: self.record,
                    field,
                    found,
                }))
            }
            None => {
                let found = quoted(text);
                Err(self.fault(Fault::NotANumber {
                    record: self.record,
                    field,
                    found,
                }))
            }
        }
    }
}

/// The beginning of a file's text, fit to be shown.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii());
    let mut chars = text.chars().map(|c| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    });
    let mut quoted: String = chars.by_ref().take(QUOTED_CHARS_MAX).collect();
    if chars.next().is_some() {
        quoted.push_str("...");
    }
    quoted
}
