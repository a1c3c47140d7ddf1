//! The transaction record.

use alloy_eips::eip2930::AccessListItem;
use alloy_primitives::{Address, B256, U256};

use super::{
    error::{EncodeObstacle, Encoded, FieldObstacle, Locate},
    writer::Writer,
};
use crate::{Authorization, Layout, Transaction};

pub(super) fn write(out: &mut Writer, transaction: &Transaction) -> Encoded<()> {
    let address = |out: &mut Writer, address: Address| {
        out.hex(address);
        Ok(())
    };
    out.long(transaction.tx_type.into()).at("type")?;
    out.array(&transaction.access_list.0, access_list_item).at("accessList")?;
    out.number_or_long(transaction.chain_id).at("chainId")?;
    out.long(transaction.nonce).at("nonce")?;
    out.number_or_long(transaction.gas_price).at("gasPrice")?;
    out.number_or_long(transaction.gas_tip_cap).at("gasTipCap")?;
    out.number_or_long(transaction.gas_fee_cap).at("gasFeeCap")?;
    out.long(transaction.gas).at("gas")?;
    if out.layout == Layout::V0_2 {
        out.hex(transaction.from.unwrap_or_default());
    } else {
        out.optional(transaction.from, address)?;
    }
    out.optional(transaction.to, address)?;
    signature(out, transaction)?;
    out.number_or_double(transaction.value).at("value")?;
    out.base64(&transaction.input);
    later_fields(out, transaction)
}

fn access_list_item(out: &mut Writer, item: &AccessListItem) -> Encoded<()> {
    out.hex(item.address);
    out.hexes(&item.storage_keys)
}

fn signature(out: &mut Writer, transaction: &Transaction) -> Encoded<()> {
    for (name, part) in [("v", transaction.v), ("r", transaction.r), ("s", transaction.s)] {
        if out.layout.has_signatures() {
            out.optional(part, number)?;
        } else if part.is_some() {
            return Err(FieldObstacle::new(EncodeObstacle::NoSuchField)).at(name);
        }
    }
    Ok(())
}

fn number(out: &mut Writer, number: U256) -> Encoded<()> {
    out.number(number);
    Ok(())
}

/// Writes the fields that newer layouts added. Every transaction of 0.37 has blob fields, and zeros and empty lists in them mean nothing.
fn later_fields(out: &mut Writer, transaction: &Transaction) -> Encoded<()> {
    let hashes = |out: &mut Writer, hashes: &Vec<B256>| out.hexes(hashes);
    let fee_cap = |out: &mut Writer, cap: u128| number(out, U256::from(cap));
    out.since(Layout::V0_37, "blobFeeCap", transaction.blob_fee_cap, |cap| *cap == 0, fee_cap)?;
    out.since(Layout::V0_37, "blobHashes", transaction.blob_hashes.as_ref(), |all| all.is_empty(), hashes)?;
    out.since(Layout::V0_37, "blobGas", transaction.blob_gas, |gas| *gas == 0, Writer::long)?;
    let text = |out: &mut Writer, text: &String| {
        out.text(text);
        Ok(())
    };
    out.since(Layout::V0_38, "Data", transaction.data.as_ref(), |text| text.is_empty(), text)?;
    let list = |out: &mut Writer, list: &Vec<Authorization>| out.array(list, authorization);
    out.since(Layout::V0_38, "AuthList", transaction.authorization_list.as_ref(), |all| all.is_empty(), list)
}

fn authorization(out: &mut Writer, signed: &Authorization) -> Encoded<()> {
    out.number(signed.chain_id);
    out.hex(signed.address);
    out.long(signed.nonce).at("nonce")?;
    out.number(signed.y_parity);
    out.number(signed.r);
    out.number(signed.s);
    Ok(())
}
