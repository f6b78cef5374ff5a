//! Vectors of neighbouring values, with the instructions of AVX2 and AVX-512.
//!
//! Lanes beyond a row's last entry are neither loaded nor stored; a product and its addition are rounded once or twice as asked.

use std::arch::x86_64::{
    __m256, __m256d, __m256i, __m512, __m512d, __mmask8, __mmask16, _mm256_add_pd, _mm256_add_ps,
    _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_maskload_pd, _mm256_maskload_ps, _mm256_mul_pd, _mm256_mul_ps, _mm256_set1_pd,
    _mm256_set1_ps, _mm256_storeu_pd, _mm256_storeu_ps, _mm512_add_pd, _mm512_add_ps,
    _mm512_fmadd_pd, _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_mask_storeu_pd,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_pd, _mm512_maskz_loadu_ps, _mm512_mul_pd,
    _mm512_mul_ps, _mm512_set1_pd, _mm512_set1_ps, _mm512_storeu_pd, _mm512_storeu_ps,
};
use std::mem::MaybeUninit;

/// Neighbouring values.
///
/// # Safety
/// Of all its functions: the machine has the instructions, and what is loaded or stored are values of one allocation.
pub(super) trait Lanes: Copy {
    type Value: Copy;
    type Mask: Copy;
    const LANES: usize;
    /// A mask of the first `count` lanes; at most all.
    unsafe fn first(count: usize) -> Self::Mask;
    unsafe fn load(at: *const Self::Value) -> Self;
    unsafe fn store(self, at: *mut Self::Value);
    /// Loads the lanes of a mask, zero in the others.
    unsafe fn load_some(at: *const Self::Value, mask: Self::Mask) -> Self;
    /// Stores the first lanes.
    unsafe fn store_some(self, at: *mut Self::Value, last: Lasting<Self>);
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
            unsafe fn store_some(self, $to: *mut $value, $stored: Lasting<$vector>) {
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
    store: |at, last, lanes| _mm512_mask_storeu_pd(at, last.mask, lanes));
lanes!(__m512, f32, __mmask16, 16,
    _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_mul_ps _mm512_add_ps _mm512_fmadd_ps,
    first: |count| ((1u32 << count) - 1) as __mmask16,
    load: |at, mask| _mm512_maskz_loadu_ps(mask, at),
    store: |at, last, lanes| _mm512_mask_storeu_ps(at, last.mask, lanes));
lanes!(__m256d, f64, __m256i, 4,
    _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_mul_pd _mm256_add_pd _mm256_fmadd_pd,
    first: |count| _mm256_loadu_si256(FIRST_LANES.as_ptr().add(4 - count).cast()),
    load: |at, mask| _mm256_maskload_pd(at, mask),
    store: |at, last, lanes| store_each(lanes, at, last.count));
lanes!(__m256, f32, __m256i, 8,
    _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_mul_ps _mm256_add_ps _mm256_fmadd_ps,
    first: |count| _mm256_loadu_si256(FIRST_LANES.as_ptr().cast::<u32>().add(8 - count).cast()),
    load: |at, mask| _mm256_maskload_ps(at, mask),
    store: |at, last, lanes| store_each(lanes, at, last.count));

/// Which lanes of a row's last vector are entries.
#[derive(Clone, Copy)]
pub(super) struct Lasting<L: Lanes> {
    pub(super) mask: L::Mask,
    pub(super) count: usize,
}

impl<L: Lanes> Lasting<L> {
    /// # Safety
    /// The machine has the instructions; there are no more lanes.
    #[inline(always)]
    pub(super) unsafe fn of(count: usize) -> Lasting<L> {
        // SAFETY: as the caller says.
        let mask = unsafe { L::first(count) };
        Lasting { mask, count }
    }
}

/// Stores the first lanes of a vector one by one: masked stores of AVX2 take a processor as long as twenty others, or make the next
/// load wait until they have reached the cache.
///
/// # Safety
/// As that of [`Lanes`].
#[inline(always)]
unsafe fn store_each<L: Lanes>(lanes: L, at: *mut L::Value, count: usize) {
    let mut all = MaybeUninit::<L>::uninit();
    let each = all.as_mut_ptr().cast::<L::Value>();
    for lane in 0..count {
        // SAFETY: the copy has all lanes, and the caller says that the first may be stored.
        unsafe {
            if lane == 0 {
                lanes.store(each);
            }
            *at.add(lane) = *each.add(lane);
        }
    }
}
