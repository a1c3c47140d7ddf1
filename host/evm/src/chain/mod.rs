//! The rules that a chain follows at each block: configuration, not code.

mod builtin;
mod clique;
mod geth;

pub use alloy_eips::eip7840::BlobParams;
pub use geth::ChainConfigError;

use std::{collections::BTreeMap, ops::Range};

use alloy_consensus::Header;
use alloy_primitives::Address;
use revm::primitives::hardfork::SpecId;

pub(crate) use clique::sealer;

use crate::error::Unsupported;

/// The fork schedule of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    chain_id: u64,
    deposit_contract: Address,
    merge: Merge,
    before_merge: BeforeMerge,
    /// Forks after the merge, ascending in time and in fork; one that is not scheduled is absent.
    forks: Vec<(u64, SpecId)>,
    /// Ascending in time, from Cancun on.
    blobs: Vec<(u64, BlobParams)>,
}

/// The end of proof of work or authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Merge {
    /// The first proof-of-stake block has this height.
    At(u64),
    /// The chain merges at a height that its config does not state: a block is after it when its difficulty is zero.
    ByDifficulty,
    /// The chain does not merge.
    Never,
}

/// The schedule of a chain up to its merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct BeforeMerge {
    /// Ascending in height and in fork, from Homestead to London; Frontier is what precedes them.
    forks: Vec<(u64, SpecId)>,
    /// Height from which signatures may name a chain; `None` is never.
    eip155: Option<u64>,
    /// Height of the DAO's irregular state change, on a chain that made it.
    dao_refund: Option<u64>,
    /// Heights under Constantinople without Petersburg. Its storage gas, EIP-1283, is in no other fork.
    constantinople: Range<u64>,
    /// Blocks are sealed by authorities, EIP-225.
    clique: bool,
}

impl ChainSpec {
    /// The chain with this id, if its schedule is built in: mainnet, sepolia, holesky and hoodi.
    pub fn builtin(chain_id: u64) -> Option<Self> {
        builtin::ALL.iter().find(|chain| chain.chain_id == chain_id).map(builtin::Chain::spec)
    }

    /// Reads a geth-style chain config, or a genesis file that holds one under `config`.
    ///
    /// A fork without a key is not scheduled. Only on a chain that merges may keys of forks up to London be absent, as
    /// they are in the configs of chains that start merged: such a fork begins with the one before it, or at genesis.
    pub fn from_geth_json(json: &str) -> Result<Self, ChainConfigError> {
        geth::parse(json)
    }

    /// The chain id, EIP-155.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The contract whose logs are deposit requests, EIP-6110.
    pub const fn deposit_contract(&self) -> Address {
        self.deposit_contract
    }

    /// The fork of a block at this height and time. Where the config does not state the merge's height, the block is
    /// taken to be after it; [`Self::spec_of`] asks the header.
    pub fn spec_id(&self, height: u64, timestamp: u64) -> Result<SpecId, Unsupported> {
        let merged = match self.merge {
            Merge::At(first) => height >= first,
            Merge::ByDifficulty => true,
            Merge::Never => false,
        };
        self.fork(height, timestamp, merged)
    }

    /// The fork of a block with this header.
    pub fn spec_of(&self, header: &Header) -> Result<SpecId, Unsupported> {
        self.fork(header.number, header.timestamp, self.is_proof_of_stake(header))
    }

    fn fork(&self, height: u64, timestamp: u64, merged: bool) -> Result<SpecId, Unsupported> {
        if !merged {
            return self.before_merge.fork(height);
        }
        match newest(&self.forks, timestamp) {
            Some(fork) if fork > NEWEST_EXECUTED => Err(Unsupported::Fork { height, fork: fork.into() }),
            fork => Ok(fork.unwrap_or(SpecId::MERGE)),
        }
    }

    /// The blob parameters in force at a time; `None` before Cancun.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        newest(&self.blobs, timestamp)
    }

    /// True for a block after the merge, by its height where the schedule states the merge's, else by its difficulty.
    /// Total difficulty plays no part: specimens do not carry it reliably.
    pub fn is_proof_of_stake(&self, header: &Header) -> bool {
        match self.merge {
            Merge::At(first) => header.number >= first,
            Merge::ByDifficulty => header.difficulty.is_zero(),
            Merge::Never => false,
        }
    }

    /// True when authorities seal the blocks before the merge, EIP-225: such a header's `extraData` ends with a
    /// signature of 65 bytes, and its miner is a candidate that the sealer votes on.
    pub const fn is_clique(&self) -> bool {
        self.before_merge.clique
    }

    /// True when a signature in a block at this height may name the chain, EIP-155.
    pub fn eip155_from(&self, height: u64) -> bool {
        self.before_merge.eip155.is_some_and(|since| since <= height)
    }

    /// Height of the block that moves the DAO's balances, EIP-779, on a chain that did.
    pub const fn dao_refund(&self) -> Option<u64> {
        self.before_merge.dao_refund
    }
}

impl BeforeMerge {
    fn fork(&self, height: u64) -> Result<SpecId, Unsupported> {
        if self.constantinople.contains(&height) {
            return Err(Unsupported::Fork { height, fork: "Constantinople" });
        }
        Ok(newest(&self.forks, height).unwrap_or(SpecId::FRONTIER))
    }
}

/// The last entry of an ascending schedule that has begun.
fn newest<T: Copy>(schedule: &[(u64, T)], now: u64) -> Option<T> {
    schedule.iter().rev().find(|(since, _)| *since <= now).map(|(_, entry)| *entry)
}

/// The newest fork whose rules are final; later ones are known by name and refused.
const NEWEST_EXECUTED: SpecId = SpecId::OSAKA;

/// Every chain that can be executed, by chain id.
#[derive(Clone, Debug)]
pub struct Chains(BTreeMap<u64, ChainSpec>);

impl Default for Chains {
    /// The built-in chains.
    fn default() -> Self {
        Self(builtin::ALL.iter().map(|chain| (chain.chain_id, chain.spec())).collect())
    }
}

impl Chains {
    /// Adds a chain, in the place of one with the same id.
    #[must_use]
    pub fn with(mut self, chain: ChainSpec) -> Self {
        self.0.insert(chain.chain_id, chain);
        self
    }

    /// The chain with this id.
    pub fn get(&self, chain_id: u64) -> Result<&ChainSpec, Unsupported> {
        self.0.get(&chain_id).ok_or(Unsupported::UnknownChain { network_id: chain_id })
    }
}

#[cfg(test)]
mod tests;
