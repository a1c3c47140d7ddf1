//! Numbers of 256 bits as text.

use std::cmp::Ordering;

/// 2^256 - 1.
const U256_MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
/// 2^255 - 1.
const I256_MAX: &str = "57896044618658097711785492504343953926634992332820282019728792003956564819967";
/// 2^255.
const I256_MIN_MAGNITUDE: &str = "57896044618658097711785492504343953926634992332820282019728792003956564819968";
/// Hexadecimal digits of 256 bits.
const HEX_DIGITS_MAX: usize = 64;
/// 10^19: the largest power of ten below 2^64.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

/// True for decimal digits of a number of 256 bits without a sign, and without leading zeros.
pub(crate) fn is_unsigned(text: &str) -> bool {
    is_magnitude(text, U256_MAX)
}

/// True for decimal digits of a number of 256 bits with a sign where it is negative.
pub(crate) fn is_signed(text: &str) -> bool {
    match text.strip_prefix('-') {
        Some("0") => false,
        Some(magnitude) => is_magnitude(magnitude, I256_MIN_MAGNITUDE),
        None => is_magnitude(text, I256_MAX),
    }
}

fn is_magnitude(digits: &str, max: &str) -> bool {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let order = digits.len().cmp(&max.len());
    !digits.is_empty() && order != Ordering::Greater && plain && (order == Ordering::Less || digits <= max)
}

/// The decimal digits of `0x` and 1 to 64 hexadecimal digits.
pub(crate) fn decimal(hex: &str) -> Option<String> {
    let digits = hex.strip_prefix("0x").filter(|digits| (1..=HEX_DIGITS_MAX).contains(&digits.len()))?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    // From the most significant one on.
    let mut limbs = [0_u64; 4];
    for digit in digits.chars() {
        let mut carried = u64::from(digit.to_digit(16)?);
        for limb in limbs.iter_mut().rev() {
            let next = *limb >> 60;
            *limb = *limb << 4 | carried;
            carried = next;
        }
    }
    Some(printed(limbs))
}

fn printed(mut limbs: [u64; 4]) -> String {
    let mut chunks = Vec::new();
    while limbs != [0; 4] {
        let mut rest = 0_u64;
        for limb in &mut limbs {
            let wide = u128::from(rest) << 64 | u128::from(*limb);
            // Both are below 2^64: the rest is below the divisor.
            *limb = u64::try_from(wide / u128::from(CHUNK)).unwrap_or_default();
            rest = u64::try_from(wide % u128::from(CHUNK)).unwrap_or_default();
        }
        chunks.push(rest);
    }
    let mut text = chunks.pop().unwrap_or_default().to_string();
    for chunk in chunks.into_iter().rev() {
        text.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_256_bits_end_where_they_end() {
        let below = |text: &str| {
            format!("{}{}", &text[..text.len() - 1], u32::from(text.as_bytes()[77 - (78 - text.len())]) - 48 - 1)
        };
        for (text, unsigned, signed) in [
            ("0", true, true),
            ("7", true, true),
            ("00", false, false),
            ("07", false, false),
            ("", false, false),
            ("-", false, false),
            ("-0", false, false),
            ("-7", false, true),
            ("+7", false, false),
            ("1e3", false, false),
            ("1.0", false, false),
            (" 1", false, false),
            (I256_MAX, true, true),
            (I256_MIN_MAGNITUDE, true, false),
            (&format!("-{I256_MIN_MAGNITUDE}"), false, true),
            (&format!("-{}9", &I256_MIN_MAGNITUDE[..76]), false, false),
            (U256_MAX, true, false),
            (&below(U256_MAX), true, false),
            (&format!("{}6", &U256_MAX[..77]), false, false),
            (&format!("{U256_MAX}0"), false, false),
        ] {
            assert_eq!(is_unsigned(text), unsigned, "{text}");
            assert_eq!(is_signed(text), signed, "{text}");
        }
    }

    #[test]
    fn hexadecimal_digits_become_decimal_ones() {
        for (hex, expected) in [
            ("0x0", Some("0")),
            ("0x00", Some("0")),
            ("0xff", Some("255")),
            ("0xFF", Some("255")),
            ("0x8ac7230489e80000", Some("10000000000000000000")),
            ("0x8ac7230489e7ffff", Some("9999999999999999999")),
            ("0x4b3b4ca85a86c47a098a224000000000", Some("100000000000000000000000000000000000000")),
            (&format!("0x{}", "f".repeat(64)), Some(U256_MAX)),
            (&format!("0x7{}", "f".repeat(63)), Some(I256_MAX)),
            (&format!("0x0{}", "f".repeat(64)), None),
            ("0x", None),
            ("0xg", None),
            ("ff", None),
            ("0x+1", None),
        ] {
            assert_eq!(decimal(hex).as_deref(), expected, "{hex}");
        }
    }
}
