//! Which rules a chain follows at which block: configuration, not code.

mod builtin;
mod geth;

pub use alloy_eips::eip7840::BlobParams;
pub use geth::ChainConfigError;

use std::collections::BTreeMap;

use alloy_primitives::Address;
use revm::primitives::hardfork::SpecId;

use crate::error::Unsupported;

/// The fork schedule of one chain, from the merge on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainSpec {
    chain_id: u64,
    deposit_contract: Address,
    /// Height of the first proof-of-stake block.
    paris_height: u64,
    /// Ascending in time and in fork; a fork that is not scheduled is not here.
    forks: Vec<(u64, SpecId)>,
    /// Ascending in time, from Cancun on.
    blobs: Vec<(u64, BlobParams)>,
}

impl ChainSpec {
    /// The chain with this id, if its schedule is built in: mainnet, sepolia, holesky and hoodi.
    pub fn builtin(chain_id: u64) -> Option<Self> {
        builtin::ALL.iter().find(|chain| chain.chain_id == chain_id).map(builtin::Chain::spec)
    }

    /// Reads a geth-style chain config, or a genesis file that holds one under `config`.
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

    /// The fork that a block follows. Total difficulty plays no part: specimens do not carry it reliably.
    pub fn spec_id(&self, height: u64, timestamp: u64) -> Result<SpecId, Unsupported> {
        let timed = self.forks.iter().rev().find(|(since, _)| *since <= timestamp).map(|(_, fork)| *fork);
        match timed {
            Some(fork) if fork > NEWEST_EXECUTED => Err(Unsupported::Fork { height, fork: fork.into() }),
            Some(fork) => Ok(fork),
            None if height >= self.paris_height => Ok(SpecId::MERGE),
            None => Err(Unsupported::BeforeParis { height }),
        }
    }

    /// The blob parameters in force at a time; `None` before Cancun.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        self.blobs.iter().rev().find(|(since, _)| *since <= timestamp).map(|(_, params)| *params)
    }
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
