//! Receipts of nodes that are not behind, and whether two of them have the same.

use std::sync::atomic::Ordering;

use alloy_primitives::B256;
use serde_json::json;

use super::{ChainSnapshot, Prover, settle::Receipt};
use crate::rpc::{NodeId, Question, Route, RpcError};

impl Receipt {
    fn is_same(&self, other: &Self) -> bool {
        self.block_hash == other.block_hash && self.status == other.status
    }
}

fn receipt_of(hash: &B256) -> Question {
    Question::new("eth_getTransactionReceipt", json!([hash]))
}

impl Prover {
    /// Receipts by one node that is not behind, in the order of the hashes.
    pub(super) async fn receipts(
        &self,
        route: Route,
        hashes: &[B256],
    ) -> Result<(Vec<Result<Option<Receipt>, RpcError>>, NodeId), RpcError> {
        let questions: Vec<_> = hashes.iter().map(receipt_of).collect();
        let rpc = self.chain.rpc();
        let fresh = rpc.call_all_fresh(route, &questions).await?;
        let typed = |answer| rpc.typed_from::<Option<Receipt>>(fresh.node, "eth_getTransactionReceipt", &answer);
        Ok((fresh.answers.into_iter().map(|answer| answer.and_then(typed)).collect(), fresh.node))
    }

    /// Whether a second node has the same receipt, where there is a second node.
    pub(super) async fn is_agreed(
        &self,
        outlook: &ChainSnapshot,
        hash: B256,
        receipt: &Receipt,
        node: NodeId,
    ) -> Result<bool, RpcError> {
        if !self.chain.rpc().has_another(node) {
            return Ok(true);
        }
        let second = match outlook.seconds.get(&hash).filter(|_| node == outlook.node) {
            Some(second) => second.clone(),
            None => self.receipts(Route::elsewhere(node), &[hash]).await?.0.remove(0)?,
        };
        let is_agreed = second.is_some_and(|second| second.is_same(receipt));
        outlook.disputed.fetch_add(u64::from(!is_agreed), Ordering::Relaxed);
        Ok(is_agreed)
    }
}
