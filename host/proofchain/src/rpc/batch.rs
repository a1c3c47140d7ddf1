//! Several questions in one request.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use futures_util::{StreamExt as _, stream};
use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Endpoint, Rpc, RpcError, answer::Answer, reply::Reply};

/// Most questions in one request. Providers take from three to a thousand.
const BATCH_MAX: usize = 32;
/// Requests that are answered before one more question is put into one, after a node was not up to so many.
const RAMP_UP_AFTER: usize = 32;
/// Questions that are asked alone, side by side.
const ALONE_AT_ONCE: usize = 8;

/// One of several questions.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub method: &'static str,
    pub params: Value,
}

impl Question {
    pub fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }

    /// A call of a contract's view function at the latest block.
    pub fn view<C: SolCall>(contract: Address, call: &C) -> Self {
        Self::new("eth_call", json!([{"to": contract, "data": Bytes::from(call.abi_encode())}, "latest"]))
    }
}

/// One answer of several, which may come in any order.
#[derive(Deserialize)]
struct Numbered {
    id: usize,
    #[serde(flatten)]
    answer: Answer<Value>,
}

/// Answers of one node, given at one moment.
#[derive(Debug)]
pub(crate) struct BatchAnswers {
    pub node: Endpoint,
    /// In the order of the questions.
    pub answers: Vec<Result<Value, RpcError>>,
}

/// A node's reaction to several questions.
enum Taken<T> {
    /// Answers in the order of the questions; `None` where there was none.
    Answers(Vec<Option<Result<T, RpcError>>>),
    /// It answers one question at a time, or fewer than these.
    No,
}

/// The number of questions that a node gets in one request. It changes no other memory, so nothing is ordered by it.
#[derive(Debug)]
pub(super) struct AdaptiveBatchSize {
    now: AtomicUsize,
    /// The most that it takes, as far as it is known.
    most: AtomicUsize,
    /// Requests answered since the last change.
    calm: AtomicUsize,
}

impl Default for AdaptiveBatchSize {
    fn default() -> Self {
        Self { now: BATCH_MAX.into(), most: BATCH_MAX.into(), calm: 0.into() }
    }
}

impl AdaptiveBatchSize {
    fn now(&self) -> usize {
        self.now.load(Relaxed)
    }

    /// The node takes fewer than this. That does not change.
    fn refused(&self, questions: usize) {
        self.most.fetch_min((questions / 2).max(1), Relaxed);
        self.now.fetch_min((questions / 2).max(1), Relaxed);
    }

    /// A request came to nothing, perhaps because its questions were too many for a rate limit or for the time there is.
    fn gave_up(&self) {
        self.calm.store(0, Relaxed);
        self.now.store((self.now() / 2).max(1), Relaxed);
    }

    fn answered(&self) {
        if self.now() < self.most.load(Relaxed) && self.calm.fetch_add(1, Relaxed) >= RAMP_UP_AFTER {
            self.calm.store(0, Relaxed);
            self.now.fetch_add(1, Relaxed);
        }
    }
}

impl Rpc {
    /// Asks several questions in as few requests as the node takes. What it does not answer together is asked alone. The
    /// answers are in the order of the questions.
    ///
    /// # Errors
    ///
    /// The last attempt's, when a whole request came to nothing.
    pub(crate) async fn call_all<T: DeserializeOwned>(
        &self,
        questions: &[Question],
    ) -> Result<Vec<Result<T, RpcError>>, RpcError> {
        let mut answers = Vec::with_capacity(questions.len());
        let mut rest = questions;
        while !rest.is_empty() {
            let together = self.inner.together.now();
            let (part, after) = rest.split_at(if together > 1 { rest.len().min(together) } else { rest.len() });
            let known = if together > 1 && part.len() > 1 {
                match self.together(part).await {
                    // What is answered "later" is asked again, alone.
                    Ok(Taken::Answers(known)) => known.into_iter().map(|one| one.filter(is_settled)).collect(),
                    Ok(Taken::No) => {
                        self.inner.together.refused(part.len());
                        continue;
                    }
                    Err(error) => {
                        self.inner.together.gave_up();
                        return Err(error);
                    }
                }
            } else {
                part.iter().map(|_| None).collect()
            };
            answers.extend(self.rest_alone(part, known).await);
            self.inner.together.answered();
            rest = after;
        }
        Ok(answers)
    }

    /// Asks several questions in one request, so that one node answers them all at one moment. `None` where the node does not
    /// take or does not answer them together; the caller finds out why. A time limit that passed is not tried again: it may be
    /// the questions that take too long.
    ///
    /// # Errors
    ///
    /// The last attempt's, when the request came to nothing.
    pub(crate) async fn call_at_once(&self, questions: &[Question]) -> Result<Option<BatchAnswers>, RpcError> {
        let Some(first) = questions.first() else { return Ok(None) };
        let again = |error: &RpcError| error.is_transient() && !matches!(error, RpcError::TimedOut { .. });
        let read = |reply: Reply| Ok((reply.endpoint.clone(), reply.many::<Value>(questions)?));
        match self.exchange_while(first.method, &body_of(questions), read, again).await {
            Ok((node, Taken::Answers(answers))) => {
                let answers: Option<Vec<_>> = answers.into_iter().collect();
                self.inner.together.answered();
                Ok(answers.map(|answers| BatchAnswers { node, answers }))
            }
            Ok((_, Taken::No)) => Ok(None),
            Err(error) => {
                if matches!(error, RpcError::Status { status: StatusCode::TOO_MANY_REQUESTS, .. }) {
                    self.inner.together.gave_up();
                }
                Err(error)
            }
        }
    }

    /// The number of questions for one [`call_at_once`](Self::call_at_once): at least `least` unless the node is known to take
    /// fewer, and 1 then.
    pub(crate) fn takes_at_once(&self, least: usize) -> usize {
        if self.inner.together.most.load(Relaxed) < least { 1 } else { self.inner.together.now().max(least) }
    }

    /// The node does not take so many questions in one request, and answers them alone.
    pub(crate) fn takes_fewer_than(&self, questions: usize) {
        self.inner.together.refused(questions);
    }

    /// An answer of [`call_all`](Self::call_all) as what its method answers, where the methods were different ones.
    pub(crate) fn typed<T: DeserializeOwned>(&self, method: &'static str, answer: Value) -> Result<T, RpcError> {
        serde_json::from_value(answer).map_err(|source| {
            let endpoint = self.endpoint().clone();
            RpcError::Malformed { endpoint, method, source }
        })
    }

    async fn rest_alone<T: DeserializeOwned>(
        &self,
        questions: &[Question],
        known: Vec<Option<Result<T, RpcError>>>,
    ) -> Vec<Result<T, RpcError>> {
        let mut answers = Vec::with_capacity(questions.len());
        for (question, known) in questions.iter().zip(known) {
            answers.push(self.known_or_alone(question, known));
        }
        stream::iter(answers).buffered(ALONE_AT_ONCE).collect().await
    }

    async fn known_or_alone<T: DeserializeOwned>(
        &self,
        question: &Question,
        known: Option<Result<T, RpcError>>,
    ) -> Result<T, RpcError> {
        match known {
            Some(known) => known,
            None => self.call(question.method, &question.params).await,
        }
    }

    async fn together<T: DeserializeOwned>(&self, questions: &[Question]) -> Result<Taken<T>, RpcError> {
        let Some(first) = questions.first() else { return Ok(Taken::Answers(Vec::new())) };
        self.exchange(first.method, &body_of(questions), |reply| reply.many(questions)).await
    }
}

fn body_of(questions: &[Question]) -> Value {
    let body = questions.iter().enumerate().map(
        |(id, Question { method, params })| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
    );
    body.collect()
}

/// Whether an answer is the node's last word for now.
fn is_settled<T>(answer: &Result<T, RpcError>) -> bool {
    !answer.as_ref().is_err_and(RpcError::is_transient)
}

impl Reply {
    fn many<T: DeserializeOwned>(mut self, questions: &[Question]) -> Result<Taken<T>, RpcError> {
        // Too many requests, or a node that is not well: nothing to do with their number.
        if self.is_later() || self.status.is_server_error() {
            return Err(self.refused_by_status());
        }
        let Ok(numbered) = serde_json::from_slice::<Vec<Numbered>>(&self.bytes) else {
            return match self.one::<Value>() {
                Err(error) if error.is_transient() => Err(error),
                _ => Ok(Taken::No),
            };
        };
        let mut answers: Vec<Option<Result<T, RpcError>>> = questions.iter().map(|_| None).collect();
        for Numbered { id, answer } in numbered {
            let (Some(question), Some(place)) = (questions.get(id), answers.get_mut(id)) else { continue };
            self.method = question.method;
            let answer = self
                .answered(answer)
                .and_then(|value| serde_json::from_value(value).map_err(|source| self.malformed(source)));
            *place = Some(answer);
        }
        Ok(Taken::Answers(answers))
    }
}
