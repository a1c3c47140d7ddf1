//! The producer's receipts and their logs.

use super::{
    error::{Locate, Read},
    text::{ADDRESS_BYTES, HASH_BYTES},
    wire::Wire,
};
use crate::{Log, Receipt};

/// A hash, an address and four fields of a byte.
const RECEIPT_MIN_BYTES: usize = HASH_BYTES + ADDRESS_BYTES + 4;
/// Two hashes, an address and six fields of a byte.
const LOG_MIN_BYTES: usize = 2 * HASH_BYTES + ADDRESS_BYTES + 6;

pub(super) fn read_all(wire: &mut Wire<'_>) -> Read<Vec<Receipt>> {
    wire.array(RECEIPT_MIN_BYTES, read)
}

fn read(wire: &mut Wire<'_>) -> Read<Receipt> {
    Ok(Receipt {
        post_state_or_status: wire.base64().at("PostStateOrStatus")?,
        cumulative_gas_used: wire.long().at("CumulativeGasUsed")?,
        tx_hash: wire.hash().at("TxHash")?,
        contract_address: wire.address().at("ContractAddress")?,
        logs: wire.array(LOG_MIN_BYTES, read_log).at("Logs")?,
        gas_used: wire.long().at("GasUsed")?,
    })
}

fn read_log(wire: &mut Wire<'_>) -> Read<Log> {
    Ok(Log {
        address: wire.address().at("address")?,
        topics: wire.array(HASH_BYTES, Wire::hash).at("topics")?,
        data: wire.base64().at("data")?,
        block_number: wire.long().at("blockNumber")?,
        transaction_hash: wire.hash().at("transactionHash")?,
        transaction_index: wire.long().at("transactionIndex")?,
        block_hash: wire.hash().at("blockHash")?,
        log_index: wire.long().at("logIndex")?,
        removed: wire.boolean().at("removed")?,
    })
}
