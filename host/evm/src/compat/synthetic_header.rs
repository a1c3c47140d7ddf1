//! The block that the evm-server made up around the transactions, and whose hash it wrote into every log.

use std::borrow::Cow;

use alloy_consensus::{
    Header,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_RECEIPTS},
};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, keccak256};
use refiner_keccak::{Messages, ordered_trie_root};
use refiner_specimen::{Block, Transaction, UnknownTransactionType};

use crate::{error::Unsupported, format::ResultFormat};

/// The hashes of a manufactured block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntheticHeader {
    /// Hash of its header.
    pub(super) hash: B256,
    /// Hash of its uncles.
    pub(super) ommers_hash: B256,
    /// Root of its transactions.
    pub(super) transactions_root: B256,
    /// Hash of each transaction, in block order.
    pub(super) transaction_hashes: Vec<B256>,
}

/// Completes `header` with the root of the transactions, and hashes both.
///
/// A transaction whose encoding is not known gives an error with its position.
pub(super) fn manufacture(
    mut header: Header,
    transactions: &[Cow<'_, Transaction>],
    format: ResultFormat,
) -> Result<SyntheticHeader, Unsupported> {
    let mut envelopes = Messages::default();
    for (transaction, tx) in transactions.iter().enumerate() {
        envelopes.try_add(|bytes| tx.encode_envelope(bytes)).map_err(|UnknownTransactionType(tx_type)| {
            Unsupported::TransactionType { transaction, tx_type, format: format.as_str() }
        })?;
    }

    header.transactions_root = ordered_trie_root(&envelopes);
    Ok(SyntheticHeader {
        hash: header.hash_slow(),
        ommers_hash: header.ommers_hash,
        transactions_root: header.transactions_root,
        transaction_hashes: envelopes.hashes(),
    })
}

/// The header that every era starts from: who mined, how much gas, when, at which base fee, and zeros.
pub(super) fn bare_header(block: &Block) -> Header {
    Header {
        ommers_hash: ommers_hash(block.uncles.as_deref().unwrap_or_default()),
        beneficiary: block.header.beneficiary,
        state_root: B256::ZERO,
        receipts_root: EMPTY_RECEIPTS,
        difficulty: block.header.difficulty,
        number: block.header.number,
        gas_limit: block.header.gas_limit,
        timestamp: block.header.timestamp,
        // The server read a number, and wrote zero where a block of before London has none.
        base_fee_per_gas: Some(block.header.base_fee_per_gas.unwrap_or_default()),
        ..Header::default()
    }
}

/// The root of the block's withdrawals; null ones count as none.
pub(super) fn withdrawals_root(block: &Block) -> B256 {
    ordered_trie_root(&Messages::of_rlp(block.withdrawals.as_deref().unwrap_or_default()))
}

/// An uncle as the server made it up for its own block: who mined it, and its number.
pub(super) const fn bare_uncle(beneficiary: Address, number: u64) -> Header {
    Header {
        parent_hash: B256::ZERO,
        ommers_hash: B256::ZERO,
        beneficiary,
        state_root: B256::ZERO,
        transactions_root: B256::ZERO,
        receipts_root: B256::ZERO,
        logs_bloom: Bloom::ZERO,
        difficulty: U256::ZERO,
        number,
        gas_limit: 0,
        gas_used: 0,
        timestamp: 0,
        extra_data: Bytes::new(),
        mix_hash: B256::ZERO,
        nonce: B64::ZERO,
        base_fee_per_gas: None,
        withdrawals_root: None,
        blob_gas_used: None,
        excess_blob_gas: None,
        parent_beacon_block_root: None,
        requests_hash: None,
        block_access_list_hash: None,
        slot_number: None,
    }
}

fn ommers_hash(uncles: &[Header]) -> B256 {
    if uncles.is_empty() {
        return EMPTY_OMMER_ROOT_HASH;
    }
    let mut list = Vec::new();
    alloy_rlp::encode_list::<Header, Header>(uncles, &mut list);
    keccak256(list)
}
