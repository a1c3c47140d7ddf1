//! The producer's receipts and their logs.

use super::{
    error::{Encoded, Locate},
    writer::Writer,
};
use crate::{Log, Receipt};

pub(super) fn write(out: &mut Writer, receipt: &Receipt) -> Encoded<()> {
    out.base64(&receipt.post_state_or_status);
    out.long(receipt.cumulative_gas_used).at("CumulativeGasUsed")?;
    out.hex(receipt.tx_hash);
    out.hex(receipt.contract_address);
    out.array(&receipt.logs, log).at("Logs")?;
    out.long(receipt.gas_used).at("GasUsed")
}

fn log(out: &mut Writer, log: &Log) -> Encoded<()> {
    out.hex(log.address);
    out.hexes(&log.topics)?;
    out.base64(&log.data);
    out.long(log.block_number).at("blockNumber")?;
    out.hex(log.transaction_hash);
    out.long(log.transaction_index).at("transactionIndex")?;
    out.hex(log.block_hash);
    out.long(log.log_index).at("logIndex")?;
    out.boolean(log.removed);
    Ok(())
}
