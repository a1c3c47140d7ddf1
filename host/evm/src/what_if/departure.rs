//! The place at which a hypothetical execution leaves what is known.

use std::fmt;

use alloy_primitives::{Address, B256};

/// A part of the state, or of what else a block can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateItem {
    /// An account, by its address.
    Account(Address),
    /// A storage slot of an account.
    Slot {
        /// Address of the account.
        address: Address,
        /// Number of the slot.
        slot: B256,
    },
    /// Code, by its keccak256.
    Code(B256),
    /// The hash of the block at a height.
    BlockHash(u64),
}

/// A part of the state that was needed and is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The transaction's position in the block; `None` outside of transactions.
    pub transaction: Option<u32>,
    /// The part that it reads.
    pub place: StateItem,
}

impl fmt::Display for StateItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The plain form of an address, as in every other text: its checksum is no part of it.
            Self::Account(address) => write!(f, "account {address:#x}"),
            Self::Slot { address, slot } => write!(f, "slot {slot} of {address:#x}"),
            Self::Code(hash) => write!(f, "code {hash}"),
            Self::BlockHash(number) => write!(f, "the hash of block {number}"),
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transaction {
            Some(index) => write!(f, "transaction {index} reads {}", self.place),
            None => write!(f, "a system call reads {}", self.place),
        }
    }
}
