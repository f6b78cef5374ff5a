//! Views of a dat's or global's values: read guards and write guards.
//!
//! Invariant: a guard exists only between a successful borrow and its end, which is the guard's drop, and its type was
//! checked against the data's, or is `u8`: values of every type are initialised bytes, and all bytes are values.

use super::{Buffer, Value};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The values of a dat or global, to read: a slice `[element][component]`. No loop writes them while it lives.
pub struct DataRef<'a, T> {
    buffer: &'a Buffer,
    values: PhantomData<&'a [T]>,
}

/// The values of a dat or global, to write. No loop and no other guard touches them while it lives.
pub struct DataMut<'a, T> {
    buffer: &'a Buffer,
    values: PhantomData<&'a mut [T]>,
}

impl<'a, T: Value> DataRef<'a, T> {
    /// The caller has just taken a read borrow of the buffer, whose type is `T` unless that is `u8`.
    pub(crate) fn of(buffer: &'a Buffer) -> DataRef<'a, T> {
        DataRef {
            buffer,
            values: PhantomData,
        }
    }
}

impl<'a, T: Value> DataMut<'a, T> {
    /// The caller has just taken the write borrow of the buffer, whose type is `T` unless that is `u8`.
    pub(crate) fn of(buffer: &'a Buffer) -> DataMut<'a, T> {
        DataMut {
            buffer,
            values: PhantomData,
        }
    }
}

impl<T: Value> Deref for DataRef<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the guard holds a read borrow until its drop; `T` was checked when it was made.
        unsafe { self.buffer.storage().slice() }
    }
}

impl<T: Value> Deref for DataMut<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the guard holds the write borrow until its drop; `T` was checked when it was made.
        unsafe { self.buffer.storage().slice() }
    }
}

impl<T: Value> DerefMut for DataMut<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `&mut self` lets no two views live at a time.
        unsafe { self.buffer.storage().slice_mut() }
    }
}

impl<T> Drop for DataRef<'_, T> {
    fn drop(&mut self) {
        self.buffer.borrow().end_read();
    }
}

impl<T> Drop for DataMut<'_, T> {
    fn drop(&mut self) {
        self.buffer.borrow().end_write();
    }
}

impl<T: Value> std::fmt::Debug for DataRef<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Value> std::fmt::Debug for DataMut<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
