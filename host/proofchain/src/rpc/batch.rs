//! Several questions in one request.

use futures_util::{StreamExt as _, stream};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::{
    Endpoint, RawAnswer, Rpc, RpcError,
    health::Consequence,
    question::Question,
    reply::Reply,
    request::Request,
    route::{Answered, NodeId, Route},
};

/// Questions that are asked alone, side by side.
const ALONE_AT_ONCE: usize = 8;

/// Answers of one node, given at one moment.
#[derive(Debug)]
pub(crate) struct BatchAnswers {
    pub node: Endpoint,
    /// In the order of the questions.
    pub answers: Vec<Result<RawAnswer, RpcError>>,
}

/// A node's reaction to several questions.
pub(super) enum Taken<T> {
    /// Answers in the order of the questions; `None` where there was none.
    Answers(Vec<Option<Result<T, RpcError>>>),
    /// It answers one question at a time, or fewer than these.
    No,
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
            let (part, after) = rest.split_at(self.together_now(self.route, rest.len()));
            if let Some(answered) = self.part(self.route, part, false).await? {
                answers.extend(answered.answers);
                rest = after;
            }
        }
        Ok(answers)
    }

    /// The same from one node, which `route` permits.
    ///
    /// # Errors
    ///
    /// The last attempt's, when a whole request came to nothing.
    pub(crate) async fn call_all_by<T: DeserializeOwned>(
        &self,
        mut route: Route,
        questions: &[Question],
    ) -> Result<Answered<T>, RpcError> {
        let mut answers = Vec::with_capacity(questions.len());
        let mut rest = questions;
        let mut node = self.first(route);
        while !rest.is_empty() {
            let (part, after) = rest.split_at(self.together_now(route, rest.len()));
            if let Some(answered) = self.part(route, part, true).await? {
                node = answered.node;
                route = Route::only(node);
                answers.extend(answered.answers);
                rest = after;
            }
        }
        Ok(Answered { answers, node })
    }

    /// Asks several questions in one request, so that one node answers them all at one moment. `None` where the node does not
    /// take or does not answer them together; the caller finds out why. A time limit that passed is not tried again: it may be
    /// the questions that take too long.
    ///
    /// # Errors
    ///
    /// The last attempt's, when the request came to nothing.
    pub(crate) async fn call_at_once(&self, questions: &[Question]) -> Result<Option<BatchAnswers>, RpcError> {
        let again = |error: &RpcError| error.is_transient() && !matches!(error, RpcError::TimedOut { .. });
        let request = Request::of(self.route, questions);
        let read = |reply: Reply| reply.many::<RawAnswer>(questions);
        match self.exchange_while(&request, read, again).await {
            Ok((Taken::Answers(answers), node)) => {
                let answers: Option<Vec<_>> = answers.into_iter().collect();
                let node = self.inner.pool.node(node);
                node.together.answered();
                Ok(answers.map(|answers| BatchAnswers { node: node.endpoint.clone(), answers }))
            }
            Ok((Taken::No, _)) => Ok(None),
            Err(error) => {
                if matches!(error, RpcError::Status { status: StatusCode::TOO_MANY_REQUESTS, .. }) {
                    self.inner.pool.node(self.first(self.route)).together.gave_up();
                }
                Err(error)
            }
        }
    }

    /// The number of questions for one [`call_at_once`](Self::call_at_once): at least `least` unless the node is known to take
    /// fewer, and 1 then.
    pub(crate) fn takes_at_once(&self, least: usize) -> usize {
        let together = &self.inner.pool.node(self.first(self.route)).together;
        if together.most() < least { 1 } else { together.now().max(least) }
    }

    /// The node does not take so many questions in one request, and answers them alone.
    pub(crate) fn takes_fewer_than(&self, questions: usize) {
        self.inner.pool.node(self.first(self.route)).together.refused(questions);
    }

    /// An answer of this client's node as what its method answers, where the methods were different ones.
    pub(crate) fn typed<T: DeserializeOwned>(&self, method: &'static str, answer: &RawAnswer) -> Result<T, RpcError> {
        self.typed_from(self.first(self.route), method, answer)
    }

    /// An answer of [`call_all_by`](Self::call_all_by) as what its method answers, where the methods were different ones.
    pub(crate) fn typed_from<T: DeserializeOwned>(
        &self,
        node: NodeId,
        method: &'static str,
        answer: &RawAnswer,
    ) -> Result<T, RpcError> {
        serde_json::from_str(answer.get()).map_err(|source| {
            let endpoint = self.inner.pool.node(node).endpoint.clone();
            let source = endpoint.scrubbed_error(&source);
            RpcError::Malformed { endpoint, method, envelope: false, source }
        })
    }

    /// The number of questions that go together now; all where they go alone.
    fn together_now(&self, route: Route, questions: usize) -> usize {
        match self.inner.pool.node(self.first(route)).together.now() {
            1 => questions,
            together => together.min(questions),
        }
    }

    /// Asks questions that go together; `None` where the node takes fewer. Where `pinned`, all answers are of one node.
    async fn part<T: DeserializeOwned>(
        &self,
        route: Route,
        part: &[Question],
        pinned: bool,
    ) -> Result<Option<Answered<T>>, RpcError> {
        let asked = self.inner.pool.node(self.first(route));
        let mut refused = None;
        if part.len() > 1 && asked.together.now() > 1 {
            match self.together(route, part).await {
                Ok((Taken::Answers(known), node)) => {
                    let answers = self.rest_alone(route, node, part, known, pinned).await;
                    self.inner.pool.node(node).together.answered();
                    return Ok(Some(Answered { answers, node }));
                }
                Ok((Taken::No, node)) => {
                    self.inner.pool.node(node).together.refused(part.len());
                    return Ok(None);
                }
                Err(error) => {
                    asked.together.gave_up();
                    if error.is_transient() || !error.fails_node() {
                        return Err(error);
                    }
                    // Some gateways refuse a whole request for one of its questions.
                    refused = Some(error);
                }
            }
        }
        let Some((question, others)) = part.split_first() else { return Ok(None) };
        let (first, node) = match self.call_by(route, question.method, &question.params).await {
            Ok((first, node)) => (Ok(first), node),
            Err(error) => match refused {
                Some(refused) if error.fails_node() => return Err(refused),
                _ => (Err(error), self.first(route)),
            },
        };
        let known = std::iter::once(Some(first)).chain(others.iter().map(|_| None)).collect();
        let answers = self.rest_alone(route, node, part, known, pinned).await;
        self.inner.pool.node(node).together.answered();
        Ok(Some(Answered { answers, node }))
    }

    /// Asks alone what `node` did not answer among others: of itself where `pinned`, else of any.
    async fn rest_alone<T: DeserializeOwned>(
        &self,
        route: Route,
        node: NodeId,
        questions: &[Question],
        known: Vec<Option<Result<T, RpcError>>>,
        pinned: bool,
    ) -> Vec<Result<T, RpcError>> {
        let route = if pinned { Route::only(node) } else { route };
        let goes_elsewhere = !pinned && self.has_another(node);
        let mut answers = Vec::with_capacity(questions.len());
        for (question, known) in questions.iter().zip(known) {
            let known = match known {
                Some(Err(error)) if error.consequence() == Consequence::MethodUnfit => {
                    self.note(node, question.method, &error);
                    (!goes_elsewhere).then_some(Err(error))
                }
                // What is answered "later" is asked again, alone.
                known => known.filter(|known| !known.as_ref().is_err_and(RpcError::is_transient)),
            };
            answers.push(self.known_or_alone(route, question, known));
        }
        stream::iter(answers).buffered(ALONE_AT_ONCE).collect().await
    }

    async fn known_or_alone<T: DeserializeOwned>(
        &self,
        route: Route,
        question: &Question,
        known: Option<Result<T, RpcError>>,
    ) -> Result<T, RpcError> {
        match known {
            Some(known) => known,
            None => Ok(self.call_by(route, question.method, &question.params).await?.0),
        }
    }

    async fn together<T: DeserializeOwned>(
        &self,
        route: Route,
        questions: &[Question],
    ) -> Result<(Taken<T>, NodeId), RpcError> {
        self.exchange(&Request::of(route, questions), |reply| reply.many(questions)).await
    }
}

impl Request {
    fn of(route: Route, questions: &[Question]) -> Self {
        let method = questions.first().map_or("", |first| first.method);
        Self { route, method, questions: questions.len(), body: Question::body(questions) }
    }
}
