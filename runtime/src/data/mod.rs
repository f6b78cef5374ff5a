//! Data of a mesh: dats and globals, their storage, and who may look at it when.
//!
//! Both are cheap `Send + Sync` handles to storage of fixed address. Invariant: nobody reads storage while another writes it:
//! guards and running loops hold a borrow, and whoever comes too late gets an error at once.

mod borrow;
mod buffer;
mod dat;
mod error;
mod global;
mod guard;
mod registry;
mod storage;
mod value;

use borrow::Borrow;
pub(crate) use buffer::{Buffer, Shape};
pub use dat::Dat;
pub use error::DataError;
pub use global::Global;
pub use guard::{DataMut, DataRef};
pub(crate) use registry::Registry;
pub(crate) use storage::AlignedBytes;
use storage::Storage;
pub use value::{Real, Value};
