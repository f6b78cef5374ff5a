//! What dats and globals have in common: typed storage with a borrow, entered in an engine's registry.
//!
//! Invariant: the storage holds exactly `rows * dim` values of `dtype`, is registered while the buffer lives, and never moves.

use super::{Borrow, DataError, DataMut, DataRef, Registry, Storage, Value};
use parloop_compiler::DType;
use std::any::Any;
use std::ptr::{self, NonNull};
use std::sync::Arc;

pub(crate) struct Buffer {
    name: Box<str>,
    dtype: DType,
    dim: u32,
    storage: Storage,
    borrow: Borrow,
    registry: Arc<Registry>,
}

/// What a new buffer is to be: `rows * dim` values of `dtype`.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) name: &'a str,
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) dtype: DType,
}

impl Shape<'_> {
    /// The number of values and bytes, and the dim as signatures have it.
    fn checked(&self) -> Result<(usize, usize, u32), DataError> {
        let name = || self.name.to_owned();
        let dim = match u32::try_from(self.dim) {
            Ok(dim @ 1..) => dim,
            _ => {
                return Err(DataError::Dim {
                    name: name(),
                    dim: self.dim,
                });
            }
        };
        if !DType::ALL.contains(&self.dtype) {
            return Err(DataError::Type {
                name: name(),
                dtype: self.dtype,
            });
        }
        let values = self.rows.checked_mul(self.dim);
        let bytes = values.and_then(|values| values.checked_mul(self.dtype.bytes()));
        match (values, bytes) {
            (Some(values), Some(bytes)) if isize::try_from(bytes).is_ok() => {
                Ok((values, bytes, dim))
            }
            _ => Err(self.out_of_memory()),
        }
    }

    fn out_of_memory(&self) -> DataError {
        let values = self.rows as u128 * self.dim as u128;
        DataError::OutOfMemory {
            name: self.name.to_owned(),
            values,
            dtype: self.dtype,
        }
    }
}

impl Buffer {
    /// Zeroes.
    pub(crate) fn zeroed(registry: &Arc<Registry>, shape: Shape<'_>) -> Result<Buffer, DataError> {
        let (_, bytes, dim) = shape.checked()?;
        let storage = Storage::zeroed(bytes).ok_or_else(|| shape.out_of_memory())?;
        Buffer::entered(registry, shape, dim, storage)
    }

    /// A copy of `values`.
    pub(crate) fn copied<T: Value>(
        registry: &Arc<Registry>,
        shape: Shape<'_>,
        values: &[T],
    ) -> Result<Buffer, DataError> {
        let (expected, _, _) = shape.checked()?;
        if values.len() != expected {
            let name = shape.name.to_owned();
            return Err(DataError::Length {
                name,
                expected,
                found: values.len(),
            });
        }
        let buffer = Buffer::zeroed(registry, shape)?;
        buffer.data_mut::<T>()?.copy_from_slice(values);
        Ok(buffer)
    }

    /// A copy of some rows of this one, in the order in which `rows` names them.
    pub(crate) fn gathered(&self, rows: &[u32]) -> Result<Buffer, DataError> {
        let shape = Shape {
            name: &self.name,
            rows: rows.len(),
            dim: self.dim as usize,
            dtype: self.dtype,
        };
        let gathered = Buffer::zeroed(&self.registry, shape)?;
        let row_bytes = shape.dim * shape.dtype.bytes();
        let from = self.bytes()?;
        for (to, row) in gathered.bytes_mut()?.chunks_exact_mut(row_bytes).zip(rows) {
            to.copy_from_slice(&from[*row as usize * row_bytes..][..row_bytes]);
        }
        drop(from);
        Ok(gathered)
    }

    /// The embedder's storage.
    ///
    /// # Safety
    /// As [`Storage::lent`], for the bytes that the shape comes to.
    pub(crate) unsafe fn lent(
        registry: &Arc<Registry>,
        shape: Shape<'_>,
        base: *mut u8,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Result<Buffer, DataError> {
        let (_, bytes, dim) = shape.checked()?;
        let name = || shape.name.to_owned();
        let bad = || DataError::BadPointer {
            name: name(),
            address: base.addr(),
            dtype: shape.dtype,
        };
        let fits = base.addr().checked_add(bytes).is_some();
        if !fits || !base.addr().is_multiple_of(shape.dtype.align()) {
            return Err(bad());
        }
        // No values need no address: empty arrays of other languages are often null.
        let base = NonNull::new(if bytes == 0 {
            ptr::dangling_mut::<u64>().cast()
        } else {
            base
        })
        .ok_or_else(bad)?;
        // SAFETY: passed on to the caller, who gives the bytes of this shape.
        let storage = unsafe { Storage::lent(base, bytes, owner) };
        Buffer::entered(registry, shape, dim, storage)
    }

    fn entered(
        registry: &Arc<Registry>,
        shape: Shape<'_>,
        dim: u32,
        storage: Storage,
    ) -> Result<Buffer, DataError> {
        if !registry.enter(storage.base().addr(), storage.bytes()) {
            return Err(DataError::Overlap {
                name: shape.name.to_owned(),
            });
        }
        let (name, dtype, borrow) = (shape.name.into(), shape.dtype, Borrow::default());
        Ok(Buffer {
            name,
            dtype,
            dim,
            storage,
            borrow,
            registry: registry.clone(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(crate) fn dim(&self) -> u32 {
        self.dim
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.storage.base()
    }

    pub(crate) fn borrow(&self) -> &Borrow {
        &self.borrow
    }

    pub(crate) fn version(&self) -> u64 {
        self.borrow.version()
    }

    pub(crate) fn belongs_to(&self, registry: &Arc<Registry>) -> bool {
        Arc::ptr_eq(&self.registry, registry)
    }

    /// Why a borrow was refused just now.
    pub(crate) fn conflict(&self) -> DataError {
        let name = self.name().to_owned();
        if self.borrow.is_written() {
            DataError::Writing { name }
        } else {
            DataError::Reading { name }
        }
    }

    fn check_view<T: Value>(&self) -> Result<(), DataError> {
        if T::DTYPE == self.dtype {
            return Ok(());
        }
        Err(DataError::WrongView {
            name: self.name().to_owned(),
            asked: T::DTYPE,
            found: self.dtype,
        })
    }

    pub(crate) fn data<T: Value>(&self) -> Result<DataRef<'_, T>, DataError> {
        self.check_view::<T>()?;
        self.begin_read()?;
        Ok(DataRef::of(self))
    }

    pub(crate) fn data_mut<T: Value>(&self) -> Result<DataMut<'_, T>, DataError> {
        self.check_view::<T>()?;
        self.begin_write()?;
        Ok(DataMut::of(self))
    }

    /// The values' bytes, whatever their type.
    fn bytes(&self) -> Result<DataRef<'_, u8>, DataError> {
        self.begin_read()?;
        Ok(DataRef::of(self))
    }

    /// The values' bytes, to write; the values of every type are those of its bits.
    fn bytes_mut(&self) -> Result<DataMut<'_, u8>, DataError> {
        self.begin_write()?;
        Ok(DataMut::of(self))
    }

    fn begin_read(&self) -> Result<(), DataError> {
        if self.borrow.read() {
            return Ok(());
        }
        Err(DataError::Writing {
            name: self.name().to_owned(),
        })
    }

    fn begin_write(&self) -> Result<(), DataError> {
        if self.borrow.write() {
            return Ok(());
        }
        Err(self.conflict())
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.registry
            .leave(self.storage.base().addr(), self.storage.bytes());
    }
}
