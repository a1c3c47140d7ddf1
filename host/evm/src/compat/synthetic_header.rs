//! The block that the evm-server made up around the transactions, and whose hash it wrote into every log.

use std::{borrow::Cow, mem};

use alloy_consensus::{
    Header,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_RECEIPTS},
};
use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::root::{ordered_trie_root, ordered_trie_root_encoded};
use refiner_specimen::{Block, Transaction, UnknownTransactionType};

use crate::{error::Unsupported, format::ResultFormat};

/// The hashes of a manufactured block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntheticHeader {
    /// Hash of its header.
    pub(super) hash: B256,
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
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(transactions.len());
    for (transaction, tx) in transactions.iter().enumerate() {
        tx.encode_envelope(&mut bytes).map_err(|UnknownTransactionType(tx_type)| Unsupported::TransactionType {
            transaction,
            tx_type,
            format: format.as_str(),
        })?;
        ends.push(bytes.len());
    }
    let mut start = 0;
    let envelopes: Vec<&[u8]> = ends.iter().map(|end| &bytes[mem::replace(&mut start, *end)..*end]).collect();

    header.transactions_root = ordered_trie_root_encoded(&envelopes);
    Ok(SyntheticHeader {
        hash: header.hash_slow(),
        transactions_root: header.transactions_root,
        transaction_hashes: envelopes.iter().map(keccak256).collect(),
    })
}

/// The header that every era starts from: who mined, how much gas, when, at which base fee, and zeros.
pub(super) fn bare_header(block: &Block) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: block.header.beneficiary,
        state_root: B256::ZERO,
        receipts_root: EMPTY_RECEIPTS,
        difficulty: U256::ZERO,
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
    ordered_trie_root(block.withdrawals.as_deref().unwrap_or_default())
}
