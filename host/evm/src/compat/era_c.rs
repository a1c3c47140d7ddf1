//! Era C, from 14 March 2024: Cancun, in which a blob transaction passed for a dynamic-fee one.

use std::borrow::Cow;

use alloy_consensus::Header;
use refiner_specimen::{Block, Transaction};
use revm::primitives::hardfork::SpecId;

use super::{
    era::{CancunFields, EvmServer, PrintedHeader},
    era_b,
    synthetic_header::SyntheticHeader,
};
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::{BlobTransactions, ForkProfile},
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules: |chain, block| {
        Ok(ForkProfile { blob_transactions: BlobTransactions::DynamicFee, ..cancun_rules(chain, block)? })
    },
    transaction,
    manufactured_header,
    knows_merge: true,
    blob_gas_is_checked: false,
    printed_header,
    prints_signatures: false,
    has_withdrawals: true,
    has_blobs: false,
    has_requests: false,
};

/// The server's chain configuration ended at Cancun, so it executed later blocks by Cancun's rules.
pub(super) fn cancun_rules(chain: &ChainSpec, block: &Block) -> Result<ForkProfile, ExecuteError> {
    Ok(ForkProfile::evm_server(chain, block, chain.spec_of(&block.header)?.min(SpecId::CANCUN)))
}

/// A type-3 transaction becomes one of type 2 and loses its signature.
fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    match transaction.tx_type {
        0..=2 => Ok(Cow::Borrowed(transaction)),
        3 => Ok(Cow::Owned(Transaction { tx_type: 2, v: None, r: None, s: None, ..transaction.clone() })),
        tx_type => Err(Unsupported::TransactionType {
            transaction: position,
            tx_type,
            format: ResultFormat::EvmServer(Era::C).as_str(),
        }),
    }
}

pub(super) fn manufactured_header(block: &Block) -> Header {
    Header {
        blob_gas_used: block.header.blob_gas_used,
        excess_blob_gas: block.header.excess_blob_gas,
        parent_beacon_block_root: block.header.parent_beacon_block_root,
        ..era_b::manufactured_header(block)
    }
}

/// The block's own header, but for the root of what the server took the transactions for.
pub(super) fn printed_header<'a>(block: &'a Block, manufactured: &SyntheticHeader) -> PrintedHeader<'a> {
    let header = &block.header;
    PrintedHeader {
        parent_hash: header.parent_hash,
        ommers_hash: manufactured.ommers_hash,
        beneficiary: header.beneficiary,
        state_root: header.state_root,
        transactions_root: manufactured.transactions_root,
        receipts_root: header.receipts_root,
        logs_bloom: header.logs_bloom,
        difficulty: Some(header.difficulty),
        number: header.number,
        gas_limit: header.gas_limit,
        timestamp: header.timestamp,
        extra_data: Some(&header.extra_data),
        mix_hash: header.mix_hash,
        base_fee: Some(header.base_fee_per_gas.unwrap_or_default()),
        withdrawals_root: Some(header.withdrawals_root),
        cancun: Some(CancunFields {
            blob_gas_used: header.blob_gas_used,
            excess_blob_gas: header.excess_blob_gas,
            parent_beacon_block_root: header.parent_beacon_block_root,
        }),
        requests_hash: None,
    }
}
