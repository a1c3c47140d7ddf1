//! Facts from the proof chain, in the journal's terms.

use alloy_primitives::B256;

/// A specimen that the proof chain agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Chain the specimen is of.
    pub chain: u64,
    /// Number of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// sha256 of the quoted base64 of its bytes.
    pub specimen_hash: B256,
    /// Block of the proof chain that holds the announcement.
    pub announced_in: u64,
}

/// A block of the proof chain that scanning has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the block.
    pub number: u64,
    /// Hash of the block.
    pub hash: B256,
}

/// A rule that every announced specimen is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Identity of component, parameters, limits and engine.
    pub rule: B256,
    /// The rule's name, for people.
    pub name: String,
    /// Whether its result is proved on chain. At most one rule's can be: the contract takes one result per specimen and operator.
    pub proves: bool,
}
