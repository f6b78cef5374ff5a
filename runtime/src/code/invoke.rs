//! Host functions called from the interpreter, by their address in the table, as compiled code calls them.
//!
//! Only functions of the table's own with the signatures of `math.h` and those of complex arithmetic are called; an embedder's are
//! not, since only compiled code was promised to them.

use super::symbols::HostTable;
use parloop_compiler::ir::interp::Hosts;
use parloop_compiler::ir::{HostSymbol, Scalar};

trait Bits {
    fn of(bits: u64) -> Self;
    fn bits(self) -> u64;
}

impl Bits for f64 {
    fn of(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

impl Bits for f32 {
    fn of(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Bits for i32 {
    fn of(bits: u64) -> i32 {
        bits as u32 as i32
    }
    fn bits(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Bits for i64 {
    fn of(bits: u64) -> i64 {
        bits as i64
    }
    fn bits(self) -> u64 {
        self as u64
    }
}

macro_rules! call {
    ($address:expr, $bits:expr, $($A:ident $at:literal),* => $R:ident) => {{
        // SAFETY: a function of the table's own list, which has the signature that the front end gives its name.
        let function = unsafe { std::mem::transmute::<*const u8, extern "C" fn($($A),*) -> $R>($address) };
        function($($A::of($bits[$at])),*).bits()
    }};
}

impl Hosts for HostTable {
    fn call(&self, host: &HostSymbol, a: &[u64]) -> Option<u64> {
        use Scalar::{F32, F64, I32, I64};
        let at = self.own(host)?.pointer();
        Some(match (host.params.as_slice(), host.result) {
            ([F64], F64) => call!(at, a, f64 0 => f64),
            ([F32], F32) => call!(at, a, f32 0 => f32),
            ([F64, F64], F64) => call!(at, a, f64 0, f64 1 => f64),
            ([F32, F32], F32) => call!(at, a, f32 0, f32 1 => f32),
            ([F64, F64, F64], F64) => call!(at, a, f64 0, f64 1, f64 2 => f64),
            ([F32, F32, F32], F32) => call!(at, a, f32 0, f32 1, f32 2 => f32),
            ([F64, F64, F64, F64], F64) => call!(at, a, f64 0, f64 1, f64 2, f64 3 => f64),
            ([F32, F32, F32, F32], F32) => call!(at, a, f32 0, f32 1, f32 2, f32 3 => f32),
            ([I32, F64], F64) => call!(at, a, i32 0, f64 1 => f64),
            ([I32, F32], F32) => call!(at, a, i32 0, f32 1 => f32),
            ([F64, I32], F64) => call!(at, a, f64 0, i32 1 => f64),
            ([F32, I32], F32) => call!(at, a, f32 0, i32 1 => f32),
            ([F64, I64], F64) => call!(at, a, f64 0, i64 1 => f64),
            ([F32, I64], F32) => call!(at, a, f32 0, i64 1 => f32),
            ([F64], I32) => call!(at, a, f64 0 => i32),
            ([F32], I32) => call!(at, a, f32 0 => i32),
            ([F64], I64) => call!(at, a, f64 0 => i64),
            ([F32], I64) => call!(at, a, f32 0 => i64),
            _ => return None,
        })
    }
}
