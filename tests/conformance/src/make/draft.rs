//! A block in the making: its parts, which a test can spoil before they are encoded.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_trie::root::ordered_trie_root_with_encoder;

use crate::rlp;

/// The parts of a block.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The header, as it will be stated.
    pub header: Header,
    /// Transactions in their EIP-2718 encodings.
    pub transactions: Vec<Bytes>,
    /// Headers of the block's ommers.
    pub ommers: Vec<Header>,
    /// Withdrawals, from Shanghai on.
    pub withdrawals: Option<Vec<Withdrawal>>,
}

impl Draft {
    /// The root of the transactions as they are.
    pub fn transactions_root(&self) -> B256 {
        ordered_trie_root_with_encoder(&self.transactions, |transaction, out| out.extend_from_slice(transaction))
    }

    /// The hash of the ommers as they are.
    pub fn ommers_hash(&self) -> B256 {
        keccak256(alloy_rlp::encode(&self.ommers))
    }

    /// The encoding of the block.
    pub fn encode(&self) -> Vec<u8> {
        // A legacy transaction is a list and stands as it is; the others are strings in the list of transactions.
        let transactions = self.transactions.iter().map(|transaction| match transaction.first() {
            Some(0xc0..) => transaction.to_vec(),
            _ => alloy_rlp::encode(transaction),
        });
        let transactions: Vec<_> = transactions.collect();
        let mut parts = vec![
            alloy_rlp::encode(&self.header),
            rlp::list(transactions.iter().map(Vec::as_slice)),
            alloy_rlp::encode(&self.ommers),
        ];
        parts.extend(self.withdrawals.as_ref().map(alloy_rlp::encode));
        rlp::list(parts.iter().map(Vec::as_slice))
    }
}
