//! The value and C type of a numeric or character literal.
//!
//! Decimal floats are rounded once, to the literal's own type (`f` to binary32); hexadecimal ones likewise, ties to even.

use crate::diagnostic::{Diagnostic, Span};
use crate::ir::Scalar;

/// Why a literal has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LiteralError {
    /// Not of the form of a number.
    Malformed,
    /// An integer beyond 64 bits.
    TooLarge,
    /// An `i` or `j` suffix.
    Imaginary,
    /// Not one character.
    Character,
}

impl LiteralError {
    /// As a finding at `span`.
    pub(crate) fn diagnostic(self, span: Span) -> Diagnostic {
        match self {
            LiteralError::Malformed => {
                Diagnostic::error("bad-literal", span, "this is not a number of C")
            }
            LiteralError::TooLarge => {
                Diagnostic::error("bad-literal", span, "this integer does not fit 64 bits")
            }
            LiteralError::Imaginary => Diagnostic::error(
                "complex",
                span,
                "imaginary literals are not in the language",
            ),
            LiteralError::Character => Diagnostic::error(
                "bad-literal",
                span,
                "a character constant holds exactly one ASCII character",
            ),
        }
    }
}

/// A preprocessing number.
pub(crate) fn number(text: &str) -> Result<(u64, Scalar), LiteralError> {
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let is_float = if hex {
        text.contains(['.', 'p', 'P'])
    } else {
        text.contains(['.', 'e', 'E'])
    };
    match (hex, is_float) {
        (false, true) => decimal_float(text),
        (true, true) => hex_float(text),
        (_, false) => integer(text),
    }
}

/// Splits off a float suffix: the digits and whether the literal is a `float`.
fn float_suffix(text: &str) -> Result<(&str, bool), LiteralError> {
    match text.as_bytes().last() {
        Some(b'f' | b'F') => Ok((&text[..text.len() - 1], true)),
        Some(b'l' | b'L') => Ok((&text[..text.len() - 1], false)),
        Some(b'i' | b'I' | b'j' | b'J') => Err(LiteralError::Imaginary),
        _ => Ok((text, false)),
    }
}

fn float_bits(double: f64, single: f32, is_single: bool) -> (u64, Scalar) {
    if is_single {
        (u64::from(single.to_bits()), Scalar::F32)
    } else {
        (double.to_bits(), Scalar::F64)
    }
}

fn decimal_float(text: &str) -> Result<(u64, Scalar), LiteralError> {
    let (digits, is_single) = float_suffix(text)?;
    let well_formed = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !well_formed {
        return Err(LiteralError::Malformed);
    }
    let malformed = |_| LiteralError::Malformed;
    if is_single {
        let value = digits.parse::<f32>().map_err(malformed)?;
        Ok(float_bits(0.0, value, true))
    } else {
        let value = digits.parse::<f64>().map_err(malformed)?;
        Ok(float_bits(value, 0.0, false))
    }
}

fn hex_float(text: &str) -> Result<(u64, Scalar), LiteralError> {
    let (digits, is_single) = float_suffix(text)?;
    let (mantissa, exponent) = digits[2..]
        .split_once(['p', 'P'])
        .ok_or(LiteralError::Malformed)?;
    let exponent: i64 = exponent.parse().map_err(|_| LiteralError::Malformed)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(LiteralError::Malformed);
    }
    let mut bits: u64 = 0;
    let mut scale: i64 = 0;
    for (i, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16).ok_or(LiteralError::Malformed)?);
        let in_fraction = i >= whole.len();
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
            scale -= if in_fraction { 4 } else { 0 };
        } else {
            bits |= u64::from(digit != 0);
            scale += if in_fraction { 0 } else { 4 };
        }
    }
    let exponent = exponent.clamp(-1 << 40, 1 << 40) + scale;
    let double = || f64::from_bits(scaled(bits, exponent, 52, 11));
    let single = || f32::from_bits(scaled(bits, exponent, 23, 8) as u32);
    Ok(if is_single {
        float_bits(0.0, single(), true)
    } else {
        float_bits(double(), 0.0, false)
    })
}

/// `bits * 2^exponent` rounded to an IEEE format, ties to even; overflow gives infinity.
fn scaled(bits: u64, exponent: i64, fraction_bits: u32, exponent_bits: u32) -> u64 {
    if bits == 0 {
        return 0;
    }
    let bias = (1_i64 << (exponent_bits - 1)) - 1;
    let infinity = ((1_u64 << exponent_bits) - 1) << fraction_bits;
    let top = 63 - i64::from(bits.leading_zeros()) + exponent;
    if top > bias {
        return infinity;
    }
    // The weight of the last bit that the format keeps.
    let last = (top - i64::from(fraction_bits)).max(1 - bias - i64::from(fraction_bits));
    let shift = last - exponent;
    let mantissa = match shift {
        i64::MIN..=0 => u128::from(bits) << -shift,
        1..=64 => {
            let wide = u128::from(bits);
            let kept = wide >> shift;
            let rest = wide & ((1 << shift) - 1);
            let half = 1_u128 << (shift - 1);
            let up = rest > half || (rest == half && kept & 1 == 1);
            kept + u128::from(up)
        }
        _ => 0,
    } as u64;
    // Adding the mantissa to the exponent field carries a rounding overflow into it.
    let normal = mantissa >> fraction_bits != 0;
    let field = if normal {
        last + bias + i64::from(fraction_bits) - 1
    } else {
        0
    };
    ((field as u64) << fraction_bits)
        .wrapping_add(mantissa)
        .min(infinity)
}

fn integer(text: &str) -> Result<(u64, Scalar), LiteralError> {
    // Most are one digit.
    if let [digit @ b'0'..=b'9'] = text.as_bytes() {
        return Ok((u64::from(digit - b'0'), Scalar::I32));
    }
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    let (unsigned, long) = match suffix {
        "" => (false, false),
        "u" => (true, false),
        "l" | "ll" => (false, true),
        "ul" | "ull" | "lu" | "llu" => (true, true),
        "i" | "j" => return Err(LiteralError::Imaginary),
        _ => return Err(LiteralError::Malformed),
    };
    let octal_zero = radix == 8 && digits.is_empty();
    let value = if octal_zero {
        0
    } else if digits.is_empty() {
        return Err(LiteralError::Malformed);
    } else {
        u64::from_str_radix(digits, radix).map_err(|_| LiteralError::TooLarge)?
    };
    Ok((value, integer_type(value, unsigned, long, radix != 10)))
}

/// The first of C's list of types that holds the value.
fn integer_type(value: u64, unsigned: bool, long: bool, any_sign: bool) -> Scalar {
    let signed_ok = !unsigned;
    let unsigned_ok = unsigned || any_sign;
    if !long && signed_ok && i32::try_from(value).is_ok() {
        Scalar::I32
    } else if !long && unsigned_ok && u32::try_from(value).is_ok() {
        Scalar::U32
    } else if signed_ok && i64::try_from(value).is_ok() {
        Scalar::I64
    } else {
        Scalar::U64
    }
}

/// A character constant; its type is `int`.
pub(crate) fn character(text: &str) -> Result<(u64, Scalar), LiteralError> {
    let inner = &text[1..text.len() - 1];
    let value = match inner.as_bytes() {
        [c] if c.is_ascii() => *c,
        [b'\\', b'n'] => b'\n',
        [b'\\', b't'] => b'\t',
        [b'\\', b'r'] => b'\r',
        [b'\\', b'a'] => 7,
        [b'\\', b'b'] => 8,
        [b'\\', b'f'] => 12,
        [b'\\', b'v'] => 11,
        [b'\\', c @ (b'\\' | b'\'' | b'"' | b'?')] => *c,
        [b'\\', b'x', hex @ ..] if !hex.is_empty() => {
            u8::from_str_radix(&inner[2..], 16).map_err(|_| LiteralError::Character)?
        }
        [b'\\', octal @ ..] if !octal.is_empty() && octal.len() <= 3 => {
            u8::from_str_radix(&inner[1..], 8).map_err(|_| LiteralError::Character)?
        }
        _ => return Err(LiteralError::Character),
    };
    // Plain char is signed.
    let value = i32::from(value as i8);
    Ok((u64::from(value as u32), Scalar::I32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_once_to_their_own_type() {
        for (text, value) in [
            ("0x1p0", 1.0),
            ("0x1.8p1", 3.0),
            ("0x.8p0", 0.5),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1074", f64::from_bits(2)),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1p1024", f64::INFINITY),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1.0p-1022", f64::MIN_POSITIVE),
            ("0x123456789abcdef01p0", 0x123456789abcdef01_u128 as f64),
            ("1e3", 1000.0),
            (".5L", 0.5),
            ("1.", 1.0),
        ] {
            assert_eq!(number(text), Ok((value.to_bits(), Scalar::F64)), "{text}");
        }
        assert_eq!(
            number("0.1f"),
            Ok((u64::from(0.1_f32.to_bits()), Scalar::F32))
        );
        assert_eq!(
            number("0x1.8p1f"),
            Ok((u64::from(3.0_f32.to_bits()), Scalar::F32))
        );
    }

    #[test]
    fn integers_take_the_first_type_that_holds_them() {
        for (text, value, ty) in [
            ("0", 0, Scalar::I32),
            ("017", 15, Scalar::I32),
            ("0x7fffffff", 0x7fff_ffff, Scalar::I32),
            ("0x80000000", 0x8000_0000, Scalar::U32),
            ("2147483648", 2_147_483_648, Scalar::I64),
            ("1u", 1, Scalar::U32),
            ("1UL", 1, Scalar::U64),
            ("1ll", 1, Scalar::I64),
            ("0xffffffffffffffff", u64::MAX, Scalar::U64),
        ] {
            assert_eq!(number(text), Ok((value, ty)), "{text}");
        }
        for text in [
            "08",
            "1x",
            "0x",
            "1.0.0",
            "1e",
            "0x1.0",
            "99999999999999999999",
            "1_000",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
