//! Complex arithmetic and functions for compiled code, which knows reals only: one function for each part of a result.
//!
//! What they compute is what C's own compiler would call: `complex.h` of the C library, and for products and quotients
//! the functions of its run-time library that C's Annex G describes. Names are `parloop_complex_`, the operation, `f` for float, and
//! `_re` or `_im`; arguments are the parts of the operands in order.

use super::symbols::shared;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A complex number as C passes it: like two neighbouring reals of a structure, in all calling conventions that we emit.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pair<T> {
    re: T,
    im: T,
}

/// The two functions of one C function that takes one complex number.
macro_rules! of_one {
    ($table:ident, $ty:ty, $name:literal, $function:ident) => {{
        // SAFETY: this is the signature that C99 gives for the function in `complex.h`; it takes no pointer.
        unsafe extern "C" {
            safe fn $function(z: Pair<$ty>) -> Pair<$ty>;
        }
        extern "C" fn re(re: $ty, im: $ty) -> $ty {
            $function(Pair { re, im }).re
        }
        extern "C" fn im(re: $ty, im: $ty) -> $ty {
            $function(Pair { re, im }).im
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
        fn whole($z: Pair<$ty>, $w: Pair<$ty>) -> Pair<$ty> {
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
        extern "C" fn re(a: $ty, b: $ty, c: $ty, d: $ty) -> $ty {
            whole(Pair { re: a, im: b }, Pair { re: c, im: d }).re
        }
        extern "C" fn im(a: $ty, b: $ty, c: $ty, d: $ty) -> $ty {
            whole(Pair { re: a, im: b }, Pair { re: c, im: d }).im
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
