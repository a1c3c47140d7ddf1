//! The header against the block hash.

use super::{Check, CheckName, Quantity};
use crate::Specimen;

/// keccak256 of the header's RLP is the hash the block states.
pub fn block_hash(specimen: &Specimen) -> Check {
    let block = &specimen.block;
    Check::compare(CheckName::BlockHash, Quantity::Hash(block.hash), Quantity::Hash(block.header.hash_slow()))
}
