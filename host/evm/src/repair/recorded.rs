//! The receipts that the producer recorded, as the proof of each single transaction.

use alloy_primitives::B256;
use refiner_specimen::Block;

use crate::{
    execution::ExecutedReceipt,
    gate::as_executed,
    receipts::{commit, digest},
};

/// Recorded receipts that give the header's receiptsRoot, by their digests.
pub(super) struct Recorded(Vec<B256>);

impl Recorded {
    /// `None` where they do not give the header's receiptsRoot.
    pub(super) fn proven(block: &Block) -> Option<Self> {
        if block.receipts.len() != block.transactions.len() {
            return None;
        }
        let receipts: Vec<ExecutedReceipt> =
            block.receipts.iter().enumerate().map(|(index, receipt)| as_executed(receipt, block, index)).collect();
        let proven = commit(&receipts).root == block.header.receipts_root;
        proven.then(|| Self(receipts.iter().map(digest).collect()))
    }

    /// The digests of the recorded receipt at a position and of the executed one.
    pub(super) fn compare(&self, index: usize, executed: &ExecutedReceipt) -> (Option<B256>, B256) {
        (self.0.get(index).copied(), digest(executed))
    }
}
