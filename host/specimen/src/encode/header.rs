//! The header record.

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};

use super::{
    error::{EncodeObstacle, Encoded, FieldObstacle, Locate},
    writer::Writer,
};
use crate::{Layout, double};

pub(super) fn write(out: &mut Writer, header: &Header) -> Encoded<()> {
    out.hex(header.parent_hash);
    out.hex(header.ommers_hash);
    out.hex(header.beneficiary);
    out.hex(header.state_root);
    out.hex(header.transactions_root);
    out.hex(header.receipts_root);
    bytes(out, &header.logs_bloom[..])?;
    difficulty(out, header.difficulty).at("difficulty")?;
    out.number_or_long(header.number).at("number")?;
    out.long(header.gas_limit).at("gasLimit")?;
    out.long(header.gas_used).at("gasUsed")?;
    out.long(header.timestamp).at("timestamp")?;
    out.base64(&header.extra_data);
    out.hex(header.mix_hash);
    bytes(out, &header.nonce[..])?;
    // No layout has a way to leave it out: zero stands for none too, and the header's hash tells them apart.
    out.number_or_double(U256::from(header.base_fee_per_gas.unwrap_or_default())).at("baseFeePerGas")?;
    later_fields(out, header)
}

/// An array with a number for each byte.
fn bytes(out: &mut Writer, bytes: &[u8]) -> Encoded<()> {
    out.array(bytes, |out, byte| {
        out.integer((*byte).into());
        Ok(())
    })
}

/// In 0.2 the nearest double, as far as decoding finds the number back by the header's hash.
fn difficulty(out: &mut Writer, difficulty: U256) -> Encoded<()> {
    if out.layout != Layout::V0_2 {
        out.number(difficulty);
        return Ok(());
    }
    let nearest = double::nearest(difficulty);
    match double::whole(nearest) {
        Some(stands_for) if stands_for.abs_diff(difficulty) <= U256::from(double::RESOLVED_DISTANCE) => {
            out.double(nearest)
        }
        _ => Err(FieldObstacle::new(EncodeObstacle::Inexact)),
    }
}

/// The fields that forks added. No value of theirs can be left out: the block hash covers them.
fn later_fields(out: &mut Writer, header: &Header) -> Encoded<()> {
    let hash = |out: &mut Writer, hash: B256| {
        out.hex(hash);
        Ok(())
    };
    out.since(Layout::V0_32, "withdrawalsRoot", header.withdrawals_root, |_| false, hash)?;
    out.since(Layout::V0_36, "blobGasUsed", header.blob_gas_used, |_| false, Writer::long)?;
    out.since(Layout::V0_36, "excessBlobGas", header.excess_blob_gas, |_| false, Writer::long)?;
    out.since(Layout::V0_36, "parentBeaconBlockRoot", header.parent_beacon_block_root, |_| false, hash)?;
    out.since(Layout::V0_38, "requestsHash", header.requests_hash, |_| false, hash)?;
    let no_field =
        |name, there: bool| if there { Err(FieldObstacle::new(EncodeObstacle::NoSuchField)).at(name) } else { Ok(()) };
    no_field("blockAccessListHash", header.block_access_list_hash.is_some())?;
    no_field("slotNumber", header.slot_number.is_some())
}
