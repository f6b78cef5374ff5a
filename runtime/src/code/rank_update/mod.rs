//! The host functions that run rank-k updates, with the widest vectors of a level.
//!
//! Rows and columns are cut into tiles whose entries stay in registers while all products are added to them, one after the other
//! as the text has them. The last vector of a row is masked, so that nothing beside the entries is touched.
#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "the addresses and the instructions of a tile are good for one reason, which each block gives"
)]

mod lanes;
mod tile;

use lanes::{Lanes, Lasting};
use parloop_compiler::abi::rank_update::{FUNCTIONS, Factor, Term};
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use tile::{
    Eight, Ending, Four, Last, Row, Rows1, Rows2, Rows3, Rows4, Rows5, Rows6, Rows8, Rows12, Three,
    Tile, Two, Value,
};

/// A block of entries and what is added to them.
#[derive(Clone, Copy)]
struct Update<'a, T> {
    entries: *mut T,
    row_bytes: isize,
    column_bytes: isize,
    rows: usize,
    columns: usize,
    terms: &'a [Term],
    trips: usize,
}

impl<T> Update<'_, T> {
    /// Where an entry is.
    ///
    /// # Safety
    /// It is there.
    unsafe fn entry(&self, row: usize, column: usize) -> *mut T {
        // SAFETY: all entries lie in one allocation.
        unsafe {
            let row = self.entries.byte_offset(self.row_bytes * row as isize);
            row.byte_offset(self.column_bytes * column as isize)
        }
    }
}

/// The most entries of a tile: twelve rows of two vectors.
const COPY_MAX: usize = 12 * 2 * 16;

/// Some rows and columns of entries.
#[derive(Clone, Copy)]
struct Part<T> {
    first: *mut T,
    row_bytes: isize,
    column_bytes: isize,
}

impl<T: Copy> Part<T> {
    /// Where a row starts.
    ///
    /// # Safety
    /// It is there.
    #[inline(always)]
    unsafe fn row(self, row: usize) -> *mut T {
        // SAFETY: all rows lie in one allocation.
        unsafe { self.first.byte_offset(self.row_bytes * row as isize) }
    }

    /// Copies so many rows and columns.
    ///
    /// # Safety
    /// Both have them, and they do not overlap.
    #[inline(never)]
    unsafe fn copy_to(self, other: Part<T>, (rows, columns): (usize, usize)) {
        for row in 0..rows {
            // SAFETY: the entries are there, as the caller says.
            unsafe {
                let (mut from, mut to) = (self.row(row), other.row(row));
                for _ in 0..columns {
                    *to = *from;
                    from = from.wrapping_byte_offset(self.column_bytes);
                    to = to.wrapping_byte_offset(other.column_bytes);
                }
            }
        }
    }
}

/// A factor's address in a trip.
///
/// # Safety
/// There is such a trip.
#[inline(always)]
unsafe fn in_trip<T>(factor: &Factor, trip: usize) -> *const T {
    // SAFETY: the factors of all trips lie in one allocation.
    let at = unsafe {
        factor
            .first
            .byte_offset(factor.trip_bytes as isize * trip as isize)
    };
    at.cast()
}

/// The entries of a tile while products are added to them: where they are, or a copy if rows have gaps.
struct Entries<'c, T> {
    own: Part<T>,
    /// What is worked on.
    dense: Part<T>,
    shape: (usize, usize),
    copy: PhantomData<&'c mut Copied<T>>,
}

/// Room for the copy of a tile.
type Copied<T> = MaybeUninit<[T; COPY_MAX]>;

impl<'c, T: Copy> Entries<'c, T> {
    /// Some rows, each as wide as `width` from a column on, or as far as there are columns.
    ///
    /// # Safety
    /// The block has these rows, and the column; nothing else uses its entries.
    #[inline(always)]
    unsafe fn open(
        update: &Update<'_, T>,
        (row, column): (usize, usize),
        (rows, width): (usize, usize),
        copy: &'c mut Copied<T>,
    ) -> Entries<'c, T> {
        let column_bytes = size_of::<T>() as isize;
        let own = Part {
            // SAFETY: the entry is there.
            first: unsafe { update.entry(row, column) },
            row_bytes: update.row_bytes,
            column_bytes: update.column_bytes,
        };
        let mut entries = Entries {
            own,
            dense: own,
            shape: (rows, (update.columns - column).min(width)),
            copy: PhantomData,
        };
        if own.column_bytes != column_bytes {
            entries.dense = Part {
                first: copy.as_mut_ptr().cast(),
                row_bytes: width as isize * column_bytes,
                column_bytes,
            };
            // SAFETY: a copy has room for the rows of all tiles.
            unsafe { own.copy_to(entries.dense, entries.shape) };
        }
        entries
    }

    /// Brings back what was copied.
    ///
    /// # Safety
    /// As that of [`Entries::open`].
    #[inline(always)]
    unsafe fn close(self) {
        if self.own.column_bytes != self.dense.column_bytes {
            // SAFETY: as when it was copied.
            unsafe { self.dense.copy_to(self.own, self.shape) };
        }
    }
}

/// A term in one trip: what the factors of all rows are multiplied with, and the first of them.
#[derive(Clone, Copy)]
struct Ready<R: Row> {
    columns: R,
    row: *const Value<R>,
    row_bytes: isize,
}

impl<R: Row> Ready<R> {
    /// # Safety
    /// As that of [`Lanes`]; the block has the trip and the column.
    #[inline(always)]
    unsafe fn of(term: &Term, trip: usize, column: usize, last: Ending<R>) -> Ready<R> {
        // SAFETY: the factors of the trip are there.
        unsafe {
            let factors = in_trip::<Value<R>>(&term.columns, trip).add(column);
            let mut columns = R::load(factors, last);
            if !term.scale.first.is_null() {
                columns = columns.times(R::Lanes::all(*in_trip(&term.scale, trip)));
            }
            Ready {
                columns,
                row: in_trip::<Value<R>>(&term.row, trip),
                row_bytes: term.row_bytes as isize,
            }
        }
    }
}

/// So many terms are made ready at a time, for all rows: they stay in the nearest cache.
const READY_MAX: usize = 128;

/// Adds products to a tile, from a row and a column on; of the last vectors, to the lanes of the mask. How many rows
/// it has.
///
/// # Safety
/// As that of [`Lanes`]; the block has these rows and columns.
#[inline(always)]
unsafe fn tile<R: Row, T: Tile<R>, const FUSED: bool, const NEXT: bool>(
    update: &Update<'_, Value<R>>,
    (row, column): (usize, usize),
    last: Ending<R>,
    terms: &[Ready<R>],
) -> usize {
    let mut copy = Copied::uninit();
    let size = (T::ROWS, R::VECTORS * R::Lanes::LANES);
    // SAFETY: all addresses are of entries of the tile's rows and columns, which the caller says are there, or of their copies, and of
    // their factors in each trip; the machine has the instructions.
    unsafe {
        let entries = Entries::open(update, (row, column), size, &mut copy);
        let Part {
            first, row_bytes, ..
        } = entries.dense;
        let mut sums = T::load(first, row_bytes, last);
        for term in terms {
            let row_bytes = match NEXT {
                true => size_of::<Value<R>>() as isize,
                false => term.row_bytes,
            };
            let factor = term.row.byte_offset(row_bytes * row as isize);
            sums = sums.plus_products::<FUSED>(factor, row_bytes, term.columns);
        }
        sums.store(first, row_bytes, last);
        entries.close();
    }
    T::ROWS
}

/// Adds the products of some terms to all rows from a column on, in tiles of at most as many rows as `T`, about equally high.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn all_rows<R: Row, T: Tile<R>, const FUSED: bool, const NEXT: bool>(
    update: &Update<'_, Value<R>>,
    column: usize,
    last: Ending<R>,
    terms: &[Ready<R>],
) {
    let mut row = 0;
    while row < update.rows {
        let left = update.rows - row;
        let height = left.div_ceil(left.div_ceil(T::ROWS));
        let at = (row, column);
        // SAFETY: each tile ends before the last row.
        row += unsafe {
            match height {
                1 => tile::<R, Rows1<R>, FUSED, NEXT>(update, at, last, terms),
                2 => tile::<R, Rows2<R>, FUSED, NEXT>(update, at, last, terms),
                3 => tile::<R, Rows3<R>, FUSED, NEXT>(update, at, last, terms),
                4 => tile::<R, Rows4<R>, FUSED, NEXT>(update, at, last, terms),
                5 if T::ROWS > 5 => tile::<R, Rows5<R>, FUSED, NEXT>(update, at, last, terms),
                6 | 7 if T::ROWS > 6 => tile::<R, Rows6<R>, FUSED, NEXT>(update, at, last, terms),
                8..12 if T::ROWS > 8 => tile::<R, Rows8<R>, FUSED, NEXT>(update, at, last, terms),
                _ => tile::<R, T, FUSED, NEXT>(update, at, last, terms),
            }
        };
    }
}

/// [`all_rows`], of terms whose factors are neighbours or not.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn add<R: Row, T: Tile<R>, const FUSED: bool>(
    update: &Update<'_, Value<R>>,
    column: usize,
    last: Ending<R>,
    (terms, are_next): (&[Ready<R>], bool),
) {
    // SAFETY: as the caller says.
    unsafe {
        match are_next {
            true => all_rows::<R, T, FUSED, true>(update, column, last, terms),
            false => all_rows::<R, T, FUSED, false>(update, column, last, terms),
        }
    }
}

/// Adds all products to all rows, from a column on. The column after it.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn panel<R: Row, T: Tile<R>, const FUSED: bool>(
    update: &Update<'_, Value<R>>,
    column: usize,
) -> usize {
    let end = update.columns.min(column + R::VECTORS * R::Lanes::LANES);
    let mut ready = [const { MaybeUninit::<Ready<R>>::uninit() }; READY_MAX];
    let mut count = 0;
    // SAFETY: the panel ends before the last column; of what is made ready, as many are read as were written.
    unsafe {
        let last = Lasting::of(end - column - (R::VECTORS - 1) * R::Lanes::LANES);
        let terms: *const Ready<R> = ready.as_ptr().cast();
        let value_bytes = size_of::<Value<R>>() as i64;
        let are_next = update
            .terms
            .iter()
            .all(|term| term.row_bytes == value_bytes);
        for trip in 0..update.trips {
            for term in update.terms {
                if count == READY_MAX {
                    let terms = std::slice::from_raw_parts(terms, count);
                    add::<R, T, FUSED>(update, column, last, (terms, are_next));
                    count = 0;
                }
                ready[count].write(Ready::of(term, trip, column, last));
                count += 1;
            }
        }
        let terms = std::slice::from_raw_parts(terms, count);
        add::<R, T, FUSED>(update, column, last, (terms, are_next));
    }
    end
}

/// Adds the products to the one row from a column on. The column after it.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn single<R: Row, const FUSED: bool>(update: &Update<'_, Value<R>>, column: usize) -> usize {
    let width = R::VECTORS * R::Lanes::LANES;
    let end = update.columns.min(column + width);
    let mut copy = Copied::uninit();
    // SAFETY: as the caller says.
    unsafe {
        let last = Lasting::of(end - column - (R::VECTORS - 1) * R::Lanes::LANES);
        let entries = Entries::open(update, (0, column), (1, width), &mut copy);
        let mut sums = R::load(entries.dense.first, last);
        for trip in 0..update.trips {
            for term in update.terms {
                let Ready { columns, row, .. } = Ready::<R>::of(term, trip, column, last);
                sums = sums.plus_product::<FUSED>(R::Lanes::all(*row), columns);
            }
        }
        sums.store(entries.dense.first, last);
        entries.close();
    }
    end
}

/// Runs an update, in panels of as many rows and vectors as there are registers for: `D` of three vectors, `W` of two, `T` of one.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn run<L: Lanes, D: Tile<Three<L>>, W: Tile<Two<L>>, T: Tile<Last<L>>, const FUSED: bool>(
    update: &Update<'_, L::Value>,
) {
    let mut column = 0;
    // SAFETY: as the caller says; each panel ends before the last column.
    unsafe {
        while column < update.columns {
            let vectors = (update.columns - column).div_ceil(L::LANES);
            column = match (update.rows, vectors) {
                (1, 8..) => single::<Eight<L>, FUSED>(update, column),
                (1, 4..) => single::<Four<L>, FUSED>(update, column),
                (1, 3) => single::<Three<L>, FUSED>(update, column),
                (1, 2) => single::<Two<L>, FUSED>(update, column),
                (1, _) => single::<Last<L>, FUSED>(update, column),
                // An odd number of vectors is three and some twos.
                (_, 3..) if vectors % 2 == 1 => panel::<Three<L>, D, FUSED>(update, column),
                (_, 2..) => panel::<Two<L>, W, FUSED>(update, column),
                _ => panel::<Last<L>, T, FUSED>(update, column),
            };
        }
    }
}

macro_rules! function {
    ($name:ident, $fused:literal, $value:ty, $vector:ty, ($low:ident, $rows:ident, $tall:ident), $features:literal) => {
        #[target_feature(enable = $features)]
        unsafe extern "C" fn $name(
            entries: *mut $value,
            row_bytes: i64,
            column_bytes: i64,
            shape: u64,
            terms: *const Term,
            counts: u64,
        ) {
            // SAFETY: code hands over as many terms as it says.
            let terms = unsafe { std::slice::from_raw_parts(terms, counts as u32 as usize) };
            let update = Update {
                entries,
                row_bytes: row_bytes as isize,
                column_bytes: column_bytes as isize,
                rows: shape as u32 as usize,
                columns: (shape >> 32) as usize,
                terms,
                trips: (counts >> 32) as usize,
            };
            // SAFETY: code names entries and factors that are there; a loader that finds this function for some code has seen that the
            // machine has the code's level, and so the instructions.
            unsafe {
                run::<
                    $vector,
                    $low<Three<$vector>>,
                    $rows<Two<$vector>>,
                    $tall<Last<$vector>>,
                    $fused,
                >(&update)
            }
        }
    };
}

function!(
    f32_v3,
    false,
    f32,
    __m256,
    (Rows3, Rows6, Rows8),
    "avx2,fma"
);
function!(
    f32_fused_v3,
    true,
    f32,
    __m256,
    (Rows4, Rows6, Rows8),
    "avx2,fma"
);
function!(
    f64_v3,
    false,
    f64,
    __m256d,
    (Rows3, Rows6, Rows8),
    "avx2,fma"
);
function!(
    f64_fused_v3,
    true,
    f64,
    __m256d,
    (Rows4, Rows6, Rows8),
    "avx2,fma"
);
function!(
    f32_v4,
    false,
    f32,
    __m512,
    (Rows8, Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f32_fused_v4,
    true,
    f32,
    __m512,
    (Rows8, Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f64_v4,
    false,
    f64,
    __m512d,
    (Rows8, Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f64_fused_v4,
    true,
    f64,
    __m512d,
    (Rows8, Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);

/// All of them by name.
pub(super) fn functions() -> impl Iterator<Item = (&'static str, *const u8)> {
    FUNCTIONS.iter().map(|function| {
        let at = match (function.bits, function.is_fused, function.level) {
            (32, false, 3) => f32_v3 as *const u8,
            (32, true, 3) => f32_fused_v3 as *const u8,
            (64, false, 3) => f64_v3 as *const u8,
            (64, true, 3) => f64_fused_v3 as *const u8,
            (32, false, 4) => f32_v4 as *const u8,
            (32, true, 4) => f32_fused_v4 as *const u8,
            (64, false, 4) => f64_v4 as *const u8,
            (64, true, 4) => f64_fused_v4 as *const u8,
            other => unreachable!("no function is listed for {other:?}"),
        };
        (function.name, at)
    })
}
