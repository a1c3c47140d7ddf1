//! Everything that differs between canonical execution and the evm-server's eras, as plain data.
//!
//! One runner ([`crate::runner::run`]) reads these and knows neither word.

use alloy_primitives::{Address, B256, U256};
use refiner_specimen::Block;
use revm::primitives::hardfork::SpecId;

use crate::{
    chain::{BlobParams, ChainSpec},
    error::Unsupported,
};

/// The rules one block is executed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockRules {
    /// What CHAINID answers, and what a transaction's chain id must be.
    pub(crate) chain_id: u64,
    /// The fork.
    pub(crate) spec: SpecId,
    /// The blob schedule in force; `None` before Cancun.
    pub(crate) blobs: Option<BlobParams>,
    /// What PREVRANDAO answers (Paris and later).
    pub(crate) prevrandao: B256,
    /// What DIFFICULTY answers (before Paris).
    pub(crate) difficulty: U256,
    /// Wei added to the coinbase after the transactions; zero on a proof-of-stake chain.
    pub(crate) coinbase_reward: U256,
    /// Whether the block's withdrawals are credited.
    pub(crate) withdrawals: bool,
    /// EIP-4788: store the parent beacon block root before the transactions.
    pub(crate) beacon_root_call: bool,
    /// EIP-2935: store the parent hash before the transactions.
    pub(crate) parent_hash_call: bool,
    /// EIP-7685: collect requests after the transactions, deposits being the logs of this contract.
    pub(crate) requests: Option<Address>,
    /// What stands in for code that the specimen does not carry.
    pub(crate) missing_code: MissingCode,
    /// How a type-3 transaction is executed.
    pub(crate) blob_transactions: BlobTransactions,
    /// What a transaction does that the fork does not allow.
    pub(crate) invalid_transaction: InvalidTransaction,
}

/// What an account with a code hash but without code in the specimen runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingCode {
    /// A one-byte stub, so EXTCODESIZE is not zero; EXTCODEHASH answers the account's own hash.
    Stub,
    /// Nothing: the account becomes one without code, and its hash that of empty code.
    Empty,
}

/// How a type-3 transaction is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlobTransactions {
    /// As itself. Where the layout drops the blob hashes, as many dummies as the header's blob gas says.
    Blob,
    /// As a type-2 transaction with the same fees: no blob fee, and BLOBHASH answers zero.
    DynamicFee,
}

/// What a transaction does that the fork does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidTransaction {
    /// The whole block is rejected.
    RejectsBlock,
    /// It has no effect and no receipt, and the block goes on.
    IsLeftOut,
}

impl BlockRules {
    /// What the chain really did.
    pub(crate) fn canonical(chain: &ChainSpec, block: &Block) -> Result<Self, Unsupported> {
        // Where a chain's config does not say at which height it merged, its headers do.
        if !block.header.difficulty.is_zero() {
            return Err(Unsupported::BeforeParis { height: block.header.number });
        }
        let spec = chain.spec_id(block.header.number, block.header.timestamp)?;
        let enabled = |fork: SpecId| spec.is_enabled_in(fork);
        Ok(Self {
            chain_id: chain.chain_id(),
            spec,
            blobs: chain.blob_params(block.header.timestamp).filter(|_| enabled(SpecId::CANCUN)),
            prevrandao: block.header.mix_hash,
            difficulty: U256::ZERO,
            coinbase_reward: U256::ZERO,
            withdrawals: enabled(SpecId::SHANGHAI),
            beacon_root_call: enabled(SpecId::CANCUN),
            parent_hash_call: enabled(SpecId::PRAGUE),
            requests: enabled(SpecId::PRAGUE).then(|| chain.deposit_contract()),
            missing_code: MissingCode::Stub,
            blob_transactions: BlobTransactions::Blob,
            invalid_transaction: InvalidTransaction::RejectsBlock,
        })
    }
}
