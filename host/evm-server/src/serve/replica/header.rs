//! The header, of the block and of each uncle.

use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, U256};
use refiner_specimen::Layout;
use serde::Deserialize;

use super::text::{Base64, Octets, Since, Text, since, value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HeaderJson {
    parent_hash: Text<B256>,
    #[serde(rename = "sha3Uncles")]
    ommers_hash: Text<B256>,
    miner: Text<Address>,
    state_root: Text<B256>,
    transactions_root: Text<B256>,
    receipts_root: Text<B256>,
    logs_bloom: Octets<256>,
    difficulty: Text<U256>,
    number: Text<u64>,
    gas_limit: u64,
    gas_used: u64,
    timestamp: u64,
    extra_data: Text<Base64>,
    mix_hash: Text<B256>,
    nonce: Octets<8>,
    base_fee_per_gas: Text<u64>,
    #[serde(default, deserialize_with = "since")]
    withdrawals_root: Since<Text<B256>>,
    #[serde(default, deserialize_with = "since")]
    blob_gas_used: Since<u64>,
    #[serde(default, deserialize_with = "since")]
    excess_blob_gas: Since<u64>,
    #[serde(default, deserialize_with = "since")]
    parent_beacon_block_root: Since<Text<B256>>,
    #[serde(default, deserialize_with = "since")]
    requests_hash: Since<Text<B256>>,
}

impl HeaderJson {
    /// The oldest layout whose header has these keys.
    pub(super) const fn layout(&self) -> Layout {
        if self.requests_hash.is_some() {
            Layout::V0_38
        } else if self.blob_gas_used.is_some()
            || self.excess_blob_gas.is_some()
            || self.parent_beacon_block_root.is_some()
        {
            Layout::V0_36
        } else if self.withdrawals_root.is_some() {
            Layout::V0_32
        } else {
            Layout::V0_31
        }
    }
}

impl From<HeaderJson> for Header {
    fn from(json: HeaderJson) -> Self {
        Self {
            parent_hash: json.parent_hash.0,
            ommers_hash: json.ommers_hash.0,
            beneficiary: json.miner.0,
            state_root: json.state_root.0,
            transactions_root: json.transactions_root.0,
            receipts_root: json.receipts_root.0,
            logs_bloom: Bloom::new(json.logs_bloom.0),
            difficulty: json.difficulty.0,
            number: json.number.0,
            gas_limit: json.gas_limit,
            gas_used: json.gas_used,
            timestamp: json.timestamp,
            extra_data: json.extra_data.0.0,
            mix_hash: json.mix_hash.0,
            nonce: B64::new(json.nonce.0),
            base_fee_per_gas: Some(json.base_fee_per_gas.0),
            withdrawals_root: json.withdrawals_root.flatten().map(value),
            blob_gas_used: json.blob_gas_used.flatten(),
            excess_blob_gas: json.excess_blob_gas.flatten(),
            parent_beacon_block_root: json.parent_beacon_block_root.flatten().map(value),
            requests_hash: json.requests_hash.flatten().map(value),
            ..Self::default()
        }
    }
}
