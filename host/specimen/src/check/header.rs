//! The header against the block hash, and the ommers against the header.

use alloy_primitives::{B256, U256, keccak256};

use super::{Check, CheckName, Outcome, Quantity};
use crate::{Block, Specimen};

/// keccak256 of the header's RLP is the hash the block states.
pub fn block_hash(specimen: &Specimen) -> Check {
    let block = &specimen.block;
    Check::compare(CheckName::BlockHash, Quantity::Hash(block.hash), Quantity::Hash(block.header.hash_slow()))
}

/// Decoding restores a rounded difficulty of an ommer up to this; doubles above it are more than 2 apart from what they round.
const MOST_RESTORED: u64 = 1 << 55;

/// keccak256 of the RLP of the ommers is the header's; null ones count as none. Not checkable where the layout rounds their
/// difficulty by more than decoding can restore.
pub fn ommers_hash(specimen: &Specimen) -> Check {
    let name = CheckName::OmmersHash;
    let block = &specimen.block;
    let computed = hash_of_ommers(block);
    let rounded = block
        .uncles
        .iter()
        .flatten()
        .any(|ommer| specimen.is_rounded(ommer.difficulty) && ommer.difficulty > U256::from(MOST_RESTORED));
    if computed != block.header.ommers_hash && rounded {
        return Check { name, outcome: Outcome::NotCheckable("layout 0.2 rounds the difficulty of an ommer") };
    }
    Check::compare(name, Quantity::Hash(block.header.ommers_hash), Quantity::Hash(computed))
}

fn hash_of_ommers(block: &Block) -> B256 {
    let mut rlp = Vec::new();
    alloy_rlp::encode_list(block.uncles.as_deref().unwrap_or_default(), &mut rlp);
    keccak256(rlp)
}
