//! Integer division. By a constant it is a multiplication and shifts: Granlund and Montgomery, "Division by invariant integers using
//! multiplication", 1994; the numbers as in Warren, "Hacker's Delight", chapter 10.

use super::{Lower, clif_type};
use crate::ir::Type;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, InstBuilder, types};

impl Lower<'_, '_> {
    /// The quotient or remainder of two integers, as the language defines it; the divisor was checked not to be 0.
    pub(super) fn divide(
        &mut self,
        quotient: bool,
        x: clif::Value,
        y: clif::Value,
        constant: Option<i64>,
        ty: Type,
    ) -> clif::Value {
        match constant.filter(|divisor| *divisor != 0) {
            Some(divisor) => self.divide_by(quotient, x, divisor, ty),
            None if ty.scalar.is_signed() => self.divide_signed(quotient, x, y, ty),
            None if quotient => self.b.ins().udiv(x, y),
            None => self.b.ins().urem(x, y),
        }
    }

    fn divide_signed(
        &mut self,
        quotient: bool,
        x: clif::Value,
        y: clif::Value,
        ty: Type,
    ) -> clif::Value {
        // The least integer over -1 would trap: divide by 1 instead, and negate.
        let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, y, -1);
        let one = self.b.ins().iconst(clif_type(ty), 1);
        let safe = self.b.ins().select(minus_one, one, y);
        if !quotient {
            return self.b.ins().srem(x, safe);
        }
        let divided = self.b.ins().sdiv(x, safe);
        let negated = self.b.ins().ineg(divided);
        self.b.ins().select(minus_one, negated, divided)
    }

    /// By a constant that is not 0: in 64 bits, which hold all types.
    fn divide_by(&mut self, quotient: bool, x: clif::Value, divisor: i64, ty: Type) -> clif::Value {
        let narrow = ty.scalar.bytes() < 8;
        let is_signed = ty.scalar.is_signed();
        let wide = match (narrow, is_signed) {
            (false, _) => x,
            (true, true) => self.b.ins().sextend(types::I64, x),
            (true, false) => self.b.ins().uextend(types::I64, x),
        };
        let bits = 8 * ty.scalar.bytes();
        let divided = match is_signed {
            true => self.by_signed(wide, divisor),
            false => self.by_unsigned(wide, divisor as u64, bits),
        };
        let result = match quotient {
            true => divided,
            false => {
                let product = self.b.ins().imul_imm_s(divided, divisor);
                self.b.ins().isub(wide, product)
            }
        };
        match narrow {
            true => self.b.ins().ireduce(clif_type(ty), result),
            false => result,
        }
    }

    fn by_signed(&mut self, x: clif::Value, divisor: i64) -> clif::Value {
        let size = divisor.unsigned_abs();
        let divided = match size {
            1 => x,
            _ if size.is_power_of_two() => {
                // Rounded to zero: a negative number is raised to the next multiple first.
                let shift = i64::from(size.trailing_zeros());
                let sign = self.b.ins().sshr_imm_u(x, 63);
                let raise = self.b.ins().ushr_imm_u(sign, 64 - shift);
                let raised = self.b.ins().iadd(x, raise);
                self.b.ins().sshr_imm_u(raised, shift)
            }
            _ => {
                let Signed { factor, shift } = Signed::of(size as i64);
                let by = self.b.ins().iconst(types::I64, factor);
                let high = self.b.ins().smulhi(x, by);
                // A factor of 64 bits stands for itself less 2^64.
                let high = match factor < 0 {
                    true => self.b.ins().iadd(high, x),
                    false => high,
                };
                let down = self.b.ins().sshr_imm_u(high, i64::from(shift));
                let sign = self.b.ins().sshr_imm_u(x, 63);
                self.b.ins().isub(down, sign)
            }
        };
        match divisor < 0 {
            true => self.b.ins().ineg(divided),
            false => divided,
        }
    }

    /// Of a number of so many bits.
    fn by_unsigned(&mut self, x: clif::Value, divisor: u64, bits: u32) -> clif::Value {
        if divisor.is_power_of_two() {
            return self
                .b
                .ins()
                .ushr_imm_u(x, i64::from(divisor.trailing_zeros()));
        }
        if divisor > 1 << 63 {
            let once =
                self.b
                    .ins()
                    .icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, x, divisor as i64);
            return self.b.ins().uextend(types::I64, once);
        }
        let Unsigned {
            factor,
            shift,
            is_added,
        } = Unsigned::of(divisor, bits);
        let by = self.b.ins().iconst(types::I64, factor as i64);
        let high = self.b.ins().umulhi(x, by);
        if !is_added {
            return self.b.ins().ushr_imm_u(high, i64::from(shift));
        }
        // The factor has 65 bits: x is added to the product's half, and may not overflow.
        let rest = self.b.ins().isub(x, high);
        let half = self.b.ins().ushr_imm_u(rest, 1);
        let sum = self.b.ins().iadd(half, high);
        self.b.ins().ushr_imm_u(sum, i64::from(shift - 1))
    }
}

/// `x / d` is the high half of `x * factor`, shifted right, and 1 more if `x` is negative.
struct Signed {
    factor: i64,
    shift: u32,
}

impl Signed {
    /// Of a divisor from 3 on that is no power of two.
    fn of(divisor: i64) -> Signed {
        let d = divisor as u128;
        // The least shift for which the factor, rounded up, is near enough for all of 63 bits.
        let shift = (0..64).find(|shift| {
            let power = 1u128 << (64 + shift);
            let error = d - power % d;
            error <= power >> 63
        });
        let shift = shift.expect("a shift by the divisor's bits is enough");
        let factor = (1u128 << (64 + shift)) / d + 1;
        Signed {
            factor: factor as u64 as i64,
            shift,
        }
    }
}

/// `x / d` is the high half of `x * factor`, shifted right; the factor is 2^64 more if that is said.
struct Unsigned {
    factor: u64,
    shift: u32,
    is_added: bool,
}

impl Unsigned {
    /// Of a divisor from 3 to 2^63 that is no power of two, for numbers of so many bits.
    fn of(divisor: u64, bits: u32) -> Unsigned {
        let d = u128::from(divisor);
        let most = (1u128 << bits) - 1;
        for shift in 0..64 {
            let power = 1u128 << (64 + shift);
            let factor = power / d + 1;
            let error = d - power % d;
            // Near enough if what it adds to the largest number's quotient is less than what that lacks to the next.
            if error <= power / (most + 1) {
                return Unsigned {
                    factor: factor as u64,
                    shift,
                    is_added: factor > u128::from(u64::MAX),
                };
            }
        }
        unreachable!("a shift by the divisor's bits is enough")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(x: u64, divisor: u64, bits: u32) -> u64 {
        let Unsigned {
            factor,
            shift,
            is_added,
        } = Unsigned::of(divisor, bits);
        let factor = u128::from(factor) + if is_added { 1 << 64 } else { 0 };
        // No more than 129 bits, of which the lowest are not needed.
        let (high, low) = (factor >> 32, factor & 0xffff_ffff);
        let x = u128::from(x);
        ((x * high + ((x * low) >> 32)) >> (32 + shift)) as u64
    }

    fn edges(bits: u32) -> Vec<u64> {
        let most = if bits == 64 {
            u64::MAX
        } else {
            (1 << bits) - 1
        };
        let powers =
            (0..bits).flat_map(|bit| [(1u64 << bit).wrapping_sub(1), 1 << bit, (1 << bit) + 1]);
        powers
            .chain([most - 1, most, most / 3, most / 3 * 2 + 1])
            .filter(|x| *x <= most)
            .collect()
    }

    #[test]
    fn unsigned_factors_divide_exactly() {
        for bits in [8, 16, 32, 64] {
            let divisors = edges(bits).into_iter().chain(3..200);
            let fits = |d: &u64| (3..1 << 63).contains(d) && !d.is_power_of_two();
            for divisor in divisors.filter(fits) {
                let near = edges(bits).into_iter().flat_map(|x| {
                    [
                        x,
                        x / divisor * divisor,
                        (x / divisor * divisor).saturating_sub(1),
                    ]
                });
                for x in near {
                    assert_eq!(
                        divided(x, divisor, bits),
                        x / divisor,
                        "{x} / {divisor} in {bits} bits"
                    );
                }
            }
        }
    }

    #[test]
    fn signed_factors_divide_exactly() {
        for divisor in edges(63).into_iter().chain(3..200) {
            if divisor < 3 || divisor.is_power_of_two() {
                continue;
            }
            let Signed { factor, shift } = Signed::of(divisor as i64);
            let factor = i128::from(factor) + if factor < 0 { 1 << 64 } else { 0 };
            for x in edges(63)
                .into_iter()
                .flat_map(|x| [x, x / divisor * divisor])
            {
                for x in [x as i64, -(x as i64), i64::MIN, i64::MIN + 1] {
                    let down = (i128::from(x) * (factor >> 1)
                        + ((i128::from(x) * (factor & 1)) >> 1))
                        >> (63 + shift);
                    let found = down as i64 - (x >> 63);
                    assert_eq!(found, x.wrapping_div(divisor as i64), "{x} / {divisor}");
                }
            }
        }
    }
}
