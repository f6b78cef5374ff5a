//! Rows of vectors, and tiles of rows: their number is in their type, so that all of a tile stays in registers.
#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "the addresses and the instructions of a tile are good for one reason, which each block gives"
)]

use super::lanes::{Lanes, Lasting};

/// The entries of a row of a tile, as vectors. Types stand for their number, so that all of them are in registers whatever the
/// compiler makes of loops.
///
/// # Safety
/// As that of [`Lanes`].
pub(super) trait Row: Copy {
    type Lanes: Lanes;
    const VECTORS: usize;
    /// Loads neighbours, the last vector masked.
    unsafe fn load(at: *const Value<Self>, last: Ending<Self>) -> Self;
    unsafe fn store(self, at: *mut Value<Self>, last: Ending<Self>);
    unsafe fn times(self, factor: Self::Lanes) -> Self;
    /// `factor * columns + self`.
    unsafe fn plus_product<const FUSED: bool>(self, factor: Self::Lanes, columns: Self) -> Self;
}

pub(super) type Value<R> = <<R as Row>::Lanes as Lanes>::Value;
pub(super) type Ending<R> = Lasting<<R as Row>::Lanes>;

/// The last vector of a row.
#[derive(Clone, Copy)]
pub(super) struct Last<L>(L);

/// A vector, and what follows it.
#[derive(Clone, Copy)]
pub(super) struct Then<L, R>(L, R);

impl<L: Lanes> Row for Last<L> {
    type Lanes = L;
    const VECTORS: usize = 1;
    #[inline(always)]
    unsafe fn load(at: *const L::Value, last: Lasting<L>) -> Last<L> {
        // SAFETY: as the caller says; what the mask leaves out is not accessed.
        Last(unsafe { L::load_some(at, last.mask) })
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut L::Value, last: Lasting<L>) {
        // SAFETY: as the caller says; lanes that are no entries are not stored.
        unsafe {
            match last.count == L::LANES {
                true => self.0.store(at),
                false => self.0.store_some(at, last),
            }
        }
    }
    #[inline(always)]
    unsafe fn times(self, factor: L) -> Last<L> {
        // SAFETY: the machine has the instruction.
        Last(unsafe { self.0.times(factor) })
    }
    #[inline(always)]
    unsafe fn plus_product<const FUSED: bool>(self, factor: L, columns: Last<L>) -> Last<L> {
        // SAFETY: the machine has the instructions.
        Last(unsafe { self.0.plus_product::<FUSED>(factor, columns.0) })
    }
}

impl<L: Lanes, R: Row<Lanes = L>> Row for Then<L, R> {
    type Lanes = L;
    const VECTORS: usize = 1 + R::VECTORS;
    #[inline(always)]
    unsafe fn load(at: *const L::Value, last: Lasting<L>) -> Then<L, R> {
        // SAFETY: as the caller says.
        unsafe { Then(L::load(at), R::load(at.add(L::LANES), last)) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut L::Value, last: Lasting<L>) {
        // SAFETY: as the caller says.
        unsafe {
            self.0.store(at);
            self.1.store(at.add(L::LANES), last);
        }
    }
    #[inline(always)]
    unsafe fn times(self, factor: L) -> Then<L, R> {
        // SAFETY: the machine has the instruction.
        unsafe { Then(self.0.times(factor), self.1.times(factor)) }
    }
    #[inline(always)]
    unsafe fn plus_product<const FUSED: bool>(self, factor: L, columns: Then<L, R>) -> Then<L, R> {
        // SAFETY: the machine has the instructions.
        unsafe {
            Then(
                self.0.plus_product::<FUSED>(factor, columns.0),
                self.1.plus_product::<FUSED>(factor, columns.1),
            )
        }
    }
}

pub(super) type Two<L> = Then<L, Last<L>>;
pub(super) type Three<L> = Then<L, Two<L>>;
pub(super) type Four<L> = Then<L, Three<L>>;
pub(super) type Eight<L> = Then<L, Then<L, Then<L, Then<L, Four<L>>>>>;

/// Rows of entries.
///
/// # Safety
/// As that of [`Lanes`].
pub(super) trait Tile<R: Row>: Copy {
    const ROWS: usize;
    unsafe fn load(at: *const Value<R>, row_bytes: isize, last: Ending<R>) -> Self;
    unsafe fn store(self, at: *mut Value<R>, row_bytes: isize, last: Ending<R>);
    /// Adds `columns` times a factor to each row; the factors are so far apart.
    unsafe fn plus_products<const FUSED: bool>(
        self,
        factor: *const Value<R>,
        row_bytes: isize,
        columns: R,
    ) -> Self;
}

/// A row, and those after it.
#[derive(Clone, Copy)]
pub(super) struct Rows<R, T>(R, T);

impl<R: Row> Tile<R> for () {
    const ROWS: usize = 0;
    #[inline(always)]
    unsafe fn load(_at: *const Value<R>, _row_bytes: isize, _last: Ending<R>) {}
    #[inline(always)]
    unsafe fn store(self, _at: *mut Value<R>, _row_bytes: isize, _last: Ending<R>) {}
    #[inline(always)]
    unsafe fn plus_products<const FUSED: bool>(
        self,
        _factor: *const Value<R>,
        _row_bytes: isize,
        _columns: R,
    ) {
    }
}

impl<R: Row, T: Tile<R>> Tile<R> for Rows<R, T> {
    const ROWS: usize = 1 + T::ROWS;
    #[inline(always)]
    unsafe fn load(at: *const Value<R>, row_bytes: isize, last: Ending<R>) -> Rows<R, T> {
        let next = at.wrapping_byte_offset(row_bytes);
        // SAFETY: as the caller says.
        unsafe { Rows(R::load(at, last), T::load(next, row_bytes, last)) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut Value<R>, row_bytes: isize, last: Ending<R>) {
        let next = at.wrapping_byte_offset(row_bytes);
        // SAFETY: as the caller says.
        unsafe {
            self.0.store(at, last);
            self.1.store(next, row_bytes, last);
        }
    }
    #[inline(always)]
    unsafe fn plus_products<const FUSED: bool>(
        self,
        factor: *const Value<R>,
        row_bytes: isize,
        columns: R,
    ) -> Rows<R, T> {
        let next = factor.wrapping_byte_offset(row_bytes);
        // SAFETY: as the caller says.
        unsafe {
            let row = self
                .0
                .plus_product::<FUSED>(R::Lanes::all(*factor), columns);
            Rows(row, self.1.plus_products::<FUSED>(next, row_bytes, columns))
        }
    }
}

pub(super) type Rows1<R> = Rows<R, ()>;
pub(super) type Rows2<R> = Rows<R, Rows1<R>>;
pub(super) type Rows3<R> = Rows<R, Rows2<R>>;
pub(super) type Rows4<R> = Rows<R, Rows3<R>>;
pub(super) type Rows5<R> = Rows<R, Rows4<R>>;
pub(super) type Rows6<R> = Rows<R, Rows5<R>>;
pub(super) type Rows8<R> = Rows<R, Rows<R, Rows6<R>>>;
pub(super) type Rows12<R> = Rows<R, Rows<R, Rows<R, Rows<R, Rows8<R>>>>>;
