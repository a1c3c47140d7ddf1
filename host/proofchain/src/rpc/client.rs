//! One question, one answer, over as many nodes as there are.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use refiner_http_client::Egress;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use url::Url;

use super::{
    Endpoint, NodeReport, RpcError, RpcLimits,
    expected::Expected,
    health::Consequence,
    pool::{Choice, Pool},
    question::Question,
    reply::{Reply, returned},
    request::Request,
    route::{NodeId, NodeSet, Route},
};

/// A client of one or more nodes of the same chain. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rpc {
    pub(super) inner: Arc<Inner>,
    /// The nodes that this client's questions may go to.
    pub(super) route: Route,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub pool: Pool,
    pub http: reqwest::Client,
    pub egress: Egress,
    pub limits: RpcLimits,
    pub calls: AtomicU64,
    /// What every node must have, once it is known. A lock because the checkpoint moves on; held for a copy.
    expected: Mutex<Option<Expected>>,
}

impl Inner {
    pub fn expected(&self) -> Option<Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Rpc {
    /// Prepares a client without a proxy; asks nothing yet. The first address is preferred while it is well.
    ///
    /// # Errors
    ///
    /// [`RpcError::NoEndpoint`] and [`RpcError::Client`].
    pub fn new(urls: impl IntoIterator<Item = Url>, limits: RpcLimits) -> Result<Self, RpcError> {
        Self::through(&Egress::default(), urls, limits)
    }

    /// As [`new`](Self::new), by the way that requests take out of this machine.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn through(egress: &Egress, urls: impl IntoIterator<Item = Url>, limits: RpcLimits) -> Result<Self, RpcError> {
        let endpoints: Vec<_> = urls.into_iter().map(Endpoint::new).collect();
        if endpoints.is_empty() {
            return Err(RpcError::NoEndpoint);
        }
        let http = egress
            .builder()
            .timeout(limits.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(RpcError::Client)?;
        let pool = Pool::new(endpoints, &limits);
        let egress = egress.clone();
        let inner = Inner { pool, http, egress, limits, calls: AtomicU64::new(0), expected: Mutex::default() };
        Ok(Self { inner: Arc::new(inner), route: Route::default() })
    }

    /// The node that is asked first.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.pool.node(self.first(self.route)).endpoint
    }

    /// A client for each node that may be asked, the best first; none of them asks another node.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        let nodes = self.inner.pool.usable(self.inner.expected().is_some());
        let only = nodes.into_iter().map(Route::only).filter(|_| !self.inner.pool.is_single());
        let routes: Vec<_> = only.collect();
        let routes = if routes.is_empty() { vec![self.route] } else { routes };
        routes.into_iter().map(|route| Self { inner: Arc::clone(&self.inner), route })
    }

    /// A client of the other nodes than this one's; of the same where none of them is well.
    pub(crate) fn elsewhere(&self) -> Self {
        let node = self.first(self.route);
        let route = if self.has_another(node) { Route::elsewhere(node) } else { self.route };
        Self { inner: Arc::clone(&self.inner), route }
    }

    /// The number of requests since the start, retries included.
    pub fn requests(&self) -> u64 {
        self.inner.calls.load(Ordering::Relaxed)
    }

    /// Every node and its standing, in the order of the addresses.
    pub fn nodes(&self) -> Vec<NodeReport> {
        self.inner.pool.reports()
    }

    /// A number that grows with each change of a node's standing.
    pub fn changes(&self) -> u64 {
        self.inner.pool.changes()
    }

    /// Sets what every node must have. All are checked before they are asked again.
    pub(crate) fn expect(&self, expected: Expected) {
        self.set_expected(expected);
        self.inner.pool.ids().for_each(|id| self.inner.pool.node(id).standing().uncheck());
    }

    pub(super) fn set_expected(&self, expected: Expected) {
        *self.inner.expected.lock().unwrap_or_else(PoisonError::into_inner) = Some(expected);
    }

    /// Asks, and asks again or elsewhere while that can help.
    ///
    /// # Errors
    ///
    /// The last attempt's.
    pub async fn call<T: DeserializeOwned>(&self, method: &'static str, params: impl Serialize) -> Result<T, RpcError> {
        Ok(self.call_by(self.route, method, params).await?.0)
    }

    /// Asks a node that `route` permits, and tells which.
    ///
    /// # Errors
    ///
    /// The last attempt's.
    pub(crate) async fn call_by<T: DeserializeOwned>(
        &self,
        route: Route,
        method: &'static str,
        params: impl Serialize,
    ) -> Result<(T, NodeId), RpcError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.exchange(&Request { route, method, questions: 1, body }, |reply| reply.one()).await
    }

    /// Calls a contract's view function at the latest block.
    ///
    /// # Errors
    ///
    /// The errors of [`Rpc::call`], and [`RpcError::Abi`].
    pub(crate) async fn view<C: SolCall>(&self, contract: Address, call: &C) -> Result<C::Return, RpcError> {
        let Question { method, params } = Question::view(contract, call);
        returned::<C>(&self.call::<Bytes>(method, params).await?)
    }

    pub(super) fn first(&self, route: Route) -> NodeId {
        self.inner.pool.first(route, self.inner.expected().is_some())
    }

    pub(super) fn pauses(&self) -> ExponentialBackoff {
        let limits = &self.inner.limits;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(limits.first_pause)
            .with_max_delay(limits.longest_pause())
            .with_max_times(limits.retries)
            .with_jitter();
        pauses.build()
    }

    /// Sends a body and reads the reply: at each node that may answer, and again after a pause while that can help.
    pub(super) async fn exchange<T>(
        &self,
        request: &Request,
        read: impl Fn(Reply) -> Result<T, RpcError>,
    ) -> Result<(T, NodeId), RpcError> {
        self.exchange_while(request, read, RpcError::is_transient).await
    }

    /// As [`exchange`](Self::exchange), and again after errors that `again` holds of. A single node is not asked again while another
    /// is well: the caller has that one.
    pub(super) async fn exchange_while<T>(
        &self,
        request: &Request,
        read: impl Fn(Reply) -> Result<T, RpcError>,
        again: impl Fn(&RpcError) -> bool,
    ) -> Result<(T, NodeId), RpcError> {
        let mut pauses = self.pauses();
        loop {
            let error = match self.round(request, &read).await {
                Ok(answered) => return Ok(answered),
                Err(error) => error,
            };
            let has_another = request.route.one().is_some_and(|node| self.has_another(node));
            match pauses.next() {
                Some(pause) if again(&error) && !has_another => tokio::time::sleep(pause).await,
                _ => return Err(error),
            }
        }
    }

    /// Asks each node that may answer once, until one does.
    async fn round<T>(
        &self,
        request: &Request,
        read: &impl Fn(Reply) -> Result<T, RpcError>,
    ) -> Result<(T, NodeId), RpcError> {
        let Request { route, method, questions, body } = request;
        let (mut tried, mut last) = (NodeSet::default(), None);
        loop {
            let checks = self.inner.expected().is_some();
            let id = match self.inner.pool.choose(*route, method, checks, tried) {
                Choice::Ask(id) => id,
                Choice::Check(id) => {
                    match self.check_if_due(id).await {
                        // Behind is better than none.
                        Err(RpcError::SetAside { reason, .. }) if reason.is_behind() => {}
                        Err(error) => {
                            tried.insert(id);
                            last = Some(error);
                        }
                        Ok(()) => {}
                    }
                    continue;
                }
                Choice::Later(id, wait) => {
                    if wait <= self.inner.limits.longest_pause() {
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                    return Err(last.unwrap_or_else(|| self.later(id, method, wait)));
                }
                Choice::None => return Err(last.unwrap_or_else(|| self.inner.pool.refusal(*route, method))),
            };
            self.check_others(id);
            let error = match self.ask(id, method, *questions, body).await.and_then(read) {
                Ok(answer) => {
                    let changed = self.inner.pool.node(id).standing().answered();
                    self.inner.pool.changed(changed);
                    return Ok((answer, id));
                }
                Err(error) => error,
            };
            if !self.note(id, method, &error) {
                return Err(error);
            }
            tried.insert(id);
            last = Some(error);
        }
    }

    /// Takes note of an error; whether another node may answer.
    pub(super) fn note(&self, id: NodeId, method: &'static str, error: &RpcError) -> bool {
        let consequence = error.consequence();
        let changed = self.inner.pool.node(id).standing().failed(consequence, method, &self.inner.limits);
        self.inner.pool.changed(changed);
        consequence != Consequence::None
    }

    fn later(&self, id: NodeId, method: &'static str, wait: Duration) -> RpcError {
        let endpoint = self.inner.pool.node(id).endpoint.clone();
        RpcError::Later { endpoint, method, wait_s: wait.as_secs().saturating_add(1) }
    }
}
