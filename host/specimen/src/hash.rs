//! The hashes by which a specimen is known.
//!
//! By ring: on a processor without SHA instructions its assembly is nearly twice as fast as portable code, and hashing
//! a specimen there costs as much as executing its block.

use alloy_primitives::B256;
use base64_simd::{Out, STANDARD};
use ring::digest::{Context, Digest, SHA256, digest};

/// Bytes encoded at a time: a multiple of three, so that no chunk but the last has padding, and small enough for the
/// first-level cache.
const CHUNK_BYTES: usize = 12 << 10;

/// The specimen hash the network announces: sha256 of the bytes' JSON encoding, `"` + padded base64 + `"`.
pub fn specimen_hash(bytes: &[u8]) -> B256 {
    let mut context = Context::new(&SHA256);
    let mut text = [0; CHUNK_BYTES / 3 * 4];
    context.update(b"\"");
    for chunk in bytes.chunks(CHUNK_BYTES) {
        context.update(STANDARD.encode(chunk, Out::from_slice(&mut text)));
    }
    context.update(b"\"");
    hash(&context.finish())
}

/// sha256 of the bytes themselves.
pub fn sha256(bytes: &[u8]) -> B256 {
    hash(&digest(&SHA256, bytes))
}

fn hash(digest: &Digest) -> B256 {
    B256::from_slice(digest.as_ref())
}
