//! The producer's receipts and their logs.

use alloy_primitives::{B256, Bytes};

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
    let mut logs = Logs::default();
    let mut receipts = wire.array(RECEIPT_MIN_BYTES, |wire| read(wire, &mut logs))?;
    logs.give_data_to(&mut receipts);
    Ok(receipts)
}

/// Data of a block's logs, and the positions that they repeat.
#[derive(Default)]
struct Logs<'a> {
    /// The position that a log states, mostly as the log before.
    transaction_hash: Before<'a, B256>,
    block_hash: Before<'a, B256>,
    /// The data of every log: a buffer for each would take an allocation here and another when it is first cloned.
    data: Vec<u8>,
    /// Ends of each log's data.
    ends: Vec<usize>,
}

impl Logs<'_> {
    fn give_data_to(self, receipts: &mut [Receipt]) {
        let data = Bytes::from(self.data);
        let mut start = 0;
        let logs = receipts.iter_mut().flat_map(|receipt| &mut receipt.logs);
        for (log, end) in logs.zip(self.ends) {
            log.data = data.slice(start..end);
            start = end;
        }
    }
}

fn read<'a>(wire: &mut Wire<'a>, logs: &mut Logs<'a>) -> Read<Receipt> {
    Ok(Receipt {
        post_state_or_status: wire.base64().at("PostStateOrStatus")?,
        cumulative_gas_used: wire.long().at("CumulativeGasUsed")?,
        tx_hash: wire.hash().at("TxHash")?,
        contract_address: wire.address().at("ContractAddress")?,
        logs: wire.array(LOG_MIN_BYTES, |wire| read_log(wire, logs)).at("Logs")?,
        gas_used: wire.long().at("GasUsed")?,
    })
}

/// Reads a log without its data, which [`Logs`] gives it when there is no further one.
fn read_log<'a>(wire: &mut Wire<'a>, logs: &mut Logs<'a>) -> Read<Log> {
    let (address, topics) = (wire.address().at("address")?, wire.array(HASH_BYTES, Wire::hash).at("topics")?);
    wire.base64_onto(&mut logs.data).at("data")?;
    logs.ends.push(logs.data.len());
    Ok(Log {
        address,
        topics,
        data: Bytes::new(),
        block_number: wire.long().at("blockNumber")?,
        transaction_hash: wire.repeated(&mut logs.transaction_hash, Wire::hash).at("transactionHash")?,
        transaction_index: wire.long().at("transactionIndex")?,
        block_hash: wire.repeated(&mut logs.block_hash, Wire::hash).at("blockHash")?,
        log_index: wire.long().at("logIndex")?,
        removed: wire.boolean().at("removed")?,
    })
}
