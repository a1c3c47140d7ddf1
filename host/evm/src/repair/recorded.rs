//! The receipts that the producer recorded, as the proof of each single transaction.

use alloy_primitives::{B256, U256};
use refiner_specimen::Block;

use crate::{
    execution::{ExecutedLog, ExecutedReceipt},
    receipts::{commit, digest},
    rules::BlockRules,
    transaction::executed_type,
};

/// Recorded receipts that give the header's receiptsRoot, by their digests.
pub(super) struct Recorded(Vec<B256>);

impl Recorded {
    /// `None` where they do not give the header's receiptsRoot.
    pub(super) fn proven(block: &Block, rules: &BlockRules) -> Option<Self> {
        if block.receipts.len() != block.transactions.len() {
            return None;
        }
        let receipts: Vec<ExecutedReceipt> = block
            .receipts
            .iter()
            .zip(&block.transactions)
            .map(|(receipt, transaction)| ExecutedReceipt {
                transaction_index: 0,
                transaction_hash: B256::ZERO,
                tx_type: executed_type(transaction, rules),
                success: receipt.post_state_or_status.last().is_some_and(|status| *status == 1),
                gas_used: 0,
                cumulative_gas_used: receipt.cumulative_gas_used,
                effective_gas_price: U256::ZERO,
                contract_address: None,
                logs: receipt
                    .logs
                    .iter()
                    .map(|log| ExecutedLog { address: log.address, topics: log.topics.clone(), data: log.data.clone() })
                    .collect(),
            })
            .collect();
        let proven = commit(&receipts).root == block.header.receipts_root;
        proven.then(|| Self(receipts.iter().map(digest).collect()))
    }

    /// The digests of the recorded receipt at a position and of the executed one.
    pub(super) fn compare(&self, index: usize, executed: &ExecutedReceipt) -> (Option<B256>, B256) {
        (self.0.get(index).copied(), digest(executed))
    }
}
