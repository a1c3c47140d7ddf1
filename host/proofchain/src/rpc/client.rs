//! One question, one answer, over as many nodes as there are.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use backon::{ExponentialBuilder, Retryable};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;

use super::{
    Endpoint, RpcError,
    batch::{AdaptiveBatchSize, Question},
    reply::{Reply, returned},
};

/// Bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcLimits {
    /// Time limit of one attempt, from connecting to the last byte.
    pub timeout: Duration,
    /// Most bytes of an answer. Thousands of logs fit; a node cannot fill our memory.
    pub body_bytes: usize,
    /// The number of retries of one call, at any of the nodes.
    pub retries: usize,
    /// The first pause before trying again. It doubles, with jitter, up to 32 times this.
    pub first_pause: Duration,
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            body_bytes: 32 << 20,
            retries: 4,
            first_pause: Duration::from_millis(250),
        }
    }
}

/// Ratio of the longest pause to the first.
const LONGEST_PAUSE_FACTOR: u32 = 32;

/// A client of one or more nodes of the same chain. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rpc {
    pub(super) inner: Arc<Inner>,
    /// The number of nodes that are passed over, counted from the preferred one.
    skipped: usize,
}

#[derive(Debug)]
pub(super) struct Inner {
    endpoints: Vec<Endpoint>,
    http: reqwest::Client,
    limits: RpcLimits,
    /// The node that answered last; asked first next time.
    preferred: AtomicUsize,
    calls: AtomicU64,
    /// Most questions that a node may get in one request.
    pub(super) together: AdaptiveBatchSize,
}

impl Rpc {
    /// Prepares a client; asks nothing yet. The first address is preferred until it does not answer.
    ///
    /// # Errors
    ///
    /// [`RpcError::NoEndpoint`] and [`RpcError::Client`].
    pub fn new(urls: impl IntoIterator<Item = Url>, limits: RpcLimits) -> Result<Self, RpcError> {
        let endpoints: Vec<_> = urls.into_iter().map(Endpoint::new).collect();
        if endpoints.is_empty() {
            return Err(RpcError::NoEndpoint);
        }
        // One provider a process; that another crate installed it first is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(limits.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("refiner/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(RpcError::Client)?;
        let inner = Inner {
            endpoints,
            http,
            limits,
            preferred: AtomicUsize::new(0),
            calls: AtomicU64::new(0),
            together: AdaptiveBatchSize::default(),
        };
        Ok(Self { inner: Arc::new(inner), skipped: 0 })
    }

    /// The node that is asked first.
    pub fn endpoint(&self) -> &Endpoint {
        self.endpoint_at(self.inner.preferred.load(Ordering::Relaxed))
    }

    /// The same nodes, each asked first by one of the clients: the preferred one by the first.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        (0..self.inner.endpoints.len()).map(|further| self.after(further))
    }

    /// The same nodes, of which another than this client's is asked first, where there are several.
    pub(crate) fn elsewhere(&self) -> Self {
        self.after(1)
    }

    fn after(&self, further: usize) -> Self {
        Self { inner: Arc::clone(&self.inner), skipped: self.skipped + further }
    }

    fn endpoint_at(&self, turn: usize) -> &Endpoint {
        &self.inner.endpoints[turn.wrapping_add(self.skipped) % self.inner.endpoints.len()]
    }

    /// The number of requests since the start, retries included.
    pub fn requests(&self) -> u64 {
        self.inner.calls.load(Ordering::Relaxed)
    }

    /// Asks, and asks again or elsewhere while that can help.
    ///
    /// # Errors
    ///
    /// The last attempt's.
    pub async fn call<T: DeserializeOwned>(&self, method: &'static str, params: impl Serialize) -> Result<T, RpcError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.exchange(method, &body, |reply| reply.one()).await
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

    /// Sends a body and reads the reply, again or elsewhere while that can help.
    pub(super) async fn exchange<T>(
        &self,
        method: &'static str,
        body: &Value,
        read: impl Fn(Reply) -> Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        self.exchange_while(method, body, read, RpcError::is_transient).await
    }

    /// As [`exchange`](Self::exchange), after errors that `again` holds of.
    pub(super) async fn exchange_while<T>(
        &self,
        method: &'static str,
        body: &Value,
        read: impl Fn(Reply) -> Result<T, RpcError>,
        again: impl Fn(&RpcError) -> bool,
    ) -> Result<T, RpcError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.inner.limits.first_pause)
            .with_max_delay(self.inner.limits.first_pause * LONGEST_PAUSE_FACTOR)
            .with_max_times(self.inner.limits.retries)
            .with_jitter();
        let attempt = async || self.attempt(method, body, &read).await;
        attempt.retry(pauses).when(again).await
    }

    async fn attempt<T>(
        &self,
        method: &'static str,
        body: &Value,
        read: &impl Fn(Reply) -> Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        let turn = self.inner.preferred.load(Ordering::Relaxed);
        let asked = self.ask(self.endpoint_at(turn), method, body).await;
        let outcome = asked.and_then(read);
        if self.skipped == 0 && outcome.as_ref().is_err_and(RpcError::is_transient) {
            // Only a caller that saw this node fail moves on, so that many callers do not skip a good one.
            let next = turn.wrapping_add(1);
            let _ = self.inner.preferred.compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed);
        }
        outcome
    }

    async fn ask(&self, endpoint: &Endpoint, method: &'static str, body: &Value) -> Result<Reply, RpcError> {
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let broken = |source: reqwest::Error| {
            let endpoint = endpoint.clone();
            if source.is_timeout() {
                RpcError::TimedOut { endpoint, method, limit_ms: self.inner.limits.timeout.as_millis() }
            } else {
                RpcError::Unreachable { endpoint, method, source: source.without_url() }
            }
        };
        let mut response = endpoint.post(&self.inner.http).json(body).send().await.map_err(broken)?;
        let status = response.status();
        let limit_bytes = self.inner.limits.body_bytes;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(RpcError::TooLarge { endpoint: endpoint.clone(), method, limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Reply { endpoint: endpoint.clone(), method, status, bytes })
    }
}
