//! The check of a node: its chain, a block that was seen, the contracts, its head.

use std::time::{Duration, Instant, SystemTime};

use alloy_primitives::{Address, B256, Bytes};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde::Deserialize;
use serde_json::json;

use super::{
    Expected, NodeFailure, Question, RawAnswer, Rpc, RpcError, SetAside, batch::Taken, health::Consequence, node::Head,
    pool::is_far, route::NodeId,
};
use crate::{
    announcement::BlockRef,
    quantity::{self, Quantity},
};

/// The newest block of a node.
#[derive(Deserialize)]
pub(crate) struct Latest {
    #[serde(deserialize_with = "quantity::read")]
    pub number: u64,
    /// Seconds since 1970.
    #[serde(deserialize_with = "quantity::read")]
    pub timestamp: u64,
}

#[derive(Deserialize)]
struct Hashed {
    hash: B256,
}

impl Latest {
    pub fn question() -> Question {
        Question::new("eth_getBlockByNumber", json!(["latest", false]))
    }

    pub(super) fn head(&self) -> Head {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Head { number: self.number, age: now.saturating_sub(Duration::from_secs(self.timestamp)) }
    }
}

impl Expected {
    /// The questions, of which the contracts' are left out where they were answered before.
    fn questions(&self, whole: bool) -> Vec<Question> {
        let mut questions = vec![Question::new("eth_chainId", json!([])), Latest::question()];
        if let Some(checkpoint) = self.checkpoint {
            questions.push(Question::new("eth_getBlockByNumber", json!([quantity::hex(checkpoint.number), false])));
        }
        if whole {
            let code = |(address, _): &(Address, _)| Question::new("eth_getCode", json!([address, "latest"]));
            questions.extend(self.contracts.iter().map(code));
        }
        questions
    }
}

impl Rpc {
    /// Checks a node and takes note of the outcome.
    pub(super) async fn check(&self, id: NodeId) -> Result<(), RpcError> {
        let outcome = self.look_at(id).await;
        let node = self.inner.pool.node(id);
        let mut standing = node.standing();
        standing.end_check();
        let limits = &self.inner.limits;
        let (changed, outcome) = match outcome {
            Ok(None) => (standing.passed(), Ok(())),
            Ok(Some(reason)) => {
                let pause = if reason.is_behind() { limits.look_again } else { limits.identity_pause() };
                let endpoint = node.endpoint.clone();
                let error = RpcError::SetAside { endpoint, method: "eth_chainId", reason: reason.clone() };
                (standing.put_aside(reason, pause), Err(error))
            }
            Err(error) => {
                let consequence = match error.consequence() {
                    failed @ Consequence::NodeFailed { .. } => failed,
                    _ => Consequence::NodeFailed { failure: NodeFailure::Refused, reconnects: true },
                };
                (standing.failed(consequence, "eth_chainId", limits), Err(error))
            }
        };
        drop(standing);
        self.inner.pool.changed(changed);
        outcome
    }

    /// Checks a node unless another call did so in the meantime.
    pub(super) async fn check_if_due(&self, id: NodeId) -> Result<(), RpcError> {
        let node = self.inner.pool.node(id);
        let _turn = node.turn.lock().await;
        if node.standing().is_well() {
            return Ok(());
        }
        self.check(id).await
    }

    /// Checks the nodes that are not asked otherwise, when it is their time.
    pub(super) fn check_others(&self, asked: NodeId) {
        if self.inner.expected().is_none() {
            return;
        }
        let now = Instant::now();
        let every = (!self.inner.pool.is_single()).then_some(self.inner.limits.look_again);
        for id in self.inner.pool.ids().filter(|id| *id != asked) {
            if self.inner.pool.node(id).standing().begin_check(every, now) {
                let rpc = self.clone();
                // The node's standing tells the outcome.
                tokio::spawn(async move { drop(rpc.check(id).await) });
            }
        }
    }

    async fn look_at(&self, id: NodeId) -> Result<Option<SetAside>, RpcError> {
        let Some(expected) = self.inner.expected() else { return Ok(None) };
        let whole = self.inner.pool.node(id).standing().is_unchecked();
        let seen = self.inner.pool.seen(self.inner.limits.head_memory());
        let mut answers = self.ask_together(id, &expected.questions(whole)).await?.into_iter();
        let mut next = || answers.next().unwrap_or(Err(RpcError::NoOther));
        let Quantity(found) = self.typed_from(id, "eth_chainId", &next()?)?;
        if found != expected.chain_id {
            return Ok(Some(SetAside::OtherChain { expected: expected.chain_id, found }));
        }
        let latest: Latest = self.typed_from(id, "eth_getBlockByNumber", &next()?)?;
        if let Some(BlockRef { number, hash }) = expected.checkpoint {
            // A block that it does not have tells nothing.
            let found: Option<Hashed> = self.typed_from(id, "eth_getBlockByNumber", &next()?)?;
            if let Some(Hashed { hash: found }) = found.filter(|found| found.hash != hash) {
                return Ok(Some(SetAside::OtherBlock { number, expected: hash, found }));
            }
        }
        let still_after = self.inner.limits.still_after();
        let mut behind = self.inner.pool.saw(id, latest.head(), seen, still_after).filter(is_far);
        if let Some(BlockRef { number, .. }) = expected.checkpoint.filter(|block| block.number > latest.number) {
            behind.get_or_insert(SetAside::Behind { head: latest.number, seen: number });
        }
        if behind.is_some() || !whole {
            return Ok(behind);
        }
        for (address, role) in expected.contracts {
            let code: Bytes = self.typed_from(id, "eth_getCode", &next()?)?;
            if code.is_empty() {
                return Ok(Some(SetAside::NoContract { address, role }));
            }
        }
        Ok(None)
    }

    /// Asks one node, together if it takes that, else one by one.
    async fn ask_together(
        &self,
        id: NodeId,
        questions: &[Question],
    ) -> Result<Vec<Result<RawAnswer, RpcError>>, RpcError> {
        let node = self.inner.pool.node(id);
        let mut known: Vec<Option<Result<RawAnswer, RpcError>>> = questions.iter().map(|_| None).collect();
        if node.together.now() >= questions.len() {
            match self.ask(id, "eth_chainId", questions.len(), &Question::body(questions)).await?.many(questions)? {
                Taken::Answers(answers) => known = answers,
                Taken::No => node.together.refused(questions.len()),
            }
        }
        let mut answers = Vec::with_capacity(questions.len());
        for (question, known) in questions.iter().zip(known) {
            answers.push(match known {
                Some(answer) => answer,
                None => self.ask(id, question.method, 1, &question.alone()).await?.one(),
            });
        }
        Ok(answers)
    }

    /// Checks all nodes until one is well, as often as a call is tried.
    ///
    /// # Errors
    ///
    /// That of a node that may be well later; that of a node of another chain only when every node is one.
    pub(crate) async fn check_until_one_is_well(&self, patience: Duration) -> Result<(), RpcError> {
        let mut pauses = self.pauses();
        let nodes = self.inner.pool.ids().count();
        let mut other = None;
        loop {
            let failures = self.check_all(patience).await;
            let is_usable = |id| self.inner.pool.node(id).standing().is_of_chain();
            if self.inner.pool.ids().any(is_usable) {
                return Ok(());
            }
            // A node that is left alone for a while was not asked in this round, and may be the right one.
            let may_pass = failures.len() < nodes || failures.iter().any(RpcError::is_transient);
            let is_identity =
                |error: &RpcError| matches!(error, RpcError::SetAside { reason, .. } if reason.is_identity());
            other = failures.into_iter().rfind(|failure| !is_identity(failure)).or(other);
            match pauses.next().filter(|_| may_pass) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(other.or_else(|| self.set_aside()).unwrap_or(RpcError::NoEndpoint)),
            }
        }
    }

    /// The error of a node that is set aside: of one of another chain only when there is none for another reason.
    fn set_aside(&self) -> Option<RpcError> {
        let errors = self.inner.pool.ids().filter_map(|id| {
            let node = self.inner.pool.node(id);
            let reason = node.standing().set_aside()?.clone();
            let is_identity = reason.is_identity();
            Some((is_identity, RpcError::SetAside { endpoint: node.endpoint.clone(), method: "eth_chainId", reason }))
        });
        errors.min_by_key(|(is_identity, _)| *is_identity).map(|(_, error)| error)
    }

    /// Moves the checkpoint on. Nodes that were checked without one are checked again.
    pub(crate) fn remember(&self, checkpoint: BlockRef) {
        let Some(expected) = self.inner.expected() else { return };
        if expected.checkpoint == Some(checkpoint) {
            return;
        }
        let first = expected.checkpoint.is_none();
        let expected = Expected { checkpoint: Some(checkpoint), ..expected };
        self.set_expected(expected);
        if first {
            self.inner.pool.ids().for_each(|id| self.inner.pool.node(id).standing().uncheck());
        }
    }

    /// Every node that is not checked, at once; returns when all were, or one is well and the others take long.
    async fn check_all(&self, patience: Duration) -> Vec<RpcError> {
        let now = Instant::now();
        let mut checks: FuturesUnordered<_> = self
            .inner
            .pool
            .ids()
            .filter(|id| self.inner.pool.node(*id).standing().may_pass(now))
            .map(|id| {
                let rpc = self.clone();
                tokio::spawn(async move { rpc.check(id).await })
            })
            .collect();
        let mut failures = Vec::new();
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        let mut is_late = false;
        loop {
            tokio::select! {
                ended = checks.next() => match ended {
                    None => return failures,
                    Some(Ok(Err(error))) => failures.push(error),
                    Some(_) => {}
                },
                () = &mut deadline, if !is_late => is_late = true,
            }
            let is_well = |id| self.inner.pool.node(id).standing().is_well();
            if is_late && self.inner.pool.ids().any(is_well) {
                return failures;
            }
        }
    }
}
