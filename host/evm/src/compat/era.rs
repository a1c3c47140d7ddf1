//! Differences between the eras of the evm-server, as data.

use std::borrow::Cow;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bloom, U256, uint};
use refiner_specimen::{Block, Transaction};

use super::synthetic_header::SyntheticHeader;
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::ForkProfile,
};

/// One era of the evm-server.
#[derive(Debug)]
pub(super) struct EvmServer {
    /// By which rules it executed a block.
    pub(super) rules: fn(&ChainSpec, &Block) -> Result<ForkProfile, ExecuteError>,
    /// A transaction as the server took it, given its position in the block.
    pub(super) transaction: for<'a> fn(&'a Transaction, usize) -> Result<Cow<'a, Transaction>, Unsupported>,
    /// The header of the block that it manufactured; the transactions' root is filled in later.
    pub(super) manufactured_header: fn(&Block) -> Header,
    /// Whether it refused a difficulty in a block behind the merge.
    pub(super) knows_merge: bool,
    /// Whether it compared the blob gas of what it executed with the header's.
    pub(super) blob_gas_is_checked: bool,
    /// The header that it printed.
    pub(super) printed_header: for<'a> fn(&'a Block, &SyntheticHeader) -> PrintedHeader<'a>,
    /// Whether a transaction's v, r and s were printed, and not null in their place.
    pub(super) prints_signatures: bool,
    /// Whether there was a `Withdrawals` key, always null.
    pub(super) has_withdrawals: bool,
    /// Whether transactions had blob keys, and the document the block's sidecars.
    pub(super) has_blobs: bool,
    /// Whether there were Prague's keys: `Data` and `AuthList` in transactions and `RequestsHash` in the document, all of
    /// them always null.
    pub(super) has_requests: bool,
}

/// The total difficulty that ended mainnet's proof of work.
const TERMINAL_TOTAL_DIFFICULTY: U256 = uint!(58_750_000_000_000_000_000_000_U256);

/// Whether the server held a block for one after the merge, as it did by the total difficulty alone.
pub(super) fn is_after_merge(block: &Block) -> bool {
    block.total_difficulty >= TERMINAL_TOTAL_DIFFICULTY
}

impl PrintedHeader<'_> {
    /// The header of an uncle as the server made it up: a miner and a number, and the keys that its other headers have.
    pub(super) fn of_uncle(uncle: &Header, like: &PrintedHeader<'_>) -> Self {
        let nothing = CancunFields { blob_gas_used: None, excess_blob_gas: None, parent_beacon_block_root: None };
        Self {
            parent_hash: B256::ZERO,
            ommers_hash: B256::ZERO,
            beneficiary: uncle.beneficiary,
            state_root: B256::ZERO,
            transactions_root: B256::ZERO,
            receipts_root: B256::ZERO,
            logs_bloom: Bloom::ZERO,
            difficulty: None,
            number: uncle.number,
            gas_limit: 0,
            timestamp: 0,
            extra_data: None,
            mix_hash: B256::ZERO,
            base_fee: None,
            withdrawals_root: like.withdrawals_root.map(|_| None),
            cancun: like.cancun.is_some().then_some(nothing),
            requests_hash: like.requests_hash.map(|_| None),
        }
    }
}

impl EvmServer {
    /// The block's transactions as the server took them.
    pub(super) fn transactions<'a>(&self, block: &'a Block) -> Result<Vec<Cow<'a, Transaction>>, Unsupported> {
        block.transactions.iter().enumerate().map(|(position, tx)| (self.transaction)(tx, position)).collect()
    }
}

/// A header as it was printed. What is not here was the same in every era.
#[derive(Debug)]
pub(super) struct PrintedHeader<'a> {
    /// The field `parentHash` as printed.
    pub(super) parent_hash: B256,
    /// The field `sha3Uncles` as printed.
    pub(super) ommers_hash: B256,
    /// The field `miner` as printed.
    pub(super) beneficiary: Address,
    /// The field `stateRoot` as printed.
    pub(super) state_root: B256,
    /// The field `transactionsRoot` as printed.
    pub(super) transactions_root: B256,
    /// The field `receiptsRoot` as printed.
    pub(super) receipts_root: B256,
    /// The field `logsBloom` as printed.
    pub(super) logs_bloom: Bloom,
    /// The field `difficulty`; `None` is Go's text of a big integer that is nil.
    pub(super) difficulty: Option<U256>,
    /// The field `number` as printed.
    pub(super) number: u64,
    /// The field `gasLimit` as printed.
    pub(super) gas_limit: u64,
    /// The field `timestamp`, in seconds.
    pub(super) timestamp: u64,
    /// `extraData`; `None` is null.
    pub(super) extra_data: Option<&'a [u8]>,
    /// The field `mixHash` as printed.
    pub(super) mix_hash: B256,
    /// The field `baseFeePerGas`, in wei; `None` as for `difficulty`.
    pub(super) base_fee: Option<u64>,
    /// `withdrawalsRoot`, null when there is none; `None` leaves out the key.
    pub(super) withdrawals_root: Option<Option<B256>>,
    /// The keys that Cancun brought; `None` leaves them out.
    pub(super) cancun: Option<CancunFields>,
    /// `requestsHash`, null when there is none; `None` leaves out the key.
    pub(super) requests_hash: Option<Option<B256>>,
}

/// The header fields that Cancun brought; those that are absent are null.
#[derive(Debug)]
pub(super) struct CancunFields {
    /// The field `blobGasUsed` as printed.
    pub(super) blob_gas_used: Option<u64>,
    /// The field `excessBlobGas` as printed.
    pub(super) excess_blob_gas: Option<u64>,
    /// The field `parentBeaconBlockRoot` as printed.
    pub(super) parent_beacon_block_root: Option<B256>,
}
