//! Whole numbers as doubles, which layout 0.2 writes where later ones write hex text.

use alloy_primitives::U256;

/// Bits of a double's significand, the implied one included.
const SIGNIFICAND_BITS: u32 = f64::MANTISSA_DIGITS;
/// The exponent field of a double whose significand counts ones: a bias of 1023, and 52 bits after the point.
const ONES_EXPONENT: u64 = 1075;

/// The number from which on a double stands for several whole numbers: 2^53, to which 2^53 + 1 is rounded.
pub(crate) const FIRST_ROUNDED: U256 = U256::from_limbs([1 << SIGNIFICAND_BITS, 0, 0, 0]);

/// The most by which a difficulty may differ from its double to be found back by the header's hash.
pub(crate) const RESOLVED_DISTANCE: u64 = 2;

/// The whole number that a double is. `None` where it is below zero, has a fraction or more than 256 bits.
pub(crate) fn whole(double: f64) -> Option<U256> {
    if !double.is_finite() || double < 0.0 || double.fract() != 0.0 {
        return None;
    }
    if double == 0.0 {
        return Some(U256::ZERO);
    }
    // Positive and not subnormal: the sign bit is clear and the significand has its implied bit.
    let bits = double.to_bits();
    let implied = 1 << (SIGNIFICAND_BITS - 1);
    let significand = U256::from(bits & (implied - 1) | implied);
    let exponent = bits >> (SIGNIFICAND_BITS - 1);
    match exponent.checked_sub(ONES_EXPONENT) {
        None => Some(significand >> (ONES_EXPONENT - exponent)),
        Some(shift) => (shift <= 256 - u64::from(SIGNIFICAND_BITS)).then(|| significand << shift),
    }
}

/// The double nearest to a number, the even one of two that are equally near: IEEE 754's rounding, which the producer used.
pub(crate) fn nearest(number: U256) -> f64 {
    let shift = number.bit_len().saturating_sub(64);
    let [top, ..] = *(number >> shift).as_limbs();
    // The last of 64 bits stands for all that are cut off, so that the conversion to 53 rounds as the whole number would.
    let cut_off = number.trailing_zeros() < shift;
    (0..shift).fold((top | u64::from(cut_off)) as f64, |double, _| double * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard library's reading and printing of decimal numbers is exact.
    fn by_digits(number: U256) -> f64 {
        number.to_string().parse().unwrap()
    }

    #[test]
    fn nearest_double_is_the_one_that_the_digits_are_read_as() {
        for bits in 0..256usize {
            let power = U256::from(1) << bits;
            for offset in [0u64, 1, 2, 3, 5, 0x400, 0x401, 0xbff, 0xc00, 0xc01, 0x1000, u64::MAX] {
                for number in [power.saturating_sub(U256::from(offset)), power.saturating_add(U256::from(offset))] {
                    assert_eq!(nearest(number), by_digits(number), "{number}");
                }
            }
        }
        // Beside a tie that only the last of many bits breaks.
        let tie = U256::from((1u64 << 53) + 1) << 200usize;
        assert_eq!(nearest(tie + U256::from(1)), by_digits(tie + U256::from(1)));
        assert!(nearest(tie + U256::from(1)) > nearest(tie - U256::from(1)));
    }

    #[test]
    fn whole_number_of_a_double_is_what_its_digits_say() {
        let mut double = 1.0f64;
        while double < 1e77 {
            for double in [double, double + 1.0, double * 1.5, double.next_up(), double.next_down()] {
                let digits = format!("{double:.0}").parse::<U256>().unwrap();
                assert_eq!(whole(double), (double.fract() == 0.0).then_some(digits), "{double}");
            }
            double *= 2.0;
        }
        assert_eq!(whole(0.0), Some(U256::ZERO));
        assert_eq!(whole(-0.0), Some(U256::ZERO));
    }

    #[test]
    fn double_that_is_no_whole_number_of_256_bits_is_none() {
        let limit = nearest(U256::MAX);
        assert_eq!(whole(limit.next_down()).map(|number| number.bit_len()), Some(256));
        for double in [limit, -1.0, 0.5, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX] {
            assert_eq!(whole(double), None, "{double}");
        }
    }

    #[test]
    fn first_rounded_number_is_the_first_whose_successor_has_no_double() {
        let one = U256::from(1);
        assert_eq!(whole(nearest(FIRST_ROUNDED - one)), Some(FIRST_ROUNDED - one));
        assert_eq!(nearest(FIRST_ROUNDED), nearest(FIRST_ROUNDED + one));
    }
}
