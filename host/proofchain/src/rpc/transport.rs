//! A request to one node, and its reply within the limits.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime},
};

use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{Rpc, RpcError, reply::Reply, route::NodeId};

impl Rpc {
    /// Asks one node once, when it is its time.
    pub(super) async fn ask(
        &self,
        id: NodeId,
        method: &'static str,
        questions: usize,
        body: &Value,
    ) -> Result<Reply, RpcError> {
        let node = self.inner.pool.node(id);
        let wait = node.rate.take(questions, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let endpoint = &node.endpoint;
        let response = endpoint.post(&self.inner.http).json(body).send().await;
        let response = response.map_err(|source| self.broken(id, method, source))?;
        if let Some(source) = self.inner.egress.refusal_or_page(&response) {
            return Err(RpcError::Proxy { endpoint: endpoint.clone(), method, source });
        }
        let status = response.status();
        if let Some(pause) = retry_after(response.headers()).filter(|_| !status.is_success()) {
            node.standing().ask_not_before(pause.min(self.inner.limits.longest_wait));
        }
        let bytes = self.body(id, method, response).await?;
        Ok(Reply { endpoint: endpoint.clone(), method, status, bytes })
    }

    /// Reads an answer that is neither too large nor too slow.
    async fn body(&self, id: NodeId, method: &'static str, mut response: Response) -> Result<Vec<u8>, RpcError> {
        let endpoint = || self.inner.pool.node(id).endpoint.clone();
        let (limit_bytes, speed) = (self.inner.limits.body_bytes, self.inner.limits.speed);
        let mut bytes = Vec::new();
        let mut measured_from = (tokio::time::Instant::now(), 0);
        loop {
            let (since, before) = measured_from;
            let chunk = match tokio::time::timeout_at(since + speed.over, response.chunk()).await {
                Ok(chunk) => chunk.map_err(|source| self.broken(id, method, source))?,
                Err(_) => {
                    let came = bytes.len() - before;
                    if speed.is_missed_by(came) {
                        let over_ms = speed.over.as_millis();
                        return Err(RpcError::TooSlow { endpoint: endpoint(), method, bytes: came, over_ms });
                    }
                    measured_from = (since + speed.over, bytes.len());
                    continue;
                }
            };
            let Some(chunk) = chunk else { return Ok(bytes) };
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(RpcError::TooLarge { endpoint: endpoint(), method, limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    fn broken(&self, id: NodeId, method: &'static str, source: reqwest::Error) -> RpcError {
        let endpoint = self.inner.pool.node(id).endpoint.clone();
        if source.is_timeout() {
            RpcError::TimedOut { endpoint, method, limit_ms: self.inner.limits.timeout.as_millis() }
        } else {
            match self.inner.egress.failure(source) {
                Ok(source) => RpcError::Proxy { endpoint, method, source },
                Err(source) => RpcError::Unreachable { endpoint, method, source },
            }
        }
    }
}

/// The time that a node asks for, in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok()?,
    };
    Some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Duration> {
        retry_after(&[(RETRY_AFTER, text.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("86400"), Some(Duration::from_secs(86_400)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!(read(&date).is_some_and(|pause| (50..=60).contains(&pause.as_secs())), "{date}");
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(read("soon"), None);
    }
}
