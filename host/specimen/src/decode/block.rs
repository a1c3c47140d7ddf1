//! The `data` record: a block and what belongs to it.

use alloy_eips::eip4895::Withdrawal;

use super::{
    error::{Locate, Read},
    header,
    peek_header::Front,
    receipt,
    section::{Sections, Unchanged},
    state,
    text::{ADDRESS_BYTES, HEX_MIN_BYTES},
    transaction,
    wire::Wire,
};
use crate::{BlobSidecar, Block, Layout, StateReads};

/// An address and three fields of a byte.
const WITHDRAWAL_MIN_BYTES: usize = ADDRESS_BYTES + 3;
/// Withdrawals that a block can have: thousands of times the consensus layer's 16. A short one takes forty bytes, and longer to hash into
/// the root than any other item of its size.
const WITHDRAWALS_LIMIT: usize = 1 << 16;
/// Three empty arrays.
const SIDECAR_MIN_BYTES: usize = 3;
/// Sidecars that a block can have, one for a transaction with blobs: ten times the blobs of a block.
const SIDECARS_LIMIT: usize = 256;
/// Blobs, commitments or proofs of a sidecar. The most is of proofs: 128 for each of up to six blobs (EIP-7594). An empty one takes three
/// bytes, and ten times that in memory.
const BLOBS_LIMIT: usize = 2_048;

/// Reads a block but for the sections, which stay in `sections` until the whole input fits.
pub(super) fn read(wire: &mut Wire<'_>, sections: &mut Sections) -> Read<Block> {
    let Front { kind, network_id, hash, total_difficulty, header } = Front::read(wire)?;
    let mut block = Block {
        kind,
        network_id,
        hash,
        total_difficulty,
        header,
        transactions: Vec::new(),
        uncles: None,
        receipts: Vec::new(),
        senders: Vec::new(),
        state: StateReads::default(),
        withdrawals: None,
        blob_sidecars: None,
    };
    let [transactions, rest, block_hashes] = grammars(wire.layout);
    sections.transactions.read(wire, transactions, transaction::read_all).at("Transactions")?;
    block.uncles = uncles(wire).at("uncles")?;
    sections.unchanged.read(wire, rest, unchanged)?;
    sections.block_hashes.read(wire, block_hashes, state::block_hashes).at("BlockhashRead").at("State")?;
    if wire.layout >= Layout::V0_33 {
        block.withdrawals = wire.optional(withdrawals).at("Withdrawals")?;
    }
    if wire.layout >= Layout::V0_37 {
        block.blob_sidecars = wire.optional(sidecars).at("BlobTxSidecars")?;
    }
    Ok(block)
}

/// The layouts by whose grammar a layout's transactions, its receipts, senders and state, and its block hashes are read.
fn grammars(layout: Layout) -> [Layout; 3] {
    match layout {
        Layout::V0_2 => [Layout::V0_2, Layout::V0_2, Layout::V0_31],
        Layout::V0_3 => [Layout::V0_36, Layout::V0_31, Layout::V0_3],
        _ => [layout.max(Layout::V0_36), Layout::V0_31, Layout::V0_31],
    }
}

fn unchanged(wire: &mut Wire<'_>) -> Read<Unchanged> {
    Ok(Unchanged {
        receipts: receipt::read_all(wire).at("Receipts")?,
        senders: wire.array(ADDRESS_BYTES, Wire::address).at("Senders")?,
        state: state::read(wire).at("State")?,
    })
}

fn uncles(wire: &mut Wire<'_>) -> Read<Option<Vec<alloy_consensus::Header>>> {
    let all = |wire: &mut Wire<'_>| wire.array(header::HEADER_MIN_BYTES, header::read);
    if wire.layout >= Layout::V0_35 || wire.layout == Layout::V0_2 { wire.optional(all) } else { all(wire).map(Some) }
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
    wire.limited_array(WITHDRAWAL_MIN_BYTES, WITHDRAWALS_LIMIT, item)
}

fn sidecars(wire: &mut Wire<'_>) -> Read<Vec<BlobSidecar>> {
    let blobs = |wire: &mut Wire<'_>| wire.limited_array(HEX_MIN_BYTES, BLOBS_LIMIT, Wire::hex_bytes);
    let item = |wire: &mut Wire<'_>| {
        Ok(BlobSidecar {
            blobs: blobs(wire).at("Blobs")?,
            commitments: blobs(wire).at("Commitments")?,
            proofs: blobs(wire).at("Proofs")?,
        })
    };
    wire.limited_array(SIDECAR_MIN_BYTES, SIDECARS_LIMIT, item)
}
