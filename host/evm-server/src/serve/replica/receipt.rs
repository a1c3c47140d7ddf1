//! The producer's receipts and their logs.

use alloy_primitives::{Address, B256};
use refiner_specimen::{Log, Receipt};
use serde::Deserialize;

use super::text::{Base64, Text, list, values};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ReceiptJson {
    post_state_or_status: Text<Base64>,
    cumulative_gas_used: u64,
    tx_hash: Text<B256>,
    contract_address: Text<Address>,
    #[serde(deserialize_with = "list")]
    logs: Vec<LogJson>,
    gas_used: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogJson {
    address: Text<Address>,
    #[serde(deserialize_with = "list")]
    topics: Vec<Text<B256>>,
    data: Text<Base64>,
    block_number: u64,
    transaction_hash: Text<B256>,
    transaction_index: u64,
    block_hash: Text<B256>,
    log_index: u64,
    removed: bool,
}

impl From<ReceiptJson> for Receipt {
    fn from(json: ReceiptJson) -> Self {
        Self {
            post_state_or_status: json.post_state_or_status.0.0,
            cumulative_gas_used: json.cumulative_gas_used,
            tx_hash: json.tx_hash.0,
            contract_address: json.contract_address.0,
            logs: json.logs.into_iter().map(Log::from).collect(),
            gas_used: json.gas_used,
        }
    }
}

impl From<LogJson> for Log {
    fn from(json: LogJson) -> Self {
        Self {
            address: json.address.0,
            topics: values(json.topics),
            data: json.data.0.0,
            block_number: json.block_number,
            transaction_hash: json.transaction_hash.0,
            transaction_index: json.transaction_index,
            block_hash: json.block_hash.0,
            log_index: json.log_index,
            removed: json.removed,
        }
    }
}
