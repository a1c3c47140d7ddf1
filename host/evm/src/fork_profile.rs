//! Everything that differs between canonical execution and the evm-server's eras, as plain data.
//!
//! One runner ([`crate::runner::run`]) reads these and knows neither word.

use alloy_primitives::{Address, B256, U256};
use refiner_specimen::{
    Block,
    check::{Check, CheckName, Quantity, Subject},
};
use revm::primitives::hardfork::SpecId;

use crate::{
    chain::{BlobParams, ChainSpec, sealer},
    error::{ExecuteError, Rejected},
};

/// The rules one block is executed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForkProfile {
    /// Result of CHAINID, and the chain id that a transaction must have.
    pub(crate) chain_id: u64,
    pub(crate) spec: SpecId,
    /// The blob schedule in force; `None` before Cancun.
    pub(crate) blobs: Option<BlobParams>,
    /// Result of PREVRANDAO (Paris and later).
    pub(crate) prevrandao: B256,
    /// Result of DIFFICULTY (before Paris).
    pub(crate) difficulty: U256,
    /// The account that gets the fees and that COINBASE answers.
    pub(crate) beneficiary: Address,
    /// Wei added to the miner's balance after the transactions, the measure of its ommers' rewards too; zero where no work
    /// is proven.
    pub(crate) block_reward: U256,
    /// EIP-779: move the DAO's balances before the transactions.
    pub(crate) dao_refund: bool,
    /// Whether the block's withdrawals are credited.
    pub(crate) withdrawals: bool,
    /// EIP-4788: store the parent beacon block root before the transactions.
    pub(crate) beacon_root_call: bool,
    /// EIP-2935: store the parent hash before the transactions.
    pub(crate) parent_hash_call: bool,
    /// EIP-7685: collect requests after the transactions, deposits being the logs of this contract.
    pub(crate) requests: Option<Address>,
    /// Before Byzantium: receipts hold the state's root after their transaction in the place of a status.
    pub(crate) receipts_hold_states: bool,
    /// The meaning of a row about an account without nonce, balance and code.
    pub(crate) empty_rows: EmptyRows,
    /// EIP-7610: storage alone makes a creation at its address collide.
    pub(crate) storage_collides: bool,
    /// The stand-in for code that the specimen does not carry.
    pub(crate) missing_code: MissingCode,
    /// The hashes that BLOCKHASH answers with.
    pub(crate) block_hashes: BlockHashes,
    /// Treatment of type-3 transactions.
    pub(crate) blob_transactions: BlobTransactions,
    /// Treatment of a transaction that the fork does not allow.
    pub(crate) invalid_transaction: InvalidTransaction,
    /// Blob gas that the transactions of a block may buy, where that is not the schedule's concern.
    pub(crate) blob_pool: Option<u64>,
}

/// The code of an account that has a code hash and no code in the specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingCode {
    /// A one-byte stub, so EXTCODESIZE is not zero; EXTCODEHASH answers the account's own hash.
    Stub,
    /// A stub of the size that the code of a delegated account has (EIP-7702).
    DelegationStub,
    /// Nothing: the account becomes one without code, and its hash that of empty code.
    Empty,
}

/// The origin of recent blocks' hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockHashes {
    /// The parent's is the header's; another is that of its row, and unknown where the row states zero.
    OfTheChain,
    /// Each is that of its row.
    AsRecorded,
}

/// The meaning of a row about an account without nonce, balance and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyRows {
    /// The account exists, as such accounts could before EIP-161.
    Exist,
    /// There is no such account.
    DoNotExist,
}

/// Treatment of type-3 transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlobTransactions {
    /// As itself. Where the layout drops the blob hashes, as many dummies as the header's blob gas pays for.
    Blob,
    /// As a type-2 transaction with the same fees: no blob fee, and BLOBHASH answers zero.
    DynamicFee,
}

/// Treatment of a transaction that the fork does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidTransaction {
    /// The whole block is rejected.
    RejectsBlock,
    /// It has no receipt and the block continues; gas that it bought stays bought. Gas is sold by [`crate::sale`].
    IsLeftOut,
    /// It has no receipt and no effect, in a hypothetical block that follows the rules of the chain. Nonces are checked.
    IsExcluded,
}

impl ForkProfile {
    /// The profile of the chain itself.
    pub(crate) fn canonical(chain: &ChainSpec, block: &Block) -> Result<Self, ExecuteError> {
        let header = &block.header;
        let merged = chain.is_proof_of_stake(header);
        if merged && !header.difficulty.is_zero() {
            let difficulty = (Quantity::Big(header.difficulty), Quantity::Big(U256::ZERO));
            let subject = Subject::Field("difficulty");
            let failed = Check::failure(CheckName::HeaderRules, subject, difficulty.0, difficulty.1);
            return Err(Rejected::CheckFailed(failed).into());
        }
        let spec = chain.spec_of(header)?;
        let enabled = |fork: SpecId| spec.is_enabled_in(fork);
        let sealed = !merged && chain.is_clique();
        Ok(Self {
            chain_id: chain.chain_id(),
            spec,
            blobs: chain.blob_params(header.timestamp).filter(|_| enabled(SpecId::CANCUN)),
            prevrandao: header.mix_hash,
            difficulty: header.difficulty,
            beneficiary: if sealed {
                sealer(header).ok_or(Rejected::HeaderField { field: "seal in extraData" })?
            } else {
                header.beneficiary
            },
            block_reward: if merged || sealed { U256::ZERO } else { ethash_reward(spec) },
            dao_refund: chain.dao_refund() == Some(header.number),
            withdrawals: enabled(SpecId::SHANGHAI),
            beacon_root_call: enabled(SpecId::CANCUN),
            parent_hash_call: enabled(SpecId::PRAGUE),
            requests: enabled(SpecId::PRAGUE).then(|| chain.deposit_contract()),
            receipts_hold_states: !enabled(SpecId::BYZANTIUM),
            empty_rows: if enabled(SpecId::SPURIOUS_DRAGON) { EmptyRows::DoNotExist } else { EmptyRows::Exist },
            storage_collides: true,
            missing_code: MissingCode::Stub,
            block_hashes: BlockHashes::OfTheChain,
            blob_transactions: BlobTransactions::Blob,
            invalid_transaction: InvalidTransaction::RejectsBlock,
            blob_pool: None,
        })
    }

    /// The settings that every era of the evm-server had in common: the rules of a fork. The difficulty alone decided
    /// whether a block proves work, and then answered DIFFICULTY and PREVRANDAO alike.
    pub(crate) fn evm_server(chain: &ChainSpec, block: &Block, spec: SpecId) -> Self {
        let header = &block.header;
        let works = !header.difficulty.is_zero();
        let seed = if works { header.difficulty } else { header.mix_hash.into() };
        Self {
            chain_id: chain.chain_id(),
            spec,
            blobs: spec.is_enabled_in(SpecId::CANCUN).then(BlobParams::cancun),
            prevrandao: seed.into(),
            difficulty: seed,
            beneficiary: header.beneficiary,
            block_reward: if works { ethash_reward(spec) } else { U256::ZERO },
            dao_refund: chain.dao_refund() == Some(header.number),
            withdrawals: !works,
            beacon_root_call: spec.is_enabled_in(SpecId::CANCUN),
            parent_hash_call: false,
            requests: None,
            receipts_hold_states: false,
            empty_rows: EmptyRows::DoNotExist,
            storage_collides: false,
            missing_code: MissingCode::Empty,
            block_hashes: BlockHashes::AsRecorded,
            blob_transactions: BlobTransactions::Blob,
            invalid_transaction: InvalidTransaction::IsLeftOut,
            blob_pool: None,
        }
    }

    /// Rewards of the miners of the block and of its ommers, in wei.
    pub(crate) fn rewards(&self, block: &Block) -> Vec<(Address, U256)> {
        if self.block_reward.is_zero() {
            return Vec::new();
        }
        let ommers = block.uncles.as_deref().unwrap_or_default();
        let nephew = self.block_reward / U256::from(NEPHEW_SHARE) * U256::from(ommers.len());
        let mut rewards = vec![(self.beneficiary, self.block_reward + nephew)];
        for ommer in ommers {
            let age = block.header.number.saturating_sub(ommer.number);
            let eighths = U256::from(OMMER_SHARES.saturating_sub(age));
            rewards.push((ommer.beneficiary, self.block_reward * eighths / U256::from(OMMER_SHARES)));
        }
        rewards
    }
}

/// Each ommer adds a 32nd of the reward to that of the block, and loses an eighth of its own a generation.
const NEPHEW_SHARE: u64 = 32;
const OMMER_SHARES: u64 = 8;

/// The static reward of a block that proves work: 5 ETH, 3 by EIP-649, 2 by EIP-1234.
pub(crate) fn ethash_reward(spec: SpecId) -> U256 {
    const WEI_PER_ETH: u64 = 1_000_000_000_000_000_000;
    let eth = if spec >= SpecId::PETERSBURG {
        2
    } else if spec >= SpecId::BYZANTIUM {
        3
    } else {
        5
    };
    U256::from(eth) * U256::from(WEI_PER_ETH)
}

#[cfg(test)]
mod tests;
