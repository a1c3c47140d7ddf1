//! The producer's receipts and their logs.

use alloy_primitives::B256;

use super::{
    error::{Locate, Read},
    text::{ADDRESS_BYTES, HASH_BYTES},
    wire::{Before, Wire},
};
use crate::{Log, Receipt};

/// A hash, an address and four fields of a byte.
const RECEIPT_MIN_BYTES: usize = HASH_BYTES + ADDRESS_BYTES + 4;
/// Two hashes, an address and six fields of a byte.
const LOG_MIN_BYTES: usize = 2 * HASH_BYTES + ADDRESS_BYTES + 6;

pub(super) fn read_all(wire: &mut Wire<'_>) -> Read<Vec<Receipt>> {
    let mut position = Position::default();
    wire.array(RECEIPT_MIN_BYTES, |wire| read(wire, &mut position))
}

/// The position that a log states, mostly as the log before.
#[derive(Default)]
struct Position<'a> {
    transaction_hash: Before<'a, B256>,
    block_hash: Before<'a, B256>,
}

fn read<'a>(wire: &mut Wire<'a>, position: &mut Position<'a>) -> Read<Receipt> {
    Ok(Receipt {
        post_state_or_status: wire.base64().at("PostStateOrStatus")?,
        cumulative_gas_used: wire.long().at("CumulativeGasUsed")?,
        tx_hash: wire.hash().at("TxHash")?,
        contract_address: wire.address().at("ContractAddress")?,
        logs: wire.array(LOG_MIN_BYTES, |wire| read_log(wire, position)).at("Logs")?,
        gas_used: wire.long().at("GasUsed")?,
    })
}

fn read_log<'a>(wire: &mut Wire<'a>, position: &mut Position<'a>) -> Read<Log> {
    Ok(Log {
        address: wire.address().at("address")?,
        topics: wire.array(HASH_BYTES, Wire::hash).at("topics")?,
        data: wire.base64().at("data")?,
        block_number: wire.long().at("blockNumber")?,
        transaction_hash: wire.repeated(&mut position.transaction_hash, Wire::hash).at("transactionHash")?,
        transaction_index: wire.long().at("transactionIndex")?,
        block_hash: wire.repeated(&mut position.block_hash, Wire::hash).at("blockHash")?,
        log_index: wire.long().at("logIndex")?,
        removed: wire.boolean().at("removed")?,
    })
}
