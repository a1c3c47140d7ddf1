//! The transaction record.

use alloy_primitives::U256;
use apache_avro::types::Value;

use super::{
    error::{Locate, Refusal, Say, Unsaid},
    fields::{Fields, array},
    scalar,
};
use crate::{Authorization, Layout, Transaction};

pub(super) fn value(transaction: &Transaction, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.long("type", transaction.tx_type.into())?;
    access_list(&mut fields, transaction)?;
    fields.number_or_long("chainId", transaction.chain_id)?;
    fields.long("nonce", transaction.nonce)?;
    fields.number_or_long("gasPrice", transaction.gas_price)?;
    fields.number_or_long("gasTipCap", transaction.gas_tip_cap)?;
    fields.number_or_long("gasFeeCap", transaction.gas_fee_cap)?;
    fields.long("gas", transaction.gas)?;
    if layout == Layout::V0_2 {
        fields.hash("from", transaction.from.unwrap_or_default());
    } else {
        fields.optional("from", transaction.from, scalar::hex);
    }
    fields.optional("to", transaction.to, scalar::hex);
    signature(&mut fields, transaction, layout)?;
    fields.number_or_double("value", transaction.value)?;
    fields.base64("input", &transaction.input);
    later_fields(&mut fields, transaction, layout)?;
    Ok(fields.record())
}

fn access_list(fields: &mut Fields, transaction: &Transaction) -> Say<()> {
    fields.array("accessList", &transaction.access_list, |item| {
        let keys = item.storage_keys.iter().map(scalar::hex).collect();
        Ok(Value::Record(vec![
            ("address".to_owned(), scalar::hex(item.address)),
            ("storageKeys".to_owned(), Value::Array(keys)),
        ]))
    })
}

fn signature(fields: &mut Fields, transaction: &Transaction, layout: Layout) -> Say<()> {
    for (name, part) in [("v", transaction.v), ("r", transaction.r), ("s", transaction.s)] {
        if layout.has_signatures() {
            fields.optional(name, part, scalar::number);
        } else if part.is_some() {
            return Err(Unsaid::new(Refusal::NoSuchField)).at(name);
        }
    }
    Ok(())
}

/// What newer layouts added. Every transaction of 0.37 has blob fields, and zeros and empty lists in them mean nothing.
fn later_fields(fields: &mut Fields, transaction: &Transaction, layout: Layout) -> Say<()> {
    let hashes = |hashes: &Vec<_>| Ok(Value::Array(hashes.iter().map(scalar::hex).collect()));
    let fee_cap = |cap| Ok(scalar::number(U256::from(cap)));
    fields.since(Layout::V0_37, "blobFeeCap", transaction.blob_fee_cap, |cap| *cap == 0, fee_cap)?;
    fields.since(Layout::V0_37, "blobHashes", transaction.blob_hashes.as_ref(), |all| all.is_empty(), hashes)?;
    fields.since(Layout::V0_37, "blobGas", transaction.blob_gas, |gas| *gas == 0, scalar::long)?;
    let text = |text: &String| Ok(Value::String(text.clone()));
    fields.since(Layout::V0_38, "Data", transaction.data.as_ref(), |text| text.is_empty(), text)?;
    let list = |list: &Vec<_>| array(list, |signed| authorization(signed, layout));
    fields.since(Layout::V0_38, "AuthList", transaction.authorization_list.as_ref(), |all| all.is_empty(), list)
}

fn authorization(signed: &Authorization, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.number("chainId", signed.chain_id);
    fields.hash("address", signed.address);
    fields.long("nonce", signed.nonce)?;
    fields.number("yParity", signed.y_parity);
    fields.number("r", signed.r);
    fields.number("s", signed.s);
    Ok(fields.record())
}
