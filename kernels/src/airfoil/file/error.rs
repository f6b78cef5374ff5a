//! What can be wrong with a mesh file, said with the file, the line, what was expected and what was found.
//!
//! [`MeshFileError`] is the operation that failed; [`Fault`] is what is wrong with the content. Text taken from a file is
//! shortened before it gets here, so an error is never long.

use std::fmt;
use std::path::PathBuf;

/// Why a mesh file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeshFileError {
    /// The file can't be opened.
    #[error("{}: can't be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Reading failed.
    #[error("{}:{line}: can't be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The line that was to be read, from 1.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file can't be made or written.
    #[error("{}: can't be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content is not a mesh.
    #[error("{}:{line}: {fault}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        fault: Fault,
    },
}

/// What is wrong with a line of a mesh file.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends before the last record that its first line promises.
    #[error("the file ends: expected {expected} {record} lines, found {found}")]
    Ended {
        /// The records that are missing.
        record: Record,
        /// How many of them there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// A line has too few or too many fields.
    #[error("expected {expected} fields ({}) of the {record} line, found {found}", record.fields())]
    FieldCount {
        /// The record expected on this line.
        record: Record,
        /// Its number of fields.
        expected: usize,
        /// The number of fields on the line.
        found: usize,
    },
    /// A field of integers holds something else.
    #[error("expected an integer for {field} of the {record} line, found `{found}`")]
    NotAnInteger {
        /// The record expected on this line.
        record: Record,
        /// The field of it.
        field: &'static str,
        /// What stands there.
        found: String,
    },
    /// A coordinate is not a number.
    #[error("expected a number for {field} of the {record} line, found `{found}`")]
    NotANumber {
        /// The record expected on this line.
        record: Record,
        /// The field of it.
        field: &'static str,
        /// What stands there.
        found: String,
    },
    /// A coordinate is infinite or NaN.
    #[error("expected a finite number for {field} of the {record} line, found `{found}`")]
    NotFinite {
        /// The record expected on this line.
        record: Record,
        /// The field of it.
        field: &'static str,
        /// What stands there.
        found: String,
    },
    /// The first line gives a set more elements than a map can name, or fewer than none.
    #[error("expected a number of {set} from 0 to {limit}, found {found}")]
    CountOutOfRange {
        /// The set.
        set: SetName,
        /// The most elements it may have.
        limit: u64,
        /// What stands there.
        found: String,
    },
    /// The first line says that there are no cells.
    #[error("expected at least one cell, found 0")]
    NoCells,
    /// A map value names no element of its target.
    #[error(
        "expected {field} of the {record} line to be one of {size} {set}, found {found}, which is not in 0..{size}"
    )]
    IndexOutOfRange {
        /// The record expected on this line.
        record: Record,
        /// The field of it.
        field: &'static str,
        /// The set that it indexes.
        set: SetName,
        /// The number of elements of that set.
        size: u64,
        /// What stands there.
        found: String,
    },
    /// The kind of a boundary edge is not known.
    #[error("expected a bound of 1 (wall) or 2 (far field), found {found}")]
    UnknownBound {
        /// What stands there.
        found: String,
    },
    /// There is something after the last record.
    #[error("expected the end of the file after {records} lines of data, found `{found}`")]
    TrailingData {
        /// Records that the first line promises, itself included.
        records: u64,
        /// The beginning of the line.
        found: String,
    },
    /// A line is longer than any record can be.
    #[error("expected the next {record} line, found more than {limit} bytes without a line end")]
    LineTooLong {
        /// The record expected on this line.
        record: Record,
        /// The most bytes of a line.
        limit: usize,
    },
    /// The records fit no memory.
    #[error("no memory for the {record} lines")]
    NoMemory {
        /// The records being read.
        record: Record,
    },
}

/// The kinds of line of a mesh file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// The first line.
    Counts,
    /// Coordinates of a node.
    Node,
    /// Nodes of a cell.
    Cell,
    /// Nodes and cells of an interior edge.
    Edge,
    /// Nodes, cell and kind of a boundary edge.
    BoundaryEdge,
    /// What must not be: a line after the last.
    End,
}

impl Record {
    fn fields(self) -> &'static str {
        match self {
            Record::Counts => "nnode ncell nedge nbedge",
            Record::Node => "x y",
            Record::Cell => "n1 n2 n3 n4",
            Record::Edge => "n1 n2 c1 c2",
            Record::BoundaryEdge => "n1 n2 c bound",
            Record::End => "",
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Record::Counts => "counts",
            Record::Node => "node",
            Record::Cell => "cell",
            Record::Edge => "edge",
            Record::BoundaryEdge => "boundary edge",
            Record::End => "blank",
        })
    }
}

/// The sets of a mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetName {
    /// Nodes.
    Nodes,
    /// Cells.
    Cells,
    /// Interior edges.
    Edges,
    /// Boundary edges.
    BoundaryEdges,
}

impl fmt::Display for SetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            SetName::Nodes => "nodes",
            SetName::Cells => "cells",
            SetName::Edges => "edges",
            SetName::BoundaryEdges => "boundary edges",
        })
    }
}
