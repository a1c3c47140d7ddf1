//! The chain that a node is checked against.

use alloy_primitives::Address;

use crate::announcement::BlockRef;

/// The chain and the contracts that every node must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub chain_id: u64,
    /// Addresses that have code, with their roles.
    pub contracts: [(Address, &'static str); 2],
    /// A block that was seen, and is too deep to be reorganised.
    pub checkpoint: Option<BlockRef>,
}
