//! The way of spans to their receiver, which is never waited for.

use std::time::Duration;

use refiner_diagnostics::ErrorChain;
use refiner_http_client::Egress;
use reqwest::{Client, StatusCode, redirect::Policy};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{QUEUE, Span, Tracer, otlp};
use crate::{engine::outage::Outage, observe::metrics::Metrics};

/// Most spans that one request carries.
const BATCH_MAX: usize = 512;
/// Time in which spans gather for a request.
const GATHER: Duration = Duration::from_secs(1);
/// Time limit for one request. A receiver that takes longer loses spans, and holds up nothing else.
const DEADLINE: Duration = Duration::from_secs(5);
/// The path of traces below an endpoint, by the specification of OTLP/HTTP.
const PATH: &str = "v1/traces";

/// Errors of setting up the export.
#[derive(Debug, thiserror::Error)]
#[error("the client for --otlp-endpoint cannot be made")]
pub struct ExportError(#[source] reqwest::Error);

/// Failures of one request, without its URL, which may hold credentials.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("no answer")]
    Http(#[source] reqwest::Error),
    #[error("status {0}")]
    Status(StatusCode),
}

/// Sends the spans that a tracer took to their receiver.
pub struct Exporter {
    client: Client,
    endpoint: Url,
    spans: mpsc::Receiver<Span>,
    metrics: Metrics,
}

impl Exporter {
    /// A tracer, and what sends its spans to the endpoint.
    ///
    /// # Errors
    ///
    /// [`ExportError`]
    pub fn new(egress: &Egress, endpoint: &Url, metrics: Metrics) -> Result<(Tracer, Self), ExportError> {
        // A receiver has no reason to send spans elsewhere.
        let client = egress.builder().timeout(DEADLINE).redirect(Policy::none()).build().map_err(ExportError)?;
        let (tracer, spans) = Tracer::new(metrics.clone(), QUEUE);
        Ok((tracer, Self { client, endpoint: of_traces(endpoint), spans, metrics }))
    }

    /// Sends until `stop`, and then once more what is there.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut outage = Outage::default();
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                some = self.spans.recv_many(&mut batch, BATCH_MAX) => if some == 0 { return },
                () = stop.cancelled() => {}
            }
            if batch.len() < BATCH_MAX {
                tokio::select! {
                    () = sleep(GATHER) => {}
                    () = stop.cancelled() => {}
                }
            }
            while batch.len() < BATCH_MAX
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if !batch.is_empty() {
                self.send(&batch, &mut outage).await;
            }
            if stop.is_cancelled() && self.spans.is_empty() {
                return;
            }
        }
    }

    async fn send(&self, batch: &[Span], outage: &mut Outage) {
        let spans = batch.len() as u64;
        match self.post(batch).await {
            Ok(()) => {
                if let Some(failures) = outage.over() {
                    tracing::info!(failures, "receiver of traces answers again");
                }
                self.metrics.spans_exported(spans);
            }
            Err(error) => {
                let error = ErrorChain(&error).to_string();
                if outage.failed(&error) {
                    tracing::warn!(error, spans, "receiver of traces fails, spans are dropped");
                }
                self.metrics.spans_dropped(spans);
            }
        }
    }

    async fn post(&self, batch: &[Span]) -> Result<(), SendError> {
        let request = self.client.post(self.endpoint.clone()).json(&otlp::request(batch));
        let response = request.send().await.map_err(|error| SendError::Http(error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(SendError::Status(status)),
        }
    }
}

/// The endpoint itself where it names the path, else the path below it.
fn of_traces(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with(PATH) {
        url.set_path(&format!("{path}/{PATH}"));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_a_base_or_the_whole_path() {
        for (given, asked) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://user:key@tempo.example/otlp", "https://user:key@tempo.example/otlp/v1/traces"),
            ("https://tempo.example/v1/traces", "https://tempo.example/v1/traces"),
        ] {
            assert_eq!(of_traces(&given.parse().unwrap()).as_str(), asked);
        }
    }

    #[test]
    fn full_queue_drops_spans_and_counts_them() {
        let metrics = Metrics::new().unwrap();
        let (tracer, mut spans) = Tracer::new(metrics.clone(), 2);
        let span = Span {
            trace: [1; 16],
            id: [2; 8],
            parent: None,
            name: "fetch",
            start: 1,
            end: 2,
            attributes: Vec::new(),
            is_error: false,
        };
        for _ in 0..5 {
            tracer.finish(span.clone());
        }
        let text = metrics.render(&crate::observe::metrics::Scrape::default()).unwrap();
        assert!(text.contains("refiner_trace_spans_total{outcome=\"dropped\"} 3\n"), "{text}");
        assert_eq!(spans.try_recv(), Ok(span));
    }
}
