//! Era D, from 24 April 2024 (v1.3.1): blob transactions as they are, and signatures printed.

use std::borrow::Cow;

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use refiner_specimen::{Block, Transaction};

use super::{era::EvmServer, era_c};
use crate::{
    chain::ChainSpec,
    error::{ExecuteError, Unsupported},
    fork_profile::ForkProfile,
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules,
    transaction,
    manufactured_header: era_c::manufactured_header,
    knows_merge: true,
    blob_gas_is_checked: true,
    printed_header: era_c::printed_header,
    prints_signatures: true,
    has_withdrawals: true,
    has_blobs: true,
    has_requests: false,
};

/// Blob gas of six blobs: the most that the server sold to the transactions of a block.
const BLOB_POOL: u64 = 6 * DATA_GAS_PER_BLOB;

pub(super) fn rules(chain: &ChainSpec, block: &Block) -> Result<ForkProfile, ExecuteError> {
    Ok(ForkProfile { blob_pool: Some(BLOB_POOL), ..era_c::cancun_rules(chain, block)? })
}

fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    up_to_blobs(transaction, position, ResultFormat::EvmServer(Era::D))
}

/// A type-3 transaction made the server panic when it had no blob fee cap, as in layouts before 0.37, or no receiver.
pub(super) fn up_to_blobs(
    transaction: &Transaction,
    position: usize,
    format: ResultFormat,
) -> Result<Cow<'_, Transaction>, Unsupported> {
    match transaction.tx_type {
        0..=2 => Ok(Cow::Borrowed(transaction)),
        3 if transaction.to.is_none() => {
            Err(Unsupported::ContractCreation { transaction: position, tx_type: 3, format })
        }
        3 if transaction.blob_fee_cap.is_some() => Ok(Cow::Borrowed(transaction)),
        3 => Err(Unsupported::BlobFeeCapMissing { transaction: position, format }),
        tx_type => Err(Unsupported::TransactionType { transaction: position, tx_type, format: format.as_str() }),
    }
}
