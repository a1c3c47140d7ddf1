//! Decimal digits as the other forms of a wide number.

/// Digits of the largest decimal of 128 bits.
const DECIMAL_DIGITS_MAX: usize = 38;
/// Digits that are read at once: 10^19 is the largest power of ten below 2^64.
const CHUNK_DIGITS: usize = 19;

/// The nearest double.
pub(crate) fn double(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

/// The number in 128 bits, unless it has more than 38 digits.
pub(crate) fn decimal38(digits: &str) -> Option<i128> {
    let count = digits.strip_prefix('-').unwrap_or(digits).len();
    (count <= DECIMAL_DIGITS_MAX).then(|| digits.parse().ok()).flatten()
}

/// 32 bytes, the most significant first, in two's complement.
pub(crate) fn bytes(digits: &str) -> [u8; 32] {
    let (negative, mut rest) = digits.strip_prefix('-').map_or((false, digits), |magnitude| (true, magnitude));
    // The least significant first.
    let mut limbs = [0_u64; 4];
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK_DIGITS));
        let scale = 10_u128.pow(u32::try_from(chunk.len()).unwrap_or_default());
        let mut carried: u128 = chunk.parse().unwrap_or_default();
        for limb in &mut limbs {
            let product = u128::from(*limb) * scale + carried;
            *limb = low(product);
            carried = product >> 64;
        }
        rest = after;
    }
    if negative {
        let mut carried = true;
        for limb in &mut limbs {
            (*limb, carried) = (!*limb).overflowing_add(u64::from(carried));
        }
    }
    let mut whole = [0; 32];
    for (place, limb) in limbs.iter().rev().enumerate() {
        whole[place * 8..][..8].copy_from_slice(&limb.to_be_bytes());
    }
    whole
}

/// The lower half.
fn low(wide: u128) -> u64 {
    u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    const MIN: &str = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";

    #[test]
    fn digits_become_bytes_with_the_most_significant_first() {
        let of = |last: [u8; 2], fill: u8| {
            let mut bytes = [fill; 32];
            bytes[30..].copy_from_slice(&last);
            bytes
        };
        let mut lowest = [0; 32];
        lowest[0] = 0x80;
        let mut two_to_the_64th = [0; 32];
        two_to_the_64th[23] = 1;
        for (digits, expected) in [
            ("0", of([0, 0], 0)),
            ("258", of([1, 2], 0)),
            ("18446744073709551616", two_to_the_64th),
            (MAX, [0xff; 32]),
            ("-1", [0xff; 32]),
            ("-256", of([0xff, 0], 0xff)),
            (MIN, lowest),
        ] {
            assert_eq!(bytes(digits), expected, "{digits}");
        }
    }

    #[test]
    fn decimals_hold_38_digits_and_no_more() {
        let nines = "9".repeat(38);
        for (digits, expected) in [
            ("0", Some(0)),
            ("-12", Some(-12)),
            (nines.as_str(), Some(10_i128.pow(38) - 1)),
            (&format!("-{nines}"), Some(1 - 10_i128.pow(38))),
            (&format!("1{}", "0".repeat(38)), None),
            (MAX, None),
            (MIN, None),
        ] {
            assert_eq!(decimal38(digits), expected, "{digits}");
        }
    }

    #[test]
    fn doubles_are_the_nearest_ones() {
        for (digits, expected) in [
            ("0", 0.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
            (MAX, 2_f64.powi(256)),
            (MIN, -(2_f64.powi(255))),
        ] {
            assert!((double(digits) - expected).abs() < f64::EPSILON, "{digits}");
        }
    }
}
