//! The host functions that run rank-k updates, with the widest vectors of a level.
//!
//! Rows and columns are cut into tiles whose entries stay in registers while all products are added to them, one after the other
//! as the text has them. The last vector of a row is masked, so that nothing beside the entries is touched.
#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "the addresses and the instructions of a tile are good for one reason, which each block gives"
)]

use parloop_compiler::abi::rank_update::{FUNCTIONS, Factor, Term};
use std::arch::x86_64::{
    __m256, __m256d, __m256i, __m512, __m512d, __mmask8, __mmask16, _mm256_add_pd, _mm256_add_ps,
    _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_maskload_pd, _mm256_maskload_ps, _mm256_maskstore_pd, _mm256_maskstore_ps,
    _mm256_mul_pd, _mm256_mul_ps, _mm256_set1_pd, _mm256_set1_ps, _mm256_storeu_pd,
    _mm256_storeu_ps, _mm512_add_pd, _mm512_add_ps, _mm512_fmadd_pd, _mm512_fmadd_ps,
    _mm512_loadu_pd, _mm512_loadu_ps, _mm512_mask_storeu_pd, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_pd, _mm512_maskz_loadu_ps, _mm512_mul_pd, _mm512_mul_ps, _mm512_set1_pd,
    _mm512_set1_ps, _mm512_storeu_pd, _mm512_storeu_ps,
};
use std::mem::MaybeUninit;

/// Neighbouring values.
///
/// # Safety
/// Of all its functions: the machine has the instructions, and what is loaded or stored are values of one allocation.
trait Lanes: Copy {
    type Value: Copy;
    type Mask: Copy;
    const LANES: usize;
    /// A mask of the first `count` lanes; at most all.
    unsafe fn first(count: usize) -> Self::Mask;
    unsafe fn load(at: *const Self::Value) -> Self;
    unsafe fn store(self, at: *mut Self::Value);
    /// Loads the lanes of a mask, zero in the others.
    unsafe fn load_some(at: *const Self::Value, mask: Self::Mask) -> Self;
    unsafe fn store_some(self, at: *mut Self::Value, mask: Self::Mask);
    unsafe fn all(value: Self::Value) -> Self;
    unsafe fn times(self, other: Self) -> Self;
    /// `x * y + self`, rounded once or twice.
    unsafe fn plus_product<const FUSED: bool>(self, x: Self, y: Self) -> Self;
}

/// Masks of the first lanes of a vector of 256 bits, by where one starts to read.
const FIRST_LANES: [u64; 8] = [u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0, 0, 0, 0];

macro_rules! lanes {
    ($vector:ty, $value:ty, $mask:ty, $lanes:literal, $load:ident $store:ident $all:ident $mul:ident $add:ident $fused:ident,
     first: |$count:ident| $first:expr,
     load: |$from:ident, $loaded:ident| $load_some:expr,
     store: |$to:ident, $stored:ident, $vector_of:ident| $store_some:expr) => {
        impl Lanes for $vector {
            type Value = $value;
            type Mask = $mask;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn first($count: usize) -> $mask {
                // SAFETY: the machine has the instruction, if one is needed; no more than all lanes are asked for, so that the mask lies
                // in the table.
                #[allow(unused_unsafe)]
                unsafe {
                    $first
                }
            }
            #[inline(always)]
            unsafe fn load(at: *const $value) -> $vector {
                // SAFETY: as the trait demands; no alignment is needed.
                unsafe { $load(at) }
            }
            #[inline(always)]
            unsafe fn store(self, at: *mut $value) {
                // SAFETY: as the trait demands; no alignment is needed.
                unsafe { $store(at, self) }
            }
            #[inline(always)]
            unsafe fn load_some($from: *const $value, $loaded: $mask) -> $vector {
                // SAFETY: as the trait demands; what the mask leaves out is not accessed.
                unsafe { $load_some }
            }
            #[inline(always)]
            unsafe fn store_some(self, $to: *mut $value, $stored: $mask) {
                let $vector_of = self;
                // SAFETY: as the trait demands; what the mask leaves out is not accessed.
                unsafe { $store_some }
            }
            #[inline(always)]
            unsafe fn all(value: $value) -> $vector {
                // SAFETY: the machine has the instruction.
                unsafe { $all(value) }
            }
            #[inline(always)]
            unsafe fn times(self, other: $vector) -> $vector {
                // SAFETY: the machine has the instruction.
                unsafe { $mul(self, other) }
            }
            #[inline(always)]
            unsafe fn plus_product<const FUSED: bool>(self, x: $vector, y: $vector) -> $vector {
                // SAFETY: the machine has the instructions.
                unsafe {
                    match FUSED {
                        true => $fused(x, y, self),
                        false => $add(self, $mul(x, y)),
                    }
                }
            }
        }
    };
}

lanes!(__m512d, f64, __mmask8, 8,
    _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_mul_pd _mm512_add_pd _mm512_fmadd_pd,
    first: |count| ((1u16 << count) - 1) as __mmask8,
    load: |at, mask| _mm512_maskz_loadu_pd(mask, at),
    store: |at, mask, lanes| _mm512_mask_storeu_pd(at, mask, lanes));
lanes!(__m512, f32, __mmask16, 16,
    _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_mul_ps _mm512_add_ps _mm512_fmadd_ps,
    first: |count| ((1u32 << count) - 1) as __mmask16,
    load: |at, mask| _mm512_maskz_loadu_ps(mask, at),
    store: |at, mask, lanes| _mm512_mask_storeu_ps(at, mask, lanes));
lanes!(__m256d, f64, __m256i, 4,
    _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_mul_pd _mm256_add_pd _mm256_fmadd_pd,
    first: |count| _mm256_loadu_si256(FIRST_LANES.as_ptr().add(4 - count).cast()),
    load: |at, mask| _mm256_maskload_pd(at, mask),
    store: |at, mask, lanes| _mm256_maskstore_pd(at, mask, lanes));
lanes!(__m256, f32, __m256i, 8,
    _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_mul_ps _mm256_add_ps _mm256_fmadd_ps,
    first: |count| _mm256_loadu_si256(FIRST_LANES.as_ptr().cast::<u32>().add(8 - count).cast()),
    load: |at, mask| _mm256_maskload_ps(at, mask),
    store: |at, mask, lanes| _mm256_maskstore_ps(at, mask, lanes));

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

/// The entries of a row of a tile, as vectors. Types stand for their number, so that all of them are in registers whatever the
/// compiler makes of loops.
///
/// # Safety
/// As that of [`Lanes`].
trait Row: Copy {
    type Lanes: Lanes;
    const VECTORS: usize;
    /// Loads neighbours, the last vector masked.
    unsafe fn load(at: *const Value<Self>, last: Mask<Self>) -> Self;
    unsafe fn store(self, at: *mut Value<Self>, last: Mask<Self>);
    unsafe fn times(self, factor: Self::Lanes) -> Self;
    /// `factor * columns + self`.
    unsafe fn plus_product<const FUSED: bool>(self, factor: Self::Lanes, columns: Self) -> Self;
}

type Value<R> = <<R as Row>::Lanes as Lanes>::Value;
type Mask<R> = <<R as Row>::Lanes as Lanes>::Mask;

/// The last vector of a row.
#[derive(Clone, Copy)]
struct Last<L>(L);

/// A vector, and what follows it.
#[derive(Clone, Copy)]
struct Then<L, R>(L, R);

impl<L: Lanes> Row for Last<L> {
    type Lanes = L;
    const VECTORS: usize = 1;
    #[inline(always)]
    unsafe fn load(at: *const L::Value, last: L::Mask) -> Last<L> {
        // SAFETY: as the caller says; what the mask leaves out is not accessed.
        Last(unsafe { L::load_some(at, last) })
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut L::Value, last: L::Mask) {
        // SAFETY: as the caller says; what the mask leaves out is not accessed.
        unsafe { self.0.store_some(at, last) }
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
    unsafe fn load(at: *const L::Value, last: L::Mask) -> Then<L, R> {
        // SAFETY: as the caller says.
        unsafe { Then(L::load(at), R::load(at.add(L::LANES), last)) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut L::Value, last: L::Mask) {
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

type Two<L> = Then<L, Last<L>>;
type Three<L> = Then<L, Two<L>>;
type Four<L> = Then<L, Three<L>>;
type Eight<L> = Then<L, Then<L, Then<L, Then<L, Four<L>>>>>;

/// Rows of entries.
///
/// # Safety
/// As that of [`Lanes`].
trait Tile<R: Row>: Copy {
    const ROWS: usize;
    unsafe fn load(at: *const Value<R>, row_bytes: isize, last: Mask<R>) -> Self;
    unsafe fn store(self, at: *mut Value<R>, row_bytes: isize, last: Mask<R>);
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
struct Rows<R, T>(R, T);

impl<R: Row> Tile<R> for () {
    const ROWS: usize = 0;
    #[inline(always)]
    unsafe fn load(_at: *const Value<R>, _row_bytes: isize, _last: Mask<R>) {}
    #[inline(always)]
    unsafe fn store(self, _at: *mut Value<R>, _row_bytes: isize, _last: Mask<R>) {}
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
    unsafe fn load(at: *const Value<R>, row_bytes: isize, last: Mask<R>) -> Rows<R, T> {
        let next = at.wrapping_byte_offset(row_bytes);
        // SAFETY: as the caller says.
        unsafe { Rows(R::load(at, last), T::load(next, row_bytes, last)) }
    }
    #[inline(always)]
    unsafe fn store(self, at: *mut Value<R>, row_bytes: isize, last: Mask<R>) {
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

type Rows1<R> = Rows<R, ()>;
type Rows2<R> = Rows<R, Rows1<R>>;
type Rows3<R> = Rows<R, Rows2<R>>;
type Rows4<R> = Rows<R, Rows3<R>>;
type Rows5<R> = Rows<R, Rows4<R>>;
type Rows6<R> = Rows<R, Rows5<R>>;
type Rows8<R> = Rows<R, Rows<R, Rows6<R>>>;
type Rows12<R> = Rows<R, Rows<R, Rows<R, Rows<R, Rows8<R>>>>>;

/// Adds all products to a tile, from a row and a column on; of the last vectors, to the lanes of the mask. How many rows it has.
///
/// # Safety
/// As that of [`Lanes`]; the block has these rows and columns.
#[inline(always)]
unsafe fn tile<R: Row, T: Tile<R>, const FUSED: bool>(
    update: &Update<'_, Value<R>>,
    (row, column): (usize, usize),
    last: Mask<R>,
) -> usize {
    let width = R::VECTORS * R::Lanes::LANES;
    let mut copy = MaybeUninit::<[Value<R>; COPY_MAX]>::uninit();
    // SAFETY: all addresses are of entries of the tile's rows and columns, which the caller says are there, or of their copies, and of
    // their factors in each trip; the machine has the instructions.
    unsafe {
        let own = Part {
            first: update.entry(row, column),
            row_bytes: update.row_bytes,
            column_bytes: update.column_bytes,
        };
        let dense = Part {
            first: copy.as_mut_ptr().cast(),
            row_bytes: (width * size_of::<Value<R>>()) as isize,
            column_bytes: size_of::<Value<R>>() as isize,
        };
        let is_dense = own.column_bytes == dense.column_bytes;
        let shape = (T::ROWS, (update.columns - column).min(width));
        let entries = if is_dense { own } else { dense };
        if !is_dense {
            own.copy_to(dense, shape);
        }
        let mut sums = T::load(entries.first, entries.row_bytes, last);
        for trip in 0..update.trips {
            for term in update.terms {
                let factors = in_trip::<Value<R>>(&term.columns, trip).add(column);
                let mut columns = R::load(factors, last);
                if !term.scale.first.is_null() {
                    columns = columns.times(R::Lanes::all(*in_trip(&term.scale, trip)));
                }
                let row_bytes = term.row_bytes as isize;
                let factor = in_trip::<Value<R>>(&term.row, trip);
                let factor = factor.byte_offset(row_bytes * row as isize);
                sums = sums.plus_products::<FUSED>(factor, row_bytes, columns);
            }
        }
        sums.store(entries.first, entries.row_bytes, last);
        if !is_dense {
            dense.copy_to(own, shape);
        }
    }
    T::ROWS
}

/// Adds the products to all rows from a column on, in tiles like `T`; what is left in few tiles. The column after it.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn panel<R: Row, T: Tile<R>, const FUSED: bool>(
    update: &Update<'_, Value<R>>,
    column: usize,
) -> usize {
    let end = update.columns.min(column + R::VECTORS * R::Lanes::LANES);
    let mut row = 0;
    // SAFETY: each tile ends before the last row and column.
    unsafe {
        let last = R::Lanes::first(end - column - (R::VECTORS - 1) * R::Lanes::LANES);
        while row < update.rows {
            let at = (row, column);
            row += match update.rows - row {
                1 => tile::<R, Rows1<R>, FUSED>(update, at, last),
                2 => tile::<R, Rows2<R>, FUSED>(update, at, last),
                3 => tile::<R, Rows3<R>, FUSED>(update, at, last),
                4 => tile::<R, Rows4<R>, FUSED>(update, at, last),
                5 => tile::<R, Rows5<R>, FUSED>(update, at, last),
                6 | 7 if T::ROWS > 6 => tile::<R, Rows6<R>, FUSED>(update, at, last),
                8..12 if T::ROWS > 8 => tile::<R, Rows8<R>, FUSED>(update, at, last),
                _ => tile::<R, T, FUSED>(update, at, last),
            };
        }
    }
    end
}

/// Adds the products to the one row from a column on.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn single<R: Row, const FUSED: bool>(update: &Update<'_, Value<R>>, column: usize) -> usize {
    let end = update.columns.min(column + R::VECTORS * R::Lanes::LANES);
    // SAFETY: as the caller says.
    unsafe {
        let last = R::Lanes::first(end - column - (R::VECTORS - 1) * R::Lanes::LANES);
        tile::<R, Rows1<R>, FUSED>(update, (0, column), last);
    }
    end
}

/// Runs an update, in panels of as many rows and vectors as there are registers for: `W` of two vectors, `T` of one.
///
/// # Safety
/// As that of [`tile`].
#[inline(always)]
unsafe fn run<L: Lanes, W: Tile<Two<L>>, T: Tile<Last<L>>, const FUSED: bool>(
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
                (_, 2..) => panel::<Two<L>, W, FUSED>(update, column),
                _ => panel::<Last<L>, T, FUSED>(update, column),
            };
        }
    }
}

macro_rules! function {
    ($name:ident, $fused:literal, $value:ty, $vector:ty, ($rows:ident, $tall:ident), $features:literal) => {
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
            unsafe { run::<$vector, $rows<Two<$vector>>, $tall<Last<$vector>>, $fused>(&update) }
        }
    };
}

function!(f32_v3, false, f32, __m256, (Rows4, Rows8), "avx2,fma");
function!(f32_fused_v3, true, f32, __m256, (Rows4, Rows8), "avx2,fma");
function!(f64_v3, false, f64, __m256d, (Rows4, Rows8), "avx2,fma");
function!(f64_fused_v3, true, f64, __m256d, (Rows4, Rows8), "avx2,fma");
function!(
    f32_v4,
    false,
    f32,
    __m512,
    (Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f32_fused_v4,
    true,
    f32,
    __m512,
    (Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f64_v4,
    false,
    f64,
    __m512d,
    (Rows12, Rows12),
    "avx512f,avx512vl,avx512dq"
);
function!(
    f64_fused_v4,
    true,
    f64,
    __m512d,
    (Rows12, Rows12),
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
