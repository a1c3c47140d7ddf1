//! The type of 256-bit numbers.

use std::{fmt, str};

use super::{B256, hex};

/// An unsigned 256-bit number. Displays in decimal, as JSON consumers expect; `{:#x}` gives hexadecimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct U256 {
    pub(crate) w0: u64,
    pub(crate) w1: u64,
    pub(crate) w2: u64,
    pub(crate) w3: u64,
}

/// The largest power of ten below 2^32, and its digits: decimal text is made this many digits at a time. A remainder and half a word make a word
/// again, which WebAssembly divides by one operator.
const DECIMAL_CHUNK: u64 = 1_000_000_000;
const DECIMAL_CHUNK_DIGITS: usize = 9;
/// 2^256 has 78 decimal digits; nine chunks hold them.
const DECIMAL_DIGITS_MAX: usize = 9 * DECIMAL_CHUNK_DIGITS;
/// Digits that are made at once.
const EIGHT_DIGITS: u64 = 100_000_000;

impl U256 {
    /// The number zero, the default.
    pub const ZERO: Self = Self::from_words([0; 4]);
    /// The largest number, 2^256 - 1.
    pub const MAX: Self = Self::from_words([u64::MAX; 4]);

    /// From four words, most significant first.
    pub const fn from_words([w0, w1, w2, w3]: [u64; 4]) -> Self {
        Self { w0, w1, w2, w3 }
    }

    /// From big-endian bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from_words(B256::from_bytes(bytes).to_words())
    }

    /// The 32-byte word number `index` of ABI-encoded data, such as a log's. None when the data ends before it.
    pub fn from_abi_word(data: &[u8], index: usize) -> Option<Self> {
        let start = index.checked_mul(32)?;
        let word = data.get(start..)?.first_chunk::<32>()?;
        Some(Self::from_words([hex::word(word, 0), hex::word(word, 8), hex::word(word, 16), hex::word(word, 24)]))
    }

    /// The four words, most significant first.
    pub const fn to_words(self) -> [u64; 4] {
        [self.w0, self.w1, self.w2, self.w3]
    }

    /// True if the number is zero.
    pub const fn is_zero(self) -> bool {
        self.w0 | self.w1 | self.w2 | self.w3 == 0
    }

    /// As a `u64`, or none when it is larger.
    pub fn to_u64(self) -> Option<u64> {
        (self.w0 | self.w1 | self.w2 == 0).then_some(self.w3)
    }

    /// The sum, or none when it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (w3, carry) = self.w3.overflowing_add(other.w3);
        let (w2, carry) = self.w2.carrying(other.w2, carry, u64::overflowing_add);
        let (w1, carry) = self.w1.carrying(other.w1, carry, u64::overflowing_add);
        let (w0, carry) = self.w0.carrying(other.w0, carry, u64::overflowing_add);
        (!carry).then_some(Self { w0, w1, w2, w3 })
    }

    /// The difference, or none when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let (w3, borrow) = self.w3.overflowing_sub(other.w3);
        let (w2, borrow) = self.w2.carrying(other.w2, borrow, u64::overflowing_sub);
        let (w1, borrow) = self.w1.carrying(other.w1, borrow, u64::overflowing_sub);
        let (w0, borrow) = self.w0.carrying(other.w0, borrow, u64::overflowing_sub);
        (!borrow).then_some(Self { w0, w1, w2, w3 })
    }

    /// The product, or none when it does not fit.
    pub fn checked_mul(self, factor: u64) -> Option<Self> {
        let mut carry = 0_u64;
        let mut words = self.to_words();
        for word in words.iter_mut().rev() {
            let product = u128::from(*word) * u128::from(factor) + u128::from(carry);
            #[allow(clippy::cast_possible_truncation, reason = "the halves of 128 bits")]
            {
                *word = product as u64;
                carry = (product >> 64) as u64;
            }
        }
        (carry == 0).then_some(Self::from_words(words))
    }

    /// Its decimal digits, and the place of the first of them.
    pub(crate) fn decimal(mut self) -> ([u8; DECIMAL_DIGITS_MAX], usize) {
        let mut digits = [b'0'; DECIMAL_DIGITS_MAX];
        let mut start = DECIMAL_DIGITS_MAX;
        for chunk in digits.rchunks_exact_mut(DECIMAL_CHUNK_DIGITS) {
            let number = self.divide_by_chunk();
            start -= DECIMAL_CHUNK_DIGITS;
            if let Some((first, rest)) = chunk.split_first_mut() {
                #[allow(clippy::cast_possible_truncation, reason = "nine digits have one before the last eight")]
                {
                    *first += (number / EIGHT_DIGITS) as u8;
                }
                rest.copy_from_slice(&eight_digits(number % EIGHT_DIGITS));
            }
            // Most numbers are short, and dividing is what costs.
            if self.is_zero() {
                break;
            }
        }
        let zeros = digits[start..].iter().take_while(|digit| **digit == b'0').count();
        (digits, (start + zeros).min(DECIMAL_DIGITS_MAX - 1))
    }

    /// Divides in place by [`DECIMAL_CHUNK`] and returns the remainder. Written out, so that the words stay out of memory.
    fn divide_by_chunk(&mut self) -> u64 {
        let (w0, remainder) = divided(0, self.w0);
        let (w1, remainder) = divided(remainder, self.w1);
        let (w2, remainder) = divided(remainder, self.w2);
        let (w3, remainder) = divided(remainder, self.w3);
        *self = Self { w0, w1, w2, w3 };
        remainder
    }
}

/// Quotient and remainder of a word with the remainder of what stands before it, in two halves.
#[inline]
const fn divided(remainder: u64, word: u64) -> (u64, u64) {
    let high = remainder << 32 | word >> 32;
    let low = (high % DECIMAL_CHUNK) << 32 | word & 0xffff_ffff;
    (((high / DECIMAL_CHUNK) << 32) | (low / DECIMAL_CHUNK), low % DECIMAL_CHUNK)
}

/// The digits of a number below 10^8. Halves, quarters and eighths are divided side by side, by multiplication.
#[inline]
const fn eight_digits(number: u64) -> [u8; 8] {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let quarters = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | (quarters - 10 * tens) << 8;
    (digits + 0x3030_3030_3030_3030).to_le_bytes()
}

/// One word of a longer sum or difference.
trait Carrying: Sized {
    fn carrying(self, other: Self, carry: bool, step: fn(Self, Self) -> (Self, bool)) -> (Self, bool);
}

impl Carrying for u64 {
    fn carrying(self, other: Self, carry: bool, step: fn(Self, Self) -> (Self, bool)) -> (Self, bool) {
        let (word, first) = step(self, other);
        let (word, second) = step(word, Self::from(carry));
        (word, first || second)
    }
}

impl From<u64> for U256 {
    fn from(number: u64) -> Self {
        Self::from_words([0, 0, 0, number])
    }
}

impl From<B256> for U256 {
    fn from(bytes: B256) -> Self {
        Self::from_words(bytes.to_words())
    }
}

impl From<U256> for B256 {
    fn from(number: U256) -> Self {
        Self::from_words(number.to_words())
    }
}

impl fmt::Display for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, first) = self.decimal();
        f.pad_integral(true, "", str::from_utf8(&digits[first..]).map_err(|_| fmt::Error)?)
    }
}

impl fmt::LowerHex for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:016x}{:016x}{:016x}{:016x}", self.w0, self.w1, self.w2, self.w3);
        let significant = digits.trim_start_matches('0');
        f.pad_integral(true, "0x", if significant.is_empty() { "0" } else { significant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_eight_digits_are_those_of_the_number() {
        let numbers = (0..10_000).flat_map(|low| [low, low * 10_000, low * 10_001, 99_999_999 - low]);
        for number in numbers {
            assert_eq!(eight_digits(number), *format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn number_displays_in_decimal_and_hexadecimal() {
        let check = |words: [u64; 4], decimal: &str, hexadecimal: &str| {
            let number = U256::from_words(words);
            assert_eq!((number.to_string().as_str(), format!("{number:#x}").as_str()), (decimal, hexadecimal));
        };
        check([0, 0, 0, 0], "0", "0x0");
        check([0, 0, 0, 7], "7", "0x7");
        check([0, 0, 0, u64::MAX], "18446744073709551615", "0xffffffffffffffff");
        check([0, 0, 1, 0], "18446744073709551616", "0x10000000000000000");
        check([0, 0, 0, 9_999_999_999_999_999_999], "9999999999999999999", "0x8ac7230489e7ffff");
        check([0, 0, 0, 10_000_000_000_000_000_000], "10000000000000000000", "0x8ac7230489e80000");
        check([0, 1, 0, 0], "340282366920938463463374607431768211456", "0x100000000000000000000000000000000");
        check(
            [u64::MAX; 4],
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
            &format!("0x{}", "f".repeat(64)),
        );
    }

    #[test]
    fn sums_and_differences_carry_through_every_word_and_stop_at_the_ends() {
        let one = U256::from(1);
        let low = U256::from_words([0, u64::MAX, u64::MAX, u64::MAX]);
        let high = U256::from_words([1, 0, 0, 0]);
        assert_eq!(low.checked_add(one), Some(high));
        assert_eq!(high.checked_sub(one), Some(low));
        assert_eq!(U256::MAX.checked_add(one), None);
        assert_eq!(U256::ZERO.checked_sub(one), None);
        assert_eq!(U256::MAX.checked_sub(U256::MAX), Some(U256::ZERO));
        assert_eq!(U256::MAX.checked_add(U256::MAX), None);
    }

    #[test]
    fn product_carries_through_every_word_and_stops_at_the_end() {
        let check = |words: [u64; 4], factor: u64, expected: Option<[u64; 4]>| {
            assert_eq!(U256::from_words(words).checked_mul(factor), expected.map(U256::from_words), "{words:?}");
        };
        check([0, 0, 0, 6], 7, Some([0, 0, 0, 42]));
        check([0, 0, 0, u64::MAX], u64::MAX, Some([0, 0, u64::MAX - 1, 1]));
        check([0, u64::MAX, u64::MAX, u64::MAX], 2, Some([1, u64::MAX, u64::MAX, u64::MAX - 1]));
        check([u64::MAX; 4], 0, Some([0; 4]));
        check([u64::MAX; 4], 1, Some([u64::MAX; 4]));
        check([1 << 63, 0, 0, 0], 2, None);
        check([(1 << 63) - 1, 0, 0, 0], 2, Some([u64::MAX - 1, 0, 0, 0]));
    }

    #[test]
    fn order_follows_the_most_significant_word() {
        assert!(U256::from_words([1, 0, 0, 0]) > U256::from_words([0, u64::MAX, u64::MAX, u64::MAX]));
        assert!(U256::from(2) < U256::from(10));
    }

    #[test]
    fn abi_word_is_read_only_when_the_data_holds_it_whole() {
        let mut data = [0_u8; 64];
        data[31] = 5;
        data[32] = 0x80;
        assert_eq!(U256::from_abi_word(&data, 0), Some(U256::from(5)));
        assert_eq!(U256::from_abi_word(&data, 1), Some(U256::from_words([1 << 63, 0, 0, 0])));
        assert_eq!(U256::from_abi_word(&data[..63], 1), None);
        assert_eq!(U256::from_abi_word(&data, 2), None);
        assert_eq!(U256::from_abi_word(&data, usize::MAX), None);
    }

    #[test]
    fn number_becomes_a_word_only_when_it_fits() {
        assert_eq!(U256::from(u64::MAX).to_u64(), Some(u64::MAX));
        assert_eq!(U256::from_words([0, 0, 1, 0]).to_u64(), None);
    }
}
