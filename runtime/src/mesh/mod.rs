//! Meshes: sets, subsets of them, and maps between them.
//!
//! All three are cheap clones of shared, immutable values, equal when they are the same object. Invariant: whatever a handle
//! says about ranges was checked when it was made, so that nobody has to look at the entries again.

mod error;
mod map;
mod set;
mod subset;

pub use error::MeshError;
pub(crate) use map::Columns;
pub use map::{Map, MapIndex, RowSpan};
pub use set::Set;
pub use subset::Subset;
