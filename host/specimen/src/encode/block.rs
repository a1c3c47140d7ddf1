//! The `data` record.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;

use super::{
    error::{Encoded, Locate},
    header, receipt, state, transaction,
    writer::Writer,
};
use crate::{BlobSidecar, Block, Layout};

pub(super) fn write(out: &mut Writer, block: &Block) -> Encoded<()> {
    out.text(&block.kind);
    out.long(block.network_id).at("NetworkId")?;
    out.hex(block.hash);
    out.number_or_double(block.total_difficulty).at("TotalDifficulty")?;
    header::write(out, &block.header).at("Header")?;
    out.array(&block.transactions, transaction::write).at("Transactions")?;
    uncles(out, block.uncles.as_deref()).at("uncles")?;
    out.array(&block.receipts, receipt::write).at("Receipts")?;
    out.hexes(&block.senders)?;
    state::write(out, &block.state).at("State")?;
    let withdrawals = |out: &mut Writer, all: &Vec<_>| out.array(all, withdrawal);
    out.since(Layout::V0_33, "Withdrawals", block.withdrawals.as_ref(), |all| all.is_empty(), withdrawals)?;
    let sidecars = |out: &mut Writer, all: &Vec<_>| out.array(all, sidecar);
    out.since(Layout::V0_37, "BlobTxSidecars", block.blob_sidecars.as_ref(), |all| all.is_empty(), sidecars)
}

/// In 0.3 to 0.34 no uncles and null are both the empty array.
fn uncles(out: &mut Writer, uncles: Option<&[Header]>) -> Encoded<()> {
    let all = |out: &mut Writer, headers: &[Header]| out.array(headers, header::write);
    if out.layout >= Layout::V0_35 || out.layout == Layout::V0_2 {
        out.optional(uncles, all)
    } else {
        all(out, uncles.unwrap_or_default())
    }
}

fn withdrawal(out: &mut Writer, withdrawal: &Withdrawal) -> Encoded<()> {
    out.long(withdrawal.index).at("index")?;
    out.long(withdrawal.validator_index).at("validatorIndex")?;
    out.hex(withdrawal.address);
    out.long(withdrawal.amount).at("amount")
}

fn sidecar(out: &mut Writer, sidecar: &BlobSidecar) -> Encoded<()> {
    [&sidecar.blobs, &sidecar.commitments, &sidecar.proofs].into_iter().try_for_each(|items| out.hexes(items))
}
