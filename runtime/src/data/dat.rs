//! Dats: data on a set.
//!
//! Invariant: a dat has `dim` values for each element of its set, halo included, element by element. Made by an engine
//! (`Engine::dat` and its kin); all other files see it through this handle.

use super::{Buffer, DataError, DataMut, DataRef, Value};
use crate::mesh::Set;
use crate::par_loop::Arg;
use parloop_compiler::{Access, DType};
use std::fmt;
use std::sync::Arc;

/// Data on a set: `dim` values an element. A cheap handle; two are equal when they are the same dat.
#[derive(Clone)]
pub struct Dat(Arc<OnSet>);

struct OnSet {
    set: Set,
    buffer: Buffer,
}

impl Dat {
    pub(crate) fn of(set: &Set, buffer: Buffer) -> Dat {
        Dat(Arc::new(OnSet {
            set: set.clone(),
            buffer,
        }))
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        self.0.buffer.name()
    }

    /// The set it is on.
    pub fn set(&self) -> &Set {
        &self.0.set
    }

    /// Values an element.
    pub fn dim(&self) -> usize {
        self.0.buffer.dim() as usize
    }

    /// Type of a value.
    pub fn dtype(&self) -> DType {
        self.0.buffer.dtype()
    }

    /// How many times it has been taken for writing, by loops and by [`Dat::data_mut`].
    pub fn version(&self) -> u64 {
        self.0.buffer.version()
    }

    /// All values, `[element][component]`, to read.
    ///
    /// # Errors
    /// [`DataError::WrongView`], [`DataError::Writing`].
    pub fn data<T: Value>(&self) -> Result<DataRef<'_, T>, DataError> {
        self.0.buffer.data()
    }

    /// All values, `[element][component]`, to write.
    ///
    /// # Errors
    /// [`DataError::WrongView`], [`DataError::Writing`], [`DataError::Reading`].
    pub fn data_mut<T: Value>(&self) -> Result<DataMut<'_, T>, DataError> {
        self.0.buffer.data_mut()
    }

    /// As an argument that is only read.
    pub fn read(&self) -> Arg<'_> {
        Arg::dat(self, Access::Read)
    }

    /// As an argument that is written without being read.
    pub fn write(&self) -> Arg<'_> {
        Arg::dat(self, Access::Write)
    }

    /// As an argument that is read and written in place.
    pub fn rw(&self) -> Arg<'_> {
        Arg::dat(self, Access::Rw)
    }

    /// As an argument that is added to.
    pub fn inc(&self) -> Arg<'_> {
        Arg::dat(self, Access::Inc)
    }

    /// As an argument that is combined by minimum.
    pub fn min(&self) -> Arg<'_> {
        Arg::dat(self, Access::Min)
    }

    /// As an argument that is combined by maximum.
    pub fn max(&self) -> Arg<'_> {
        Arg::dat(self, Access::Max)
    }

    /// A copy on another set of the same sizes: row `r` is row `old_of_new[r]` of this one.
    pub(crate) fn renumbered(&self, set: &Set, old_of_new: &[u32]) -> Result<Dat, DataError> {
        Ok(Dat::of(set, self.0.buffer.gathered(old_of_new)?))
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.0.buffer
    }
}

impl PartialEq for Dat {
    fn eq(&self, other: &Dat) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Dat {}

impl fmt::Debug for Dat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Dat({} on {}, {} x {})",
            self.name(),
            self.set().name(),
            self.dim(),
            self.dtype()
        )
    }
}
