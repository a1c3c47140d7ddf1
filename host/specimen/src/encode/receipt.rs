//! The producer's receipts and their logs.

use apache_avro::types::Value;

use super::{error::Say, fields::Fields, scalar};
use crate::{Layout, Log, Receipt};

pub(super) fn value(receipt: &Receipt, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.base64("PostStateOrStatus", &receipt.post_state_or_status);
    fields.long("CumulativeGasUsed", receipt.cumulative_gas_used)?;
    fields.hash("TxHash", receipt.tx_hash);
    fields.hash("ContractAddress", receipt.contract_address);
    fields.array("Logs", &receipt.logs, |log| log_value(log, layout))?;
    fields.long("GasUsed", receipt.gas_used)?;
    Ok(fields.record())
}

fn log_value(log: &Log, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.hash("address", log.address);
    fields.put("topics", Value::Array(log.topics.iter().map(scalar::hex).collect()));
    fields.base64("data", &log.data);
    fields.long("blockNumber", log.block_number)?;
    fields.hash("transactionHash", log.transaction_hash);
    fields.long("transactionIndex", log.transaction_index)?;
    fields.hash("blockHash", log.block_hash);
    fields.long("logIndex", log.log_index)?;
    fields.put("removed", Value::Boolean(log.removed));
    Ok(fields.record())
}
