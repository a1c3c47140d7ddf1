//! The `data` record: a block and what belongs to it.

use alloy_eips::eip4895::Withdrawal;

use super::{
    error::{Locate, Read},
    header, receipt, state,
    text::{ADDRESS_BYTES, HEX_MIN_BYTES},
    transaction,
    wire::Wire,
};
use crate::{BlobSidecar, Block, Layout};

/// An address and three fields of a byte.
const WITHDRAWAL_MIN_BYTES: usize = ADDRESS_BYTES + 3;
/// Three empty arrays.
const SIDECAR_MIN_BYTES: usize = 3;

pub(super) fn read(wire: &mut Wire<'_>) -> Read<Block> {
    let mut block = Block {
        kind: wire.string().at("Type")?,
        network_id: wire.int().at("NetworkId")?,
        hash: wire.hash().at("Hash")?,
        total_difficulty: wire.u256().at("TotalDifficulty")?,
        header: header::read(wire).at("Header")?,
        transactions: transaction::read_all(wire).at("Transactions")?,
        uncles: uncles(wire).at("uncles")?,
        receipts: receipt::read_all(wire).at("Receipts")?,
        senders: wire.array(ADDRESS_BYTES, Wire::address).at("Senders")?,
        state: state::read(wire).at("State")?,
        withdrawals: None,
        blob_sidecars: None,
    };
    if wire.layout >= Layout::V0_33 {
        block.withdrawals = wire.optional(withdrawals).at("Withdrawals")?;
    }
    if wire.layout >= Layout::V0_37 {
        block.blob_sidecars = wire.optional(sidecars).at("BlobTxSidecars")?;
    }
    Ok(block)
}

fn uncles(wire: &mut Wire<'_>) -> Read<Option<Vec<alloy_consensus::Header>>> {
    let all = |wire: &mut Wire<'_>| wire.array(header::HEADER_MIN_BYTES, header::read);
    if wire.layout >= Layout::V0_35 { wire.optional(all) } else { all(wire).map(Some) }
}

fn withdrawals(wire: &mut Wire<'_>) -> Read<Vec<Withdrawal>> {
    let item = |wire: &mut Wire<'_>| {
        Ok(Withdrawal {
            index: wire.long().at("index")?,
            validator_index: wire.long().at("validatorIndex")?,
            address: wire.address().at("address")?,
            amount: wire.long().at("amount")?,
        })
    };
    wire.array(WITHDRAWAL_MIN_BYTES, item)
}

fn sidecars(wire: &mut Wire<'_>) -> Read<Vec<BlobSidecar>> {
    let item = |wire: &mut Wire<'_>| {
        Ok(BlobSidecar {
            blobs: wire.array(HEX_MIN_BYTES, Wire::hex_bytes).at("Blobs")?,
            commitments: wire.array(HEX_MIN_BYTES, Wire::hex_bytes).at("Commitments")?,
            proofs: wire.array(HEX_MIN_BYTES, Wire::hex_bytes).at("Proofs")?,
        })
    };
    // A sidecar belongs to a transaction, so there are no more of them.
    wire.limited_array(SIDECAR_MIN_BYTES, transaction::TRANSACTIONS_LIMIT, item)
}
