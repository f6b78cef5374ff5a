//! Globals: values for the whole loop, read by every element or reduced over them.
//!
//! Made by an engine (`Engine::global` and its kin). A loop that reduces leaves the result in the global itself.

use super::{Buffer, DataError, DataMut, DataRef, Value};
use crate::par_loop::Arg;
use parloop_compiler::{Access, DType};
use std::fmt;
use std::sync::Arc;

/// `dim` values for a whole loop. A cheap handle; two are equal when they are the same global.
#[derive(Clone)]
pub struct Global(Arc<Buffer>);

impl Global {
    pub(crate) fn of(buffer: Buffer) -> Global {
        Global(Arc::new(buffer))
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Number of values.
    pub fn dim(&self) -> usize {
        self.0.dim() as usize
    }

    /// Type of a value.
    pub fn dtype(&self) -> DType {
        self.0.dtype()
    }

    /// How many times it has been taken for writing, by loops and by [`Global::data_mut`].
    pub fn version(&self) -> u64 {
        self.0.version()
    }

    /// Its values, to read.
    ///
    /// # Errors
    /// [`DataError::WrongView`], [`DataError::Writing`].
    pub fn data<T: Value>(&self) -> Result<DataRef<'_, T>, DataError> {
        self.0.data()
    }

    /// Its values, to write.
    ///
    /// # Errors
    /// [`DataError::WrongView`], [`DataError::Writing`], [`DataError::Reading`].
    pub fn data_mut<T: Value>(&self) -> Result<DataMut<'_, T>, DataError> {
        self.0.data_mut()
    }

    /// As an argument that is only read.
    pub fn read(&self) -> Arg<'_> {
        Arg::global(self, Access::Read)
    }

    /// As an argument that is zero at each element and taken after it: the last element wins.
    pub fn write(&self) -> Arg<'_> {
        Arg::global(self, Access::Write)
    }

    /// As an argument whose running value each element sees and changes.
    pub fn rw(&self) -> Arg<'_> {
        Arg::global(self, Access::Rw)
    }

    /// As an argument that is zero at each element and added after it.
    pub fn inc(&self) -> Arg<'_> {
        Arg::global(self, Access::Inc)
    }

    /// As an argument that is combined by minimum.
    pub fn min(&self) -> Arg<'_> {
        Arg::global(self, Access::Min)
    }

    /// As an argument that is combined by maximum.
    pub fn max(&self) -> Arg<'_> {
        Arg::global(self, Access::Max)
    }

    pub(crate) fn buffer(&self) -> &Buffer {
        &self.0
    }
}

impl PartialEq for Global {
    fn eq(&self, other: &Global) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Global {}

impl fmt::Debug for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Global({}, {} x {})",
            self.name(),
            self.dim(),
            self.dtype()
        )
    }
}
