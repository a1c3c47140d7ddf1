//! Era D, from 24 April 2024 (v1.3.1): blob transactions as they are, and signatures printed.

use std::borrow::Cow;

use refiner_specimen::Transaction;

use super::{era::EvmServer, era_c};
use crate::{
    error::Unsupported,
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules: era_c::cancun_rules,
    transaction,
    manufactured_header: era_c::manufactured_header,
    printed_header: era_c::printed_header,
    prints_signatures: true,
    has_withdrawals: true,
    has_blobs: true,
    has_requests: false,
};

fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    up_to_blobs(transaction, position, ResultFormat::EvmServer(Era::D))
}

/// A type-3 transaction without a blob fee cap, as layouts before 0.37 have it, made the server panic.
pub(super) fn up_to_blobs(
    transaction: &Transaction,
    position: usize,
    format: ResultFormat,
) -> Result<Cow<'_, Transaction>, Unsupported> {
    match transaction.tx_type {
        0..=2 => Ok(Cow::Borrowed(transaction)),
        3 if transaction.blob_fee_cap.is_some() => Ok(Cow::Borrowed(transaction)),
        3 => Err(Unsupported::BlobFeeCapMissing { transaction: position, format }),
        tx_type => Err(Unsupported::TransactionType { transaction: position, tx_type, format: format.as_str() }),
    }
}
