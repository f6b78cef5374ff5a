//! Complex arithmetic and functions for compiled code, which knows reals only: one function for each part of a result.
//!
//! What they compute is what C's own compiler would call: `complex.h` of the C library, and for products and quotients
//! the functions of its run-time library that C's Annex G describes. Names are `parloop_complex_`, the operation, `f` for float, and
//! `_re` or `_im`; arguments are the parts of the operands in order.

use super::symbols::shared;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A complex number as C passes it: like two neighbouring reals of a structure, in all calling conventions that we emit.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pair<T> {
    re: T,
    im: T,
}

/// A real whose bits tell whether it is the same.
trait Real: Copy {
    type Bits: PartialEq;

    fn bits(self) -> Self::Bits;
}

impl Real for f32 {
    type Bits = u32;

    fn bits(self) -> u32 {
        self.to_bits()
    }
}

impl Real for f64 {
    type Bits = u64;

    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// The last operands of a function, and what it made of them: whoever asks for one part mostly asks for the other next. A loop runs
/// in one rounding mode, and not in the handler of a signal that another one on its thread got.
#[derive(Clone, Copy)]
struct Last<T, const N: usize> {
    operands: [T; N],
    result: Pair<T>,
}

impl<T: Real, const N: usize> Last<T, N> {
    /// The result for some operands, if it is theirs bit by bit.
    fn result(self, operands: [T; N]) -> Option<Pair<T>> {
        let is_same = self.operands.map(T::bits) == operands.map(T::bits);
        is_same.then_some(self.result)
    }
}

/// The function that calls one of C's for some operands, unless the call before on this thread was the same.
macro_rules! once {
    ($whole:ident, $ty:ty, $count:literal, $function:expr) => {
        fn $whole(operands: [$ty; $count]) -> Pair<$ty> {
            thread_local! {
                static LAST: Cell<Option<Last<$ty, $count>>> = const { Cell::new(None) };
            }
            if let Some(known) = LAST.get().and_then(|last| last.result(operands)) {
                return known;
            }
            let result = $function(operands);
            LAST.set(Some(Last { operands, result }));
            result
        }
    };
}

/// The two functions of one C function that takes one complex number.
macro_rules! of_one {
    ($table:ident, $ty:ty, $name:literal, $function:ident) => {{
        // SAFETY: this is the signature that C99 gives for the function in `complex.h`; it takes no pointer.
        unsafe extern "C" {
            safe fn $function(z: Pair<$ty>) -> Pair<$ty>;
        }
        once!(whole, $ty, 2, |[re, im]: [$ty; 2]| $function(Pair { re, im }));
        extern "C" fn re(re: $ty, im: $ty) -> $ty {
            whole([re, im]).re
        }
        extern "C" fn im(re: $ty, im: $ty) -> $ty {
            whole([re, im]).im
        }
        let (re, im): (extern "C" fn($ty, $ty) -> $ty, extern "C" fn($ty, $ty) -> $ty) = (re, im);
        $table.push((concat!("parloop_complex_", $name, "_re"), re as *const u8));
        $table.push((concat!("parloop_complex_", $name, "_im"), im as *const u8));
    }};
}

/// The two functions of one C function of two complex numbers, given by its type and how it is called.
macro_rules! of_two {
    ($table:ident, $ty:ty, $name:literal, $function:ident($($given:ty),*), |$f:ident, $z:ident, $w:ident| $call:expr) => {{
        type Whole = extern "C" fn($($given),*) -> Pair<$ty>;
        type Part = extern "C" fn($ty, $ty, $ty, $ty) -> $ty;
        // SAFETY: this is the signature that the C library or the compiler's run-time library has; it takes no pointer.
        unsafe extern "C" {
            safe fn $function($(_: $given),*) -> Pair<$ty>;
        }
        fn call($z: Pair<$ty>, $w: Pair<$ty>) -> Pair<$ty> {
            // Threads that come first at once all look for it, and find the same. None waits for another, which a forked child
            // may not have.
            static FOUND: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
            let mut at = FOUND.load(Relaxed);
            if at.is_null() {
                let linked: Whole = $function;
                let found = shared(stringify!($function)).unwrap_or(linked as *const u8);
                at = found.cast_mut();
                FOUND.store(at, Relaxed);
            }
            // SAFETY: a library's function of this name has this signature, as above, and so has the one linked.
            let $f = unsafe { std::mem::transmute::<*mut u8, Whole>(at) };
            $call
        }
        once!(whole, $ty, 4, |[a, b, c, d]: [$ty; 4]| call(
            Pair { re: a, im: b },
            Pair { re: c, im: d }
        ));
        extern "C" fn re(a: $ty, b: $ty, c: $ty, d: $ty) -> $ty {
            whole([a, b, c, d]).re
        }
        extern "C" fn im(a: $ty, b: $ty, c: $ty, d: $ty) -> $ty {
            whole([a, b, c, d]).im
        }
        let (re, im): (Part, Part) = (re, im);
        $table.push((concat!("parloop_complex_", $name, "_re"), re as *const u8));
        $table.push((concat!("parloop_complex_", $name, "_im"), im as *const u8));
    }};
}

macro_rules! all_of_one {
    ($table:ident, $ty:ty: $($name:literal $function:ident,)*) => {
        $(of_one!($table, $ty, $name, $function);)*
    };
}

/// `GCC` and `clang` pass the four parts of the operands of these one by one.
macro_rules! arithmetic {
    ($table:ident, $ty:ty: $($name:literal $function:ident,)*) => {
        $(of_two!(
            $table, $ty, $name,
            $function($ty, $ty, $ty, $ty), |f, z, w| f(z.re, z.im, w.re, w.im)
        );)*
    };
}

/// All of them by name.
pub(super) fn functions() -> impl Iterator<Item = (&'static str, *const u8)> {
    let mut table: Vec<(&str, *const u8)> = Vec::new();
    all_of_one!(table, f64:
        "sqrt" csqrt, "exp" cexp, "log" clog, "sin" csin, "cos" ccos, "tan" ctan, "sinh" csinh, "cosh" ccosh, "tanh" ctanh,
        "asin" casin, "acos" cacos, "atan" catan, "asinh" casinh, "acosh" cacosh, "atanh" catanh, "proj" cproj,
    );
    all_of_one!(table, f32:
        "sqrtf" csqrtf, "expf" cexpf, "logf" clogf, "sinf" csinf, "cosf" ccosf, "tanf" ctanf, "sinhf" csinhf, "coshf" ccoshf,
        "tanhf" ctanhf, "asinf" casinf, "acosf" cacosf, "atanf" catanf, "asinhf" casinhf, "acoshf" cacoshf, "atanhf" catanhf,
        "projf" cprojf,
    );
    arithmetic!(table, f64: "mul" __muldc3, "div" __divdc3,);
    arithmetic!(table, f32: "mulf" __mulsc3, "divf" __divsc3,);
    of_two!(table, f64, "pow", cpow(Pair<f64>, Pair<f64>), |f, z, w| f(
        z, w
    ));
    of_two!(
        table,
        f32,
        "powf",
        cpowf(Pair<f32>, Pair<f32>),
        |f, z, w| f(z, w)
    );
    table.into_iter()
}

#[cfg(test)]
mod tests {
    use super::{Last, Pair, functions};
    use std::cell::Cell;

    type OfOne = extern "C" fn(f64, f64) -> f64;
    type OfTwo = extern "C" fn(f64, f64, f64, f64) -> f64;

    fn pointer(name: &str) -> *const u8 {
        let mut all = functions();
        let found = all.find(|(known, _)| *known == name);
        found.expect("a known name").1
    }

    fn of_one(name: &str) -> OfOne {
        // SAFETY: the functions of this table that take one complex number have this signature.
        unsafe { std::mem::transmute(pointer(name)) }
    }

    fn of_two(name: &str) -> OfTwo {
        // SAFETY: the functions of this table that take two complex numbers have this signature.
        unsafe { std::mem::transmute(pointer(name)) }
    }

    #[test]
    fn both_parts_are_of_one_call() {
        thread_local! {
            static CALLS: Cell<u32> = const { Cell::new(0) };
        }
        once!(whole, f64, 2, |[re, im]: [f64; 2]| {
            CALLS.set(CALLS.get() + 1);
            Pair { re: im, im: re }
        });
        assert_eq!((whole([1.0, 2.0]).re, whole([1.0, 2.0]).im), (2.0, 1.0));
        assert_eq!(CALLS.get(), 1);
        let _other_sign = (whole([0.0, 2.0]), whole([-0.0, 2.0]));
        assert_eq!(CALLS.get(), 3);
    }

    #[test]
    fn each_part_is_of_its_own_operands_whatever_was_asked_before() {
        let (re, im) = (
            of_one("parloop_complex_sqrt_re"),
            of_one("parloop_complex_sqrt_im"),
        );
        assert_eq!((re(-4.0, 0.0), im(-4.0, 0.0)), (0.0, 2.0));
        // Equal, but not the same: on the other side of the cut.
        assert_eq!((im(-4.0, -0.0), re(9.0, 0.0)), (-2.0, 3.0));
        assert!(re(f64::NAN, 0.0).is_nan() && im(f64::NAN, 0.0).is_nan());
        assert_eq!(im(-4.0, 0.0), 2.0);
        let (re, im) = (
            of_two("parloop_complex_mul_re"),
            of_two("parloop_complex_mul_im"),
        );
        assert_eq!(
            (re(1.0, 2.0, 3.0, 4.0), im(1.0, 2.0, 3.0, 4.0)),
            (-5.0, 10.0)
        );
        assert_eq!(
            (im(1.0, 2.0, 3.0, 5.0), re(1.0, 2.0, 3.0, 4.0)),
            (11.0, -5.0)
        );
    }
}
