//! Specimens that hold no more than their heading.

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_primitives::B256;
use refiner_specimen::{Block, EncodeError, Layout, Specimen, encode};

/// A header that every layout takes, of a block without withdrawals.
pub fn header(number: u64, parent_hash: B256) -> Header {
    let withdrawals_root = Some(EMPTY_ROOT_HASH);
    Header { number, parent_hash, base_fee_per_gas: Some(7), withdrawals_root, ..Header::default() }
}

/// A specimen of a chain with this header, which states `hash` for it.
///
/// # Errors
///
/// [`EncodeError`] for a header that the layout cannot hold.
pub fn heading(chain: u64, header: &Header, hash: B256) -> Result<Vec<u8>, EncodeError> {
    let block = Block {
        kind: "block-specimen".to_owned(),
        network_id: chain,
        hash,
        total_difficulty: Default::default(),
        header: header.clone(),
        transactions: Vec::new(),
        uncles: Some(Vec::new()),
        receipts: Vec::new(),
        senders: Vec::new(),
        state: Default::default(),
        withdrawals: Some(Vec::new()),
        blob_sidecars: None,
    };
    let specimen = Specimen {
        layout: Layout::V0_35,
        stated_codec_version: 0.35,
        start_block: header.number,
        end_block: header.number,
        elements: 1,
        event_hash: B256::ZERO,
        block,
    };
    encode(&specimen, specimen.layout)
}
