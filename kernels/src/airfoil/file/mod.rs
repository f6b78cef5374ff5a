//! Mesh files of the airfoil benchmark: text, one record a line.
//!
//! `nnode ncell nedge nbedge`; then `x y` for each node, `n1 n2 n3 n4` for each cell, `n1 n2 c1 c2` for each edge and
//! `n1 n2 c bound` for each boundary edge, all counted from 0. Fields are separated by spaces or tabs; blank lines are skipped.
//!
//! [`read()`] trusts nothing: every index is in range in the mesh it gives, every coordinate finite, every bound known, and
//! memory grows with what the file holds, not with what its first line claims. The shape of the cells is not looked at.

mod error;
mod line;
mod read;
mod write;

pub use error::{Fault, MeshFileError, Record, SetName};
pub use line::LINE_BYTES_MAX;
pub use read::{read, read_from};
pub use write::{write, write_to};
