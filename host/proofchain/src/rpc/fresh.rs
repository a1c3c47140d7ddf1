//! Answers of a node that is not behind: nonces, receipts and finality come from no other.

use serde_json::json;

use super::{
    Question, RawAnswer, Rpc, RpcError, SetAside,
    check::Latest,
    pool::is_far,
    route::{Answered, NodeId, Route},
};
use crate::quantity::Quantity;

/// Answers of a node that is not behind.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Number of its newest block.
    pub head: u64,
    /// That block's header.
    pub latest: RawAnswer,
    /// In the order of the questions.
    pub answers: Vec<Result<RawAnswer, RpcError>>,
    /// The node.
    pub node: NodeId,
}

impl Rpc {
    /// The newest block's number, which nothing proves, of a node that is not far behind the others.
    ///
    /// # Errors
    ///
    /// The last attempt's.
    pub(crate) async fn claimed_head(&self) -> Result<u64, RpcError> {
        let mut route = self.route;
        loop {
            let seen = self.inner.pool.seen(self.inner.limits.head_memory());
            let (Quantity(head), node) = self.call_by(route, "eth_blockNumber", json!([])).await?;
            let reason = self.inner.pool.claimed(node, head, seen, self.inner.limits.still_after()).filter(is_far);
            let Some(reason) = reason.filter(|_| self.has_another_for(route, node)) else { return Ok(head) };
            self.put_aside(node, reason);
            route = route.avoiding(node);
        }
    }

    /// Whether another node than this one is well.
    pub(crate) fn has_another(&self, node: NodeId) -> bool {
        self.inner.pool.has_another(node)
    }

    /// Whether a node is well that the route permits, beside this one.
    fn has_another_for(&self, route: Route, node: NodeId) -> bool {
        let others = route.avoiding(node);
        self.inner.pool.ids().any(|id| others.permits(id) && self.inner.pool.node(id).standing().is_well())
    }

    fn put_aside(&self, node: NodeId, reason: SetAside) {
        let changed = self.inner.pool.node(node).standing().put_aside(reason, self.inner.limits.look_again);
        self.inner.pool.changed(changed);
    }

    /// Answers of a node that has the newest block that was seen, and that block's header, in one request. Nodes that are behind are
    /// passed over.
    ///
    /// # Errors
    ///
    /// [`RpcError::SetAside`] where all are behind, and the errors of a call.
    pub(crate) async fn call_all_fresh(&self, route: Route, questions: &[Question]) -> Result<Fresh, RpcError> {
        let all: Vec<_> = std::iter::once(Latest::question()).chain(questions.iter().cloned()).collect();
        let mut route = route;
        let mut pauses = self.pauses();
        loop {
            let seen = self.inner.pool.seen(self.inner.limits.head_memory());
            let Answered { mut answers, node } = self.call_all_by::<RawAnswer>(route, &all).await?;
            let others = route.avoiding(node);
            let another = self.has_another_for(route, node);
            let header = answers.remove(0);
            let latest = header.and_then(|header| {
                let latest = self.typed_from::<Latest>(node, "eth_getBlockByNumber", &header)?;
                Ok((latest.head(), header))
            });
            let (head, latest) = match latest {
                Ok(latest) => latest,
                Err(_) if another => {
                    route = others;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(reason) = self.inner.pool.saw(node, head, seen, self.inner.limits.still_after()) else {
                let changed = self.inner.pool.node(node).standing().caught_up();
                self.inner.pool.changed(changed);
                return Ok(Fresh { head: head.number, latest, answers, node });
            };
            if is_far(&reason) && self.inner.expected().is_some() {
                self.put_aside(node, reason.clone());
            }
            if another {
                route = others;
            } else if let Some(pause) = pauses.next() {
                // Behind one address there may be several nodes.
                tokio::time::sleep(pause).await;
            } else {
                let endpoint = self.inner.pool.node(node).endpoint.clone();
                return Err(RpcError::SetAside { endpoint, method: all.last().map_or("", |last| last.method), reason });
            }
        }
    }
}
