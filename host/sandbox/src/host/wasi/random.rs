//! `wasi:random`: numbers that look random and are the same on every machine.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use crate::host::state::{HostState, specimen::SpecimenView};

/// Prefix of the hashed text of a block of random bytes, before the stream's name, the specimen's hash and the block's number.
const DOMAIN: &[u8] = b"refiner:wasi-random-1:";
/// Fuel for a byte beside its copy: two rounds of sha256 for 32, on a processor without instructions for it.
pub(in crate::host) const BYTE_FUEL: u64 = 24;
/// Bytes of one block: sha256's.
const BLOCK_BYTES: usize = 32;

fn block(stream: &str, seed: B256, number: u64) -> [u8; BLOCK_BYTES] {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(stream);
    hash.update(seed);
    hash.update(number.to_be_bytes());
    hash.finalize().into()
}

/// The next `len` bytes of a stream; each call starts a new block.
fn bytes(stream: &str, seed: B256, blocks: &mut u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let next = block(stream, seed, *blocks);
        *blocks += 1;
        bytes.extend_from_slice(&next[..BLOCK_BYTES.min(len - bytes.len())]);
    }
    bytes
}

fn word(stream: &str, seed: B256, blocks: &mut u64) -> u64 {
    let next = block(stream, seed, *blocks);
    *blocks += 1;
    first_word(&next)
}

fn first_word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |word, byte| word << 8 | u64::from(*byte))
}

impl HostState {
    /// Nought in `describe`, which has no specimen.
    fn seed(&self) -> B256 {
        self.specimen.as_ref().map_or(B256::ZERO, SpecimenView::hash)
    }

    /// Counts a call that hands out `len` bytes.
    fn spend_random(&mut self, function: &'static str, len: u64) -> wasmtime::Result<usize> {
        self.budget.call(function)?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.budget.copy(len)?;
        self.budget.burn((len as u64).saturating_mul(BYTE_FUEL))?;
        Ok(len)
    }
}

impl random::Host for HostState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let len = self.spend_random("random.get-random-bytes", len)?;
        Ok(bytes("secure", self.seed(), &mut self.wasi.random.secure_blocks, len))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.budget.call("random.get-random-u64")?;
        Ok(word("secure", self.seed(), &mut self.wasi.random.secure_blocks))
    }
}

impl insecure::Host for HostState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        let len = self.spend_random("insecure.get-insecure-random-bytes", len)?;
        Ok(bytes("insecure", self.seed(), &mut self.wasi.random.insecure_blocks, len))
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.budget.call("insecure.get-insecure-random-u64")?;
        Ok(word("insecure", self.seed(), &mut self.wasi.random.insecure_blocks))
    }
}

impl insecure_seed::Host for HostState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.budget.call("insecure-seed.insecure-seed")?;
        let [first, second] = [0, 8].map(|start| first_word(&block("seed", self.seed(), 0)[start..]));
        Ok((first, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_name_and_seed_and_go_on_from_call_to_call() {
        let seed = B256::repeat_byte(1);
        let mut blocks = 0;
        let first = bytes("secure", seed, &mut blocks, 40);
        assert_eq!((first.len(), blocks), (40, 2));
        assert_eq!(first[..32], block("secure", seed, 0));
        assert_eq!(first[32..], block("secure", seed, 1)[..8]);
        assert_eq!(bytes("secure", seed, &mut blocks, 32), block("secure", seed, 2));
        assert_ne!(block("insecure", seed, 0), block("secure", seed, 0));
        assert_ne!(block("secure", B256::repeat_byte(2), 0), block("secure", seed, 0));
        assert!(bytes("secure", seed, &mut blocks, 0).is_empty());
    }
}
