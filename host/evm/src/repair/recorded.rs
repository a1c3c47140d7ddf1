//! The receipts that the producer recorded, as the proof of each single transaction.

use refiner_specimen::Block;

use crate::{
    execution::ExecutedReceipt,
    gate::as_executed,
    receipts::{Commitments, commit, same_to_the_chain},
};

/// Recorded receipts that give the header's receiptsRoot.
pub(super) struct Recorded {
    receipts: Vec<ExecutedReceipt>,
    commitments: Commitments,
}

impl Recorded {
    /// `None` where they do not give the header's receiptsRoot.
    pub(super) fn proven(block: &Block) -> Option<Self> {
        if block.receipts.len() != block.transactions.len() {
            return None;
        }
        let receipts: Vec<ExecutedReceipt> =
            block.receipts.iter().enumerate().map(|(index, receipt)| as_executed(receipt, block, index)).collect();
        let commitments = commit(&receipts);
        (commitments.root == block.header.receipts_root).then_some(Self { receipts, commitments })
    }

    /// The recorded receipt at a position, if the executed one is not the same to the chain.
    pub(super) fn differing(&self, index: usize, executed: &ExecutedReceipt) -> Option<&ExecutedReceipt> {
        self.receipts.get(index).filter(|recorded| !same_to_the_chain(recorded, executed))
    }

    pub(super) const fn len(&self) -> usize {
        self.receipts.len()
    }

    pub(super) const fn commitments(&self) -> &Commitments {
        &self.commitments
    }
}
