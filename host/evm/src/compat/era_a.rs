//! Era A, November 2022 to March 2023: London with a fake ethash, whatever the block.

use std::borrow::Cow;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bloom, U256};
use refiner_specimen::{Block, Transaction};
use revm::primitives::hardfork::SpecId;

use super::{
    era::{EvmServer, PrintedHeader},
    synthetic_header::{SyntheticHeader, bare_header},
};
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::ForkProfile,
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules,
    transaction,
    manufactured_header: bare_header,
    printed_header,
    prints_signatures: false,
    has_withdrawals: false,
    has_blobs: false,
    has_requests: false,
};

/// Wei that ethash paid to the miner of a block since Constantinople: 2 ETH.
const BLOCK_REWARD: U256 = U256::from_limbs([2_000_000_000_000_000_000, 0, 0, 0]);

/// Newest transaction type that the server knew; it panicked at others.
const NEWEST_TYPE: u8 = 2;

fn rules(chain: &ChainSpec, block: &Block) -> Result<ForkProfile, ExecuteError> {
    Ok(ForkProfile {
        spec: SpecId::LONDON,
        blobs: None,
        prevrandao: B256::ZERO,
        difficulty: U256::ZERO,
        block_reward: BLOCK_REWARD,
        withdrawals: false,
        beacon_root_call: false,
        parent_hash_call: false,
        requests: None,
        ..ForkProfile::evm_server(chain, block)?
    })
}

fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    let format = ResultFormat::EvmServer(Era::A);
    let tx_type = transaction.tx_type;
    match tx_type {
        0 | 1 if transaction.to.is_none() => {
            Err(Unsupported::ContractCreation { transaction: position, tx_type, format })
        }
        0..=NEWEST_TYPE => Ok(Cow::Borrowed(transaction)),
        _ => Err(Unsupported::TransactionType { transaction: position, tx_type, format: format.as_str() }),
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
        difficulty: "0x0",
        number: header.number,
        gas_limit: header.gas_limit,
        timestamp: header.timestamp,
        extra_data: None,
        mix_hash: B256::ZERO,
        base_fee: header.base_fee_per_gas.unwrap_or_default(),
        withdrawals_root: None,
        cancun: None,
        requests_hash: None,
    }
}
