//! The hashes by which a specimen is known.

use alloy_primitives::B256;
use base64_simd::{Out, STANDARD};
use sha2::{Digest, Sha256};

/// Bytes encoded at a time: a multiple of three, so that no chunk but the last has padding, and small enough for the
/// first-level cache.
const CHUNK_BYTES: usize = 12 << 10;

/// The specimen hash the network announces: sha256 of the bytes' JSON encoding, `"` + padded base64 + `"`.
pub fn specimen_hash(bytes: &[u8]) -> B256 {
    let mut hasher = Sha256::new();
    let mut text = [0; CHUNK_BYTES / 3 * 4];
    hasher.update(b"\"");
    for chunk in bytes.chunks(CHUNK_BYTES) {
        hasher.update(STANDARD.encode(chunk, Out::from_slice(&mut text)));
    }
    hasher.update(b"\"");
    B256::from_slice(&hasher.finalize())
}

/// sha256 of the bytes themselves.
pub fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}
