//! Candidates for the blob hashes of a type-3 transaction: hashes of the KZG commitments in its calldata.
//!
//! A contract that checks a blob is given its commitment, for the point evaluation precompile takes it. A commitment is a
//! compressed point of BLS12-381's first group, which 48 bytes that are none are not by chance: one in 2^126 is. It stands
//! in the calldata in one piece, at any byte, or cut in two halves of 24 bytes, each in a word of 32, in either order.

use std::collections::HashSet;

use alloy_eips::eip4844::kzg_to_versioned_hash;
use alloy_primitives::B256;
use blst::min_pk::PublicKey;

use super::candidate::Candidate;
use crate::{
    meter::{Budget, BudgetExceeded},
    transaction::SuppliedFields,
};

/// Bytes of a compressed point.
const POINT: usize = 48;
/// Bytes of an ABI word, of a function selector, and of the zeros before half a point.
const WORD: usize = 32;
const SELECTOR: usize = 4;
const PADDING: usize = WORD - POINT / 2;

/// Pieces of calldata that are tried for a point. Calldata of a rollup has some thousands that begin as a point does.
const MOST_TRIED: usize = 16_384;
/// Gas that a piece counts for: 0.1 ms, twice what the recovery of a sender takes.
const PIECE_GAS: u64 = 6_000;
/// Hashes that are arranged. A block carries at most 21 blobs, and beside each commitment there is a proof, which is a point too.
const MOST_HASHES: usize = 64;
/// Commitments stand one after the other, or each with its proof.
const MOST_STRIDE: usize = 2;

/// The versioned hashes of all points in calldata: cut ones first, then whole ones, each by position.
pub(super) fn hashes(calldata: &[u8], budget: &Budget<'_>) -> Result<Vec<B256>, BudgetExceeded> {
    let words: Vec<&[u8]> = calldata.get(SELECTOR..).unwrap_or_default().chunks_exact(WORD).collect();
    let halves = words.windows(2).flat_map(|pair| {
        let (first, second) = (pair[0], pair[1]);
        [halved(first, second), halved(second, first)]
    });
    let whole = calldata.windows(POINT).map(|window| <[u8; POINT]>::try_from(window).ok());
    let likely = halves.chain(whole).flatten().filter(|bytes| begins_like_a_point(bytes[0]));
    let (mut seen, mut hashes) = (HashSet::new(), Vec::new());
    for piece in likely.take(MOST_TRIED) {
        budget.charge(PIECE_GAS)?;
        if PublicKey::key_validate(&piece).is_err() {
            continue;
        }
        let hash = kzg_to_versioned_hash(&piece);
        if hashes.len() < MOST_HASHES && seen.insert(hash) {
            hashes.push(hash);
        }
    }
    Ok(hashes)
}

/// Whether a first byte has the flag of compression, not that of infinity, and then no more than the field's modulus (0x1a...).
const fn begins_like_a_point(byte: u8) -> bool {
    byte & 0xc0 == 0x80 && byte & 0x1f <= 0x1a
}

fn halved(high: &[u8], low: &[u8]) -> Option<[u8; POINT]> {
    let (zeros, high) = high.split_at_checked(PADDING)?;
    let (others, low) = low.split_at_checked(PADDING)?;
    let padded = zeros.iter().chain(others).all(|byte| *byte == 0);
    padded.then(|| [high, low].concat().try_into().ok()).flatten()
}

/// Candidates whose first `found` hashes are in the calldata, with stand-ins behind them up to the number of `stand_ins`.
///
/// Several hashes are taken at equal distances in the order of the calldata.
pub(super) fn candidates(hashes: &[B256], stand_ins: &SuppliedFields, found: usize) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let strides = if found == 1 { 1 } else { MOST_STRIDE };
    for stride in 1..=strides {
        for first in 0..hashes.len().saturating_sub((found - 1) * stride) {
            let mut fields = stand_ins.clone();
            let progression = hashes.iter().skip(first).step_by(stride);
            for (place, hash) in fields.blob_hashes.iter_mut().take(found).zip(progression) {
                *place = *hash;
            }
            candidates.push(Candidate { fields, found });
        }
    }
    candidates
}
