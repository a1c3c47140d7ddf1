//! The `data` record.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use apache_avro::types::Value;

use super::{
    error::{Locate, Say},
    fields::{Fields, array},
    header, receipt, scalar, state, transaction,
};
use crate::{BlobSidecar, Block, Layout};

pub(super) fn value(block: &Block, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.put("Type", Value::String(block.kind.clone()));
    fields.long("NetworkId", block.network_id)?;
    fields.hash("Hash", block.hash);
    fields.number_or_double("TotalDifficulty", block.total_difficulty)?;
    fields.put("Header", header::value(&block.header, layout).at("Header")?);
    fields.array("Transactions", &block.transactions, |item| transaction::value(item, layout))?;
    fields.put("uncles", uncles(block.uncles.as_deref(), layout).at("uncles")?);
    fields.array("Receipts", &block.receipts, |item| receipt::value(item, layout))?;
    fields.put("Senders", Value::Array(block.senders.iter().map(scalar::hex).collect()));
    fields.put("State", state::value(&block.state, layout).at("State")?);
    let withdrawals = |all: &Vec<_>| array(all, |item| withdrawal(item, layout));
    fields.since(Layout::V0_33, "Withdrawals", block.withdrawals.as_ref(), |all| all.is_empty(), withdrawals)?;
    let sidecars = |all: &Vec<_>| array(all, |item| Ok(sidecar(item, layout)));
    fields.since(Layout::V0_37, "BlobTxSidecars", block.blob_sidecars.as_ref(), |all| all.is_empty(), sidecars)?;
    Ok(fields.record())
}

/// In 0.3 to 0.34 no uncles and null are both the empty array.
fn uncles(uncles: Option<&[Header]>, layout: Layout) -> Say<Value> {
    let all = |headers| array(headers, |uncle| header::value(uncle, layout));
    if layout >= Layout::V0_35 || layout == Layout::V0_2 {
        Ok(scalar::optional(uncles.map(all).transpose()?))
    } else {
        all(uncles.unwrap_or_default())
    }
}

fn withdrawal(withdrawal: &Withdrawal, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.long("index", withdrawal.index)?;
    fields.long("validatorIndex", withdrawal.validator_index)?;
    fields.hash("address", withdrawal.address);
    fields.long("amount", withdrawal.amount)?;
    Ok(fields.record())
}

fn sidecar(sidecar: &BlobSidecar, layout: Layout) -> Value {
    let mut fields = Fields::new(layout);
    for (name, items) in [("Blobs", &sidecar.blobs), ("Commitments", &sidecar.commitments), ("Proofs", &sidecar.proofs)]
    {
        fields.put(name, Value::Array(items.iter().map(scalar::hex_bytes).collect()));
    }
    fields.record()
}
