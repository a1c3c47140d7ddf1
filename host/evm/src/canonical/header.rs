//! A header in the canonical document.

use alloy_consensus::Header;

use super::json::Json;

/// The header's fields but its number, as `eth_getBlockByHash` spells them.
pub(super) fn write_header(json: &mut Json, header: &Header) {
    json.key("parentHash").data(header.parent_hash);
    json.key("sha3Uncles").data(header.ommers_hash);
    json.key("miner").data(header.beneficiary);
    json.key("stateRoot").data(header.state_root);
    json.key("transactionsRoot").data(header.transactions_root);
    json.key("receiptsRoot").data(header.receipts_root);
    json.key("logsBloom").data(header.logs_bloom);
    json.key("difficulty").big_quantity(header.difficulty);
    json.key("gasLimit").quantity(header.gas_limit);
    json.key("gasUsed").quantity(header.gas_used);
    json.key("timestamp").quantity(header.timestamp);
    json.key("extraData").data(&header.extra_data);
    json.key("mixHash").data(header.mix_hash);
    json.key("nonce").data(header.nonce);
    for (name, value) in [
        ("baseFeePerGas", header.base_fee_per_gas),
        ("blobGasUsed", header.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas),
    ] {
        if let Some(value) = value {
            json.key(name).quantity(value);
        }
    }
    for (name, value) in [
        ("withdrawalsRoot", header.withdrawals_root),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root),
        ("requestsHash", header.requests_hash),
    ] {
        if let Some(value) = value {
            json.key(name).data(value);
        }
    }
}
