//! The header record, of the block and of each uncle.

use alloy_consensus::Header;
use alloy_primitives::{B64, Bloom};

use super::{
    error::{Locate, Read},
    text::{ADDRESS_BYTES, HASH_BYTES},
    wire::Wire,
};
use crate::Layout;

/// Six hashes, the miner and at least a byte for each item of the bloom: what no header is shorter than.
pub(super) const HEADER_MIN_BYTES: usize = 6 * HASH_BYTES + ADDRESS_BYTES + Bloom::len_bytes();

/// The header as it stands: [`resolve`](super::resolve) finds what the wire cannot express.
pub(super) fn read(wire: &mut Wire<'_>) -> Read<Header> {
    let mut header = Header {
        parent_hash: wire.hash().at("parentHash")?,
        ommers_hash: wire.hash().at("sha3Uncles")?,
        beneficiary: wire.address().at("miner")?,
        state_root: wire.hash().at("stateRoot")?,
        transactions_root: wire.hash().at("transactionsRoot")?,
        receipts_root: wire.hash().at("receiptsRoot")?,
        logs_bloom: Bloom::new(wire.byte_array().at("logsBloom")?),
        difficulty: wire.u256_or_double().at("difficulty")?,
        number: wire.u64_or_long().at("number")?,
        gas_limit: wire.long().at("gasLimit")?,
        gas_used: wire.long().at("gasUsed")?,
        timestamp: wire.long().at("timestamp")?,
        extra_data: wire.base64().at("extraData")?,
        mix_hash: wire.hash().at("mixHash")?,
        nonce: B64::new(wire.byte_array().at("nonce")?),
        base_fee_per_gas: Some(wire.u64_or_double().at("baseFeePerGas")?),
        ..Header::default()
    };
    if wire.layout >= Layout::V0_32 {
        header.withdrawals_root = wire.optional(Wire::hash).at("withdrawalsRoot")?;
    }
    if wire.layout >= Layout::V0_36 {
        header.blob_gas_used = wire.optional(Wire::long).at("blobGasUsed")?;
        header.excess_blob_gas = wire.optional(Wire::long).at("excessBlobGas")?;
        header.parent_beacon_block_root = wire.optional(Wire::hash).at("parentBeaconBlockRoot")?;
    }
    if wire.layout >= Layout::V0_38 {
        header.requests_hash = wire.optional(Wire::hash).at("requestsHash")?;
    }
    Ok(header)
}
