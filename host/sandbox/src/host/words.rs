//! Hashes, numbers and addresses as the contract's words, most significant first.

use alloy_primitives::{Address, B256, U256};

use crate::bindings::refiner::rule::types;

/// Eight bytes of `bytes` from `at` on, as a big-endian number.
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(word)
}

impl From<B256> for types::B256 {
    fn from(hash: B256) -> Self {
        let bytes = &hash.0;
        Self { w0: word(bytes, 0), w1: word(bytes, 8), w2: word(bytes, 16), w3: word(bytes, 24) }
    }
}

impl From<types::B256> for B256 {
    fn from(words: types::B256) -> Self {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip([words.w0, words.w1, words.w2, words.w3]) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        Self(bytes)
    }
}

impl From<U256> for types::U256 {
    fn from(number: U256) -> Self {
        let [w3, w2, w1, w0] = *number.as_limbs();
        Self { w0, w1, w2, w3 }
    }
}

// Into, for a number of alloy's converts from all that it can try to, and nothing else converts into it.
#[allow(clippy::from_over_into, reason = "the other direction is taken")]
impl Into<U256> for types::U256 {
    fn into(self) -> U256 {
        U256::from_limbs([self.w3, self.w2, self.w1, self.w0])
    }
}

impl From<types::Address> for Address {
    fn from(words: types::Address) -> Self {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&words.w0.to_be_bytes());
        bytes[8..16].copy_from_slice(&words.w1.to_be_bytes());
        bytes[16..].copy_from_slice(&words.w2.to_be_bytes());
        Self(bytes.into())
    }
}

impl From<Address> for types::Address {
    fn from(address: Address) -> Self {
        let bytes = &address.0.0;
        let [.., a, b, c, d] = *bytes;
        Self { w0: word(bytes, 0), w1: word(bytes, 8), w2: u32::from_be_bytes([a, b, c, d]) }
    }
}
