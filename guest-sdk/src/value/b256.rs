//! The type of hashes and other values of 32 bytes.

use std::fmt;

use super::{Address, hex};

/// 32 bytes: a hash, a topic, a storage slot or its value. Displays as `0x` and 64 lower-case digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct B256 {
    pub(crate) w0: u64,
    pub(crate) w1: u64,
    pub(crate) w2: u64,
    pub(crate) w3: u64,
}

impl B256 {
    /// The value whose bytes are all zero.
    pub const ZERO: Self = Self::from_words([0; 4]);

    /// From four words, most significant first.
    pub const fn from_words([w0, w1, w2, w3]: [u64; 4]) -> Self {
        Self { w0, w1, w2, w3 }
    }

    /// From 64 hexadecimal digits, with or without `0x`; for constants such as an event's topic.
    ///
    /// # Panics
    /// When `text` is anything else, which in a constant is a compile error.
    pub const fn from_hex(text: &str) -> Self {
        Self::from_bytes(hex::decode(text))
    }

    /// From big-endian bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from_words([hex::word(&bytes, 0), hex::word(&bytes, 8), hex::word(&bytes, 16), hex::word(&bytes, 24)])
    }

    /// The four words, most significant first.
    pub const fn to_words(self) -> [u64; 4] {
        [self.w0, self.w1, self.w2, self.w3]
    }

    /// The value as big-endian bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.to_words()) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// True when every byte is zero.
    pub const fn is_zero(self) -> bool {
        self.w0 | self.w1 | self.w2 | self.w3 == 0
    }

    /// The address in the last 20 bytes, which is how the EVM pads one. None when the first 12 are not zero.
    pub fn to_address(self) -> Option<Address> {
        let bytes = self.to_bytes();
        let (padding, address) = bytes.split_first_chunk::<12>()?;
        (*padding == [0; 12]).then(|| address.try_into().ok().map(Address::from_bytes))?
    }
}

impl fmt::Display for B256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016x}{:016x}{:016x}{:016x}", self.w0, self.w1, self.w2, self.w3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSFER: B256 = B256::from_hex("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

    #[test]
    fn hash_keeps_its_bytes_through_words_text_and_bytes() {
        assert_eq!(TRANSFER.to_string(), "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
        assert_eq!(TRANSFER.to_words()[0], 0xddf2_52ad_1be2_c89b);
        assert_eq!(TRANSFER.to_words()[3], 0x28f5_5a4d_f523_b3ef);
        assert_eq!(B256::from_bytes(TRANSFER.to_bytes()), TRANSFER);
        assert_eq!(B256::from_words(TRANSFER.to_words()), TRANSFER);
    }

    #[test]
    fn topic_gives_an_address_only_when_its_padding_is_zero() {
        let padded = B256::from_hex("000000000000000000000000dac17f958d2ee523a2206206994597c13d831ec7");
        assert_eq!(padded.to_address(), Some(Address::from_hex("dac17f958d2ee523a2206206994597c13d831ec7")));
        let not_padded = B256::from_hex("000000000000000000000001dac17f958d2ee523a2206206994597c13d831ec7");
        assert_eq!(not_padded.to_address(), None);
    }

    #[test]
    fn text_of_the_wrong_length_or_with_another_letter_is_no_hash() {
        let hash = TRANSFER.to_string();
        for text in [&hash[..65], &format!("{hash}0"), &hash.replace("ddf", "ddg"), "", "0x"] {
            assert!(std::panic::catch_unwind(|| B256::from_hex(text)).is_err(), "{text:?}");
        }
    }
}
