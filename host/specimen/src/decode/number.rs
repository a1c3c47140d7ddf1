//! Numbers: varints that are never negative, and hex text.

use alloy_primitives::U256;

use super::{
    error::{Fault, FieldError, Read},
    wire::Wire,
};

/// Hex digits of a `u64`.
const U64_DIGITS: usize = 16;
/// Hex digits of a [`U256`].
const U256_DIGITS: usize = 64;

impl<'a> Wire<'a> {
    /// An Avro `long` or `int` that counts something. The two are alike on the wire, and an `int` of 31 bits would end with
    /// the timestamps of January 2038.
    #[inline]
    pub(super) fn long(&mut self) -> Read<u64> {
        let start = self.offset();
        let number = self.varint()?;
        u64::try_from(number).map_err(|_| Fault::new(start, FieldError::Negative(number)))
    }

    /// Hex text of at most 256 bits.
    #[inline]
    pub(super) fn u256(&mut self) -> Read<U256> {
        if let Some(bytes) = self.plain_hash() {
            return Ok(U256::from_be_bytes(bytes));
        }
        let digits = self.significant_digits(U256_DIGITS)?;
        if digits.len() <= U64_DIGITS {
            return self.short_number(digits).map(U256::from);
        }
        let mut padded = [b'0'; U256_DIGITS];
        padded[U256_DIGITS - digits.len()..].copy_from_slice(digits);
        match const_hex::decode_to_array::<_, 32>(padded) {
            Ok(bytes) => Ok(U256::from_be_bytes(bytes)),
            Err(_) => Err(self.not_hex(digits)),
        }
    }

    /// Hex text of at most 128 bits.
    #[inline]
    pub(super) fn u128(&mut self) -> Read<u128> {
        let digits = self.significant_digits(2 * U64_DIGITS)?;
        let (high, low) = digits.split_at(digits.len().saturating_sub(U64_DIGITS));
        let high = if high.is_empty() { 0 } else { self.part_number(high, digits)? };
        Ok(u128::from(high) << 64 | u128::from(self.part_number(low, digits)?))
    }

    /// Hex text of at most 64 bits.
    #[inline]
    pub(super) fn u64(&mut self) -> Read<u64> {
        let digits = self.significant_digits(U64_DIGITS)?;
        self.short_number(digits)
    }

    /// Digits of a number, at most `limit` of them after leading zeros.
    #[inline]
    fn significant_digits(&mut self, limit: usize) -> Read<&'a [u8]> {
        let digits = self.hex_digits()?;
        if digits.len() <= limit {
            return Ok(digits);
        }
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        let significant = &digits[zeros..];
        if significant.len() <= limit {
            return Ok(significant);
        }
        let limit_bits = u32::try_from(4 * limit).unwrap_or(u32::MAX);
        Err(Fault::new(self.offset() - significant.len(), FieldError::OutOfRange { limit_bits }))
    }

    #[inline]
    fn short_number(&self, digits: &[u8]) -> Read<u64> {
        self.part_number(digits, digits)
    }

    /// The value of at most 16 digits that are a part of `all`, which ends here.
    #[inline]
    fn part_number(&self, digits: &[u8], all: &[u8]) -> Read<u64> {
        let mut number = 0;
        let mut invalid = 0;
        for &digit in digits {
            let value = NIBBLE[usize::from(digit)];
            invalid |= value;
            number = number << 4 | u64::from(value & 0xf);
        }
        if invalid > 0xf { Err(self.not_hex(all)) } else { Ok(number) }
    }
}

/// The value of each hex digit, 0xff for every other character.
const NIBBLE: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};
