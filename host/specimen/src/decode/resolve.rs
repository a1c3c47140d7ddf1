//! Header fields that a layout cannot express, found by the hashes that cover them.
//!
//! `baseFeePerGas` cannot be absent on the wire, so an absent one is written as zero. Layout 0.2 writes `difficulty` as
//! a double, which is off by one from 2^53 on. Nothing is hashed where neither leaves a doubt.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, proofs::calculate_ommers_root};
use alloy_primitives::{B256, U256};

use crate::{Block, Layout, double};

/// Ommers that a block can have, yellow paper section 11.1. The readings of more of them are too many to try.
const OMMERS_LIMIT: usize = 2;

/// Extra data that is hashed again for each of a hundred readings: of 800 clique signers, and 500 times what others have.
const EXTRA_DATA_LIMIT_BYTES: usize = 1 << 14;

/// Gives the header the reading by which it has the hash. Without one it stays as it stands on the wire.
pub(super) fn header(header: &mut Header, hash: B256, layout: Layout) {
    if !is_short(header) || !is_ambiguous(header, layout) {
        return;
    }
    let resolved = readings(header, layout).find(|reading| reading.hash_slow() == hash);
    if let Some(resolved) = resolved {
        *header = resolved;
    }
}

/// Gives the header and the ommers of a block the readings by which they have the hashes that the block states.
pub(super) fn block(block: &mut Block, layout: Layout) {
    header(&mut block.header, block.hash, layout);
    if let Some(uncles) = &mut block.uncles {
        ommers(uncles, block.header.ommers_hash, layout);
    }
}

fn ommers(ommers: &mut [Header], hash: B256, layout: Layout) {
    let few = ommers.len() <= OMMERS_LIMIT && ommers.iter().all(is_short);
    let ambiguous = few && ommers.iter().any(|ommer| is_ambiguous(ommer, layout));
    if !ambiguous || hash == EMPTY_OMMER_ROOT_HASH {
        return;
    }
    let resolved = match ommers {
        [only] => readings(only, layout).map(|only| vec![only]).find(|reading| calculate_ommers_root(reading) == hash),
        [first, second] => readings(first, layout)
            .flat_map(|first| readings(second, layout).map(move |second| vec![first.clone(), second]))
            .find(|reading| calculate_ommers_root(reading) == hash),
        _ => None,
    };
    if let Some(resolved) = resolved {
        ommers.clone_from_slice(&resolved);
    }
}

fn is_short(header: &Header) -> bool {
    header.extra_data.len() <= EXTRA_DATA_LIMIT_BYTES
}

fn is_ambiguous(header: &Header, layout: Layout) -> bool {
    header.base_fee_per_gas == Some(0) || is_rounded(header.difficulty, layout)
}

fn is_rounded(number: U256, layout: Layout) -> bool {
    layout.has_rounded_numbers() && number >= double::FIRST_ROUNDED
}

/// Everything that the wire form of a header can mean, itself first: at most ten headers.
fn readings(header: &Header, layout: Layout) -> impl Iterator<Item = Header> {
    let absent = (header.base_fee_per_gas == Some(0)).then_some(None);
    let base_fees = [header.base_fee_per_gas].into_iter().chain(absent);
    base_fees.flat_map(move |base_fee_per_gas| {
        difficulties(header.difficulty, layout).map(move |difficulty| Header {
            base_fee_per_gas,
            difficulty,
            ..header.clone()
        })
    })
}

/// The difficulty, and in 0.2 those that its double is nearest to: 76 of 76 real files have theirs within two of it.
fn difficulties(difficulty: U256, layout: Layout) -> impl Iterator<Item = U256> {
    let distances = (1..=double::RESOLVED_DISTANCE).filter(move |_| is_rounded(difficulty, layout)).map(U256::from);
    let others =
        distances.flat_map(move |distance| [difficulty.checked_sub(distance), difficulty.checked_add(distance)]);
    let others = others.flatten().filter(move |other| double::nearest(*other) == double::nearest(difficulty));
    [difficulty].into_iter().chain(others)
}
