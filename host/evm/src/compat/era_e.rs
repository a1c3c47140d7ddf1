//! Era E, May 2025: Prague's keys in the document, and still Cancun's rules in execution.

use std::borrow::Cow;

use refiner_specimen::{Block, Transaction};

use super::{
    era::{EvmServer, PrintedHeader},
    era_c, era_d,
    synthetic_header::SyntheticHeader,
};
use crate::{
    error::Unsupported,
    format::{Era, ResultFormat},
};

pub(super) const SERVER: EvmServer = EvmServer {
    rules: era_d::rules,
    transaction,
    manufactured_header: era_c::manufactured_header,
    knows_merge: true,
    blob_gas_is_checked: true,
    printed_header,
    prints_signatures: true,
    has_withdrawals: true,
    has_blobs: true,
    has_requests: true,
};

/// A type-4 transaction is understood and printed, but Cancun's rules reject it, so it has no receipt. Its hash is that of
/// an empty authorization list, for the producer exports none.
fn transaction(transaction: &Transaction, position: usize) -> Result<Cow<'_, Transaction>, Unsupported> {
    let format = ResultFormat::EvmServer(Era::E);
    match (transaction.tx_type, &transaction.authorization_list) {
        (4, None) => Ok(Cow::Borrowed(transaction)),
        (4, Some(_)) => Err(Unsupported::AuthorizationListPresent { transaction: position, format }),
        _ => era_d::up_to_blobs(transaction, position, format),
    }
}

/// The manufactured block's hash does not cover the requests hash.
fn printed_header<'a>(block: &'a Block, manufactured: &SyntheticHeader) -> PrintedHeader<'a> {
    PrintedHeader { requests_hash: Some(block.header.requests_hash), ..era_c::printed_header(block, manufactured) }
}
