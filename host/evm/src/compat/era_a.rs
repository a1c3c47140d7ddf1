//! Era A, November 2022 to March 2023: London with a fake ethash, whatever the block.

use std::borrow::Cow;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bloom};
use refiner_specimen::{Block, Transaction};
use revm::primitives::hardfork::SpecId;

use super::{
    era::{EvmServer, PrintedHeader},
    synthetic_header::{SyntheticHeader, bare_header},
};
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::{ForkProfile, ethash_reward},
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules,
    transaction,
    manufactured_header: bare_header,
    knows_merge: false,
    blob_gas_is_checked: false,
    printed_header,
    prints_signatures: false,
    has_withdrawals: false,
    has_blobs: false,
    has_requests: false,
};

/// Newest transaction type that the server knew; it panicked at others.
const NEWEST_TYPE: u8 = 2;

/// The server set no mix hash, so that PREVRANDAO is zero, and paid the miner of every block.
fn rules(chain: &ChainSpec, block: &Block) -> Result<ForkProfile, ExecuteError> {
    let spec = SpecId::LONDON;
    let seed = block.header.difficulty;
    Ok(ForkProfile {
        prevrandao: seed.into(),
        difficulty: seed,
        block_reward: ethash_reward(spec),
        dao_refund: false,
        withdrawals: false,
        ..ForkProfile::evm_server(chain, block, spec)
    })
}

fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    match transaction.tx_type {
        0..=NEWEST_TYPE => Ok(Cow::Borrowed(transaction)),
        tx_type => Err(Unsupported::TransactionType {
            transaction: position,
            tx_type,
            format: ResultFormat::EvmServer(Era::A).as_str(),
        }),
    }
}

/// Most of the block's header was forgotten on the way through the server's environment.
pub(super) fn printed_header<'a>(block: &'a Block, _: &SyntheticHeader) -> PrintedHeader<'a> {
    let header: &Header = &block.header;
    PrintedHeader {
        parent_hash: B256::ZERO,
        ommers_hash: header.ommers_hash,
        beneficiary: header.beneficiary,
        state_root: B256::ZERO,
        transactions_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        difficulty: Some(header.difficulty),
        number: header.number,
        gas_limit: header.gas_limit,
        timestamp: header.timestamp,
        extra_data: None,
        mix_hash: B256::ZERO,
        base_fee: Some(header.base_fee_per_gas.unwrap_or_default()),
        withdrawals_root: None,
        cancun: None,
        requests_hash: None,
    }
}
