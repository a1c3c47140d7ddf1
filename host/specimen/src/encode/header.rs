//! The header record.

use alloy_consensus::Header;
use alloy_primitives::U256;
use apache_avro::types::Value;

use super::{
    error::{Locate, Refusal, Say, Unsaid},
    fields::Fields,
    scalar,
};
use crate::{Layout, double};

pub(super) fn value(header: &Header, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.hash("parentHash", header.parent_hash);
    fields.hash("sha3Uncles", header.ommers_hash);
    fields.hash("miner", header.beneficiary);
    fields.hash("stateRoot", header.state_root);
    fields.hash("transactionsRoot", header.transactions_root);
    fields.hash("receiptsRoot", header.receipts_root);
    fields.put("logsBloom", Value::Array(header.logs_bloom.iter().map(|&byte| Value::Int(byte.into())).collect()));
    fields.put("difficulty", difficulty(header.difficulty, layout).at("difficulty")?);
    fields.number_or_long("number", header.number)?;
    fields.long("gasLimit", header.gas_limit)?;
    fields.long("gasUsed", header.gas_used)?;
    fields.long("timestamp", header.timestamp)?;
    fields.base64("extraData", &header.extra_data);
    fields.hash("mixHash", header.mix_hash);
    fields.put("nonce", Value::Array(header.nonce.iter().map(|&byte| Value::Long(byte.into())).collect()));
    // No layout has a way to leave it out: zero stands for none too, and the header's hash tells them apart.
    fields.number_or_double("baseFeePerGas", U256::from(header.base_fee_per_gas.unwrap_or_default()))?;
    later_fields(&mut fields, header)?;
    Ok(fields.record())
}

/// In 0.2 the nearest double, as far as decoding finds the number back by the header's hash.
fn difficulty(difficulty: U256, layout: Layout) -> Say<Value> {
    if layout != Layout::V0_2 {
        return Ok(scalar::number(difficulty));
    }
    let nearest = double::nearest(difficulty);
    match double::whole(nearest) {
        Some(stands_for) if stands_for.abs_diff(difficulty) <= U256::from(double::RESOLVED_DISTANCE) => {
            scalar::double(nearest)
        }
        _ => Err(Unsaid::new(Refusal::Inexact)),
    }
}

/// The fields that forks added. No value of theirs can be left out: the block hash covers them.
fn later_fields(fields: &mut Fields, header: &Header) -> Say<()> {
    let hash = |hash| Ok(scalar::hex(hash));
    fields.since(Layout::V0_32, "withdrawalsRoot", header.withdrawals_root, |_| false, hash)?;
    fields.since(Layout::V0_36, "blobGasUsed", header.blob_gas_used, |_| false, scalar::long)?;
    fields.since(Layout::V0_36, "excessBlobGas", header.excess_blob_gas, |_| false, scalar::long)?;
    fields.since(Layout::V0_36, "parentBeaconBlockRoot", header.parent_beacon_block_root, |_| false, hash)?;
    fields.since(Layout::V0_38, "requestsHash", header.requests_hash, |_| false, hash)?;
    let no_field = |name, there: bool| if there { Err(Unsaid::new(Refusal::NoSuchField)).at(name) } else { Ok(()) };
    no_field("blockAccessListHash", header.block_access_list_hash.is_some())?;
    no_field("slotNumber", header.slot_number.is_some())
}
