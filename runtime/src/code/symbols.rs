//! The host functions that compiled code may call: libm by C name, those of plain functions, and what the embedder adds.
//!
//! Invariant: a name in the table has one signature and one address for the table's life. Nothing outside the table is ever
//! linked, so the table is the allow-list.

use super::{complex, plain};
use crate::fork::Section;
use parloop_compiler::abi;
use parloop_compiler::ir::{HostSymbol, Scalar};
use std::collections::HashMap;
use std::sync::OnceLock;

/// An address of a host function. Never called from Rust.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostAddress(*const u8);

// SAFETY: an address of code is the same for all threads; nothing is read through it here.
unsafe impl Send for HostAddress {}
// SAFETY: as above.
unsafe impl Sync for HostAddress {}

impl HostAddress {
    pub(crate) fn pointer(self) -> *const u8 {
        self.0
    }
}

/// Host functions by name.
#[derive(Debug)]
pub(crate) struct HostTable {
    /// Those of every table.
    fixed: &'static HashMap<&'static str, HostAddress>,
    /// Those of the embedder.
    added: HashMap<Box<str>, HostAddress>,
    /// What the embedder added, by name.
    extra: Vec<HostSymbol>,
}

impl HostTable {
    /// The math functions of C, the complex ones part by part.
    pub(crate) fn with_math() -> HostTable {
        static FIXED: OnceLock<HashMap<&str, HostAddress>> = OnceLock::new();
        HostTable {
            fixed: FIXED.get().unwrap_or_else(|| {
                // A child would wait for ever for a thread that was making it.
                let _section = Section::enter();
                FIXED.get_or_init(fixed)
            }),
            added: HashMap::new(),
            extra: Vec::new(),
        }
    }

    /// Adds a function of the embedder; false if the name is taken or no C identifier.
    ///
    /// # Safety
    /// `address` is that of a C function of this signature that may be called from any thread, never unwinds, has no side
    /// effect, and stays there as long as the table.
    pub(crate) unsafe fn add(&mut self, symbol: HostSymbol, address: *const u8) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = !symbol.name.is_empty() && symbol.name.chars().all(plain);
        let calls_by_value = |s: &Scalar| !matches!(s, Scalar::Addr | Scalar::Bool);
        let callable = symbol
            .params
            .iter()
            .chain([&symbol.result])
            .all(calls_by_value);
        if !named || !callable || address.is_null() || self.find(&symbol.name).is_some() {
            return false;
        }
        self.added
            .insert(symbol.name.as_str().into(), HostAddress(address));
        let at = self.extra.partition_point(|other| other.name < symbol.name);
        self.extra.insert(at, symbol);
        true
    }

    /// The table's own copy of a name, and its address.
    pub(crate) fn find(&self, name: &str) -> Option<(&str, HostAddress)> {
        if let Some((name, address)) = self.fixed.get_key_value(name) {
            return Some((name, *address));
        }
        let (name, address) = self.added.get_key_value(name)?;
        Some((name, *address))
    }

    /// The address of a function that every table has, other than those that kernels can't call.
    pub(super) fn own(&self, host: &HostSymbol) -> Option<HostAddress> {
        let name = host.name.as_str();
        let of_plain = [abi::FAIL, abi::SCRATCH].contains(&name);
        let of_nests = abi::rank_update::FUNCTIONS.iter().any(|f| f.name == name);
        let found = self.fixed.get(name).copied();
        found.filter(|_| !of_plain && !of_nests)
    }

    /// What the embedder added, for the front end.
    pub(crate) fn extra(&self) -> &[HostSymbol] {
        &self.extra
    }
}

/// What every table has.
fn fixed() -> HashMap<&'static str, HostAddress> {
    let from_libm = |(name, linked)| (name, shared(name).unwrap_or(linked));
    let plain: [(&str, *const u8); 2] = [
        (abi::FAIL, plain::fail as *const u8),
        (abi::SCRATCH, plain::scratch as *const u8),
    ];
    let all = math().into_iter().map(from_libm).chain(plain);
    let all = all.chain(complex::functions());
    #[cfg(target_arch = "x86_64")]
    let all = all.chain(super::rank_update::functions());
    all.map(|(name, at)| (name, HostAddress(at))).collect()
}

/// Where the process's C libraries have a function. Rust's own library defines some of them too (`cbrt` and `__divdc3` among
/// them, which round otherwise), a linker may prefer those, and a kernel's results must not depend on how a program was linked.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn shared(name: &str) -> Option<*const u8> {
    use std::ffi::{CString, c_char, c_void};
    // SAFETY: this is the signature that POSIX gives for the function in `dlfcn.h`.
    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends in a zero; a null handle (`RTLD_DEFAULT`) means all libraries of the process.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    (!found.is_null()).then_some(found.cast_const().cast())
}

/// Elsewhere the linked functions are taken.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn shared(_name: &str) -> Option<*const u8> {
    None
}

/// Declares C functions, a list of names for each signature, and makes `math()`, the list of their addresses.
macro_rules! host_functions {
    ($( ($($arg:ident: $ty:ty),*) -> $result:ty: $($name:ident)*; )*) => {
        fn math() -> Vec<(&'static str, *const u8)> {
            let mut table = Vec::new();
            $(host_functions!(@table table ($($arg: $ty),*) -> $result: $($name)*);)*
            table
        }
    };
    (@table $table:ident $args:tt -> $result:ty: $($name:ident)*) => {
        $(host_functions!(@entry $table $args -> $result: $name);)*
    };
    (@entry $table:ident ($($arg:ident: $ty:ty),*) -> $result:ty: $name:ident) => {{
        // SAFETY: this is the signature that C99 and POSIX give for the function in `math.h`; it takes no pointer.
        unsafe extern "C" {
            safe fn $name($($arg: $ty),*) -> $result;
        }
        let function: extern "C" fn($($ty),*) -> $result = $name;
        $table.push((stringify!($name), function as *const u8));
    }};
}

host_functions! {
    (x: f64) -> f64:
        acos asin atan acosh asinh atanh cos cosh sin sinh tan tanh exp exp10 exp2 expm1 log log10 log1p log2 logb cbrt sqrt
        fabs floor ceil trunc round rint nearbyint erf erfc tgamma lgamma j0 j1 y0 y1;
    (x: f32) -> f32:
        acosf asinf atanf acoshf asinhf atanhf cosf coshf sinf sinhf tanf tanhf expf exp10f exp2f expm1f logf log10f log1pf
        log2f logbf cbrtf sqrtf fabsf floorf ceilf truncf roundf rintf nearbyintf erff erfcf tgammaf lgammaf j0f j1f y0f y1f;
    (x: f64, y: f64) -> f64: atan2 fmod pow hypot fdim fmax fmin copysign remainder nextafter;
    (x: f32, y: f32) -> f32: atan2f fmodf powf hypotf fdimf fmaxf fminf copysignf remainderf nextafterf;
    (x: f64, y: f64, z: f64) -> f64: fma;
    (x: f32, y: f32, z: f32) -> f32: fmaf;
    (n: i32, x: f64) -> f64: jn yn;
    (n: i32, x: f32) -> f32: jnf ynf;
    (x: f64, n: i32) -> f64: ldexp scalbn;
    (x: f32, n: i32) -> f32: ldexpf scalbnf;
    (x: f64, n: i64) -> f64: scalbln;
    (x: f32, n: i64) -> f32: scalblnf;
    (x: f64) -> i32: ilogb;
    (x: f32) -> i32: ilogbf;
    (x: f64) -> i64: lround llround lrint llrint;
    (x: f32) -> i64: lroundf llroundf lrintf llrintf;
}
