//! Values as C literals, exact to the last bit.

use crate::ir::{Scalar, eval};
use crate::signature::DType;

/// An initialiser for `dim` values: a literal, or a list of them.
pub(super) fn list(dtype: DType, dim: u32, bits: &[u64]) -> String {
    let mut literals = bits.iter().map(|bits| literal(dtype, *bits));
    if dim == 1 {
        return literals.next().unwrap_or_else(|| "0".to_owned());
    }
    let all: Vec<String> = literals.collect();
    format!("{{{}}}", all.join(", "))
}

fn literal(dtype: DType, bits: u64) -> String {
    match dtype.scalar() {
        Scalar::F64 => float(f64::from_bits(bits)),
        // Every f32 is an f64, and comes back from it.
        Scalar::F32 => float(f64::from(f32::from_bits(bits as u32))),
        // The least integers have no literal: minus applies to a number that is too large.
        Scalar::I64 if bits == 1 << 63 => "(-9223372036854775807LL - 1)".to_owned(),
        Scalar::I64 => format!("{}LL", bits as i64),
        Scalar::U64 => format!("{bits}ULL"),
        Scalar::U32 => format!("{bits}U"),
        Scalar::I32 if bits == 1 << 31 => "(-2147483647 - 1)".to_owned(),
        scalar => eval::integer(scalar, bits).to_string(),
    }
}

/// A hexadecimal literal, which is exact.
fn float(x: f64) -> String {
    if x.is_nan() {
        return "NAN".to_owned();
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x.is_infinite() {
        return format!("{sign}INFINITY");
    }
    let bits = x.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let (lead, exponent) = match (bits >> 52 & 0x7ff) as i32 {
        0 if fraction == 0 => (0, 0),
        0 => (0, -1022),
        biased => (1, biased - 1023),
    };
    format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_exact() {
        let check = |x: f64, text: &str| assert_eq!(float(x), text);
        check(1.5, "0x1.8000000000000p+0");
        check(-0.0, "-0x0.0000000000000p+0");
        check(5e-324, "0x0.0000000000001p-1022");
        check(f64::MAX, "0x1.fffffffffffffp+1023");
        check(f64::NEG_INFINITY, "-INFINITY");
        assert_eq!(literal(DType::I8, 0xff), "-1");
        assert_eq!(literal(DType::U64, u64::MAX), "18446744073709551615ULL");
        assert_eq!(list(DType::I32, 2, &[1, 1 << 31]), "{1, (-2147483647 - 1)}");
    }
}
