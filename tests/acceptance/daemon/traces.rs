//! Traces over OTLP/HTTP, as a receiver gets them. The receiver reads nothing but the form of the specification: every unknown key fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use alloy_primitives::hex;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State as Shared,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use refiner_journal::State;
use refiner_testchain::OPERATOR_KEY;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{bench::Bench, specimens::stream};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    name: String,
    #[allow(dead_code, reason = "it has to be there")]
    version: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Span {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    key: String,
    value: AnyValue,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum AnyValue {
    StringValue(String),
    IntValue(String),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    code: u8,
}

impl Span {
    fn start(&self) -> u64 {
        self.start_time_unix_nano.parse().unwrap()
    }

    fn end(&self) -> u64 {
        self.end_time_unix_nano.parse().unwrap()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.key == key).map(|attribute| match &attribute.value {
            AnyValue::StringValue(text) | AnyValue::IntValue(text) => text.as_str(),
        })
    }
}

/// A receiver of spans.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Taken>>);

/// Spans, the bodies they came in, and the values of `authorization`.
#[derive(Clone, Default)]
struct Taken {
    spans: Vec<Span>,
    bodies: String,
    authorizations: BTreeSet<String>,
}

impl Received {
    /// Listens on a free port.
    fn start(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let router = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        port
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().spans.clone()
    }
}

async fn take(Shared(received): Shared<Received>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    assert_eq!(headers["content-type"], "application/json");
    let text = String::from_utf8(body.to_vec()).unwrap();
    let request: Request = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut received = received.0.lock().unwrap();
    for resource in request.resource_spans {
        let names: Vec<_> = resource.resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(names, ["service.name", "service.version"]);
        for scope in resource.scope_spans {
            assert_eq!(scope.scope.name, "refiner");
            received.spans.extend(scope.spans);
        }
    }
    received.bodies.push_str(&text);
    received.authorizations.extend(headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()));
    (StatusCode::OK, Json(json!({})))
}

/// The value of a series in a scrape.
fn series(bench: &Bench, name: &str) -> f64 {
    let scrape = bench.get("/metrics").unwrap();
    let line = scrape.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} in {scrape}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_is_one_trace_across_coordinator_worker_executor_and_proof() {
    let Some(mut bench) = Bench::new().await else { return };
    let received = Received::default();
    let port = received.start();
    bench.flags = ["--otlp-endpoint", &format!("http://user:s3cret@127.0.0.1:{port}")].map(str::to_owned).into();
    let given = stream(2);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until_all(State::Final, 2).await;
    bench
        .until("both traces have their last span", |_| {
            received.spans().iter().filter(|span| span.name == "specimen").count() == 2
        })
        .await;

    let mut traces: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for span in received.spans() {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    let expected: BTreeSet<_> = given.iter().map(|given| hex::encode(&given.hash[..16])).collect();
    assert_eq!(
        traces.keys().cloned().collect::<BTreeSet<_>>(),
        expected,
        "a trace has the beginning of its specimen's hash"
    );
    for spans in traces.values() {
        check_trace(spans);
    }
    assert!(series(&bench, "refiner_trace_spans_total{outcome=\"exported\"}") >= 20.0);
    assert_eq!(series(&bench, "refiner_trace_spans_total{outcome=\"dropped\"}"), 0.0);

    // Neither spans nor log nor status have a secret or an address.
    let Taken { bodies, authorizations, .. } = received.0.lock().unwrap().clone();
    assert_eq!(authorizations.len(), 1, "the receiver is asked with its credentials");
    let status = bench.status().unwrap().to_string();
    for secret in ["s3cret", OPERATOR_KEY, &bench.urls[0], &bench.urls[1]] {
        assert!(!bodies.contains(secret), "{secret} in {bodies}");
    }
    assert!(!bench.log().contains("s3cret") && !status.contains("s3cret"), "{}", bench.log());
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

/// Every part is there once, in its parent and in its time.
fn check_trace(spans: &[Span]) {
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    assert_eq!(by_id.len(), spans.len(), "each span has an id of its own: {spans:#?}");
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    let all = [
        "evm execute",
        "fetch",
        "pin",
        "proof confirm",
        "proof mine",
        "proof send",
        "proof sign",
        "refine",
        "specimen",
        "worker decode",
        "worker rule",
    ];
    assert_eq!(names, all);
    for span in spans {
        assert!(
            span.trace_id.len() == 32 && span.span_id.len() == 16 && span.kind == 1 && span.status.code == 1,
            "{span:?}"
        );
        assert!(span.start() <= span.end(), "{span:?}");
        let parent = span.parent_span_id.as_deref().map(|id| by_id[id]);
        let expected = match span.name.as_str() {
            "specimen" => None,
            "worker decode" | "worker rule" => Some("refine"),
            "evm execute" => Some("worker rule"),
            _ => Some("specimen"),
        };
        assert_eq!(parent.map(|parent| parent.name.as_str()), expected);
        if let Some(parent) = parent {
            // Two clocks, and times of the journal in milliseconds.
            let slack = 5_000_000;
            assert!(
                parent.start() <= span.start() + slack && span.end() <= parent.end() + slack,
                "{span:?} {parent:?}"
            );
        }
    }
    let root = spans.iter().find(|span| span.name == "specimen").unwrap();
    assert_eq!((root.text("refiner.state"), root.text("refiner.rule")), (Some("final"), Some("block-result")));
    assert_eq!(root.text("refiner.specimen_hash").unwrap()[2..34], root.trace_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_tries_are_spans_of_the_same_trace_without_the_words_of_the_failure() {
    use refiner_testkit::pinner::{Fault, Route};
    let Some(mut bench) = Bench::new().await else { return };
    let received = Received::default();
    let port = received.start();
    bench.flags = ["--otlp-endpoint", &format!("http://127.0.0.1:{port}/v1/traces")].map(str::to_owned).into();
    bench.start_ready().await;
    bench.pinner.fault(Route::Upload, Fault::Status(500, "words of a stranger".to_owned()));
    bench.announce(&stream(1)).await;
    bench.until("pinning failed", |bench| bench.items().last().is_some_and(|item| item.attempts > 1)).await;
    bench.pinner.mend(Route::Upload);
    bench.until_all(State::Final, 1).await;
    bench.until("the trace has its end", |_| received.spans().iter().any(|span| span.name == "specimen")).await;
    let spans = received.spans();
    let pins: Vec<_> = spans.iter().filter(|span| span.name == "pin").collect();
    assert!(pins.len() > 2, "{spans:#?}");
    let failed: Vec<_> = pins.iter().filter(|span| span.status.code == 2).collect();
    assert_eq!(failed.len(), pins.len() - 1);
    assert!(failed.iter().all(|span| span.text("refiner.outcome") == Some("retried")));
    assert_eq!(spans.iter().map(|span| &span.trace_id).collect::<BTreeSet<_>>().len(), 1);
    assert!(!received.0.lock().unwrap().bodies.contains("stranger"));
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_is_dead_or_silent_costs_spans_and_nothing_else() {
    let Some(mut bench) = Bench::new().await else { return };
    // Accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let given = stream(2);
    for (endpoint, given) in [
        ("http://127.0.0.1:1".to_owned(), &given[..1]),
        (format!("http://{}", silent.local_addr().unwrap()), &given[1..]),
    ] {
        bench.flags = ["--otlp-endpoint", &endpoint].map(str::to_owned).into();
        bench.start_ready().await;
        let before = bench.in_state(State::Final);
        bench.announce(given).await;
        bench.until_all(State::Final, before + 1).await;
        bench
            .until("spans are dropped and counted", |bench| {
                series(bench, "refiner_trace_spans_total{outcome=\"dropped\"}") > 0.0
            })
            .await;
        assert_eq!(series(&bench, "refiner_trace_spans_total{outcome=\"exported\"}"), 0.0);
        let begun = Instant::now();
        assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    // One line in the log for each of the two, however many requests fail.
    assert_eq!(bench.log().matches("receiver of traces fails, spans are dropped").count(), 2, "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_traced_where_no_endpoint_is_given() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    bench.announce(&stream(1)).await;
    bench.until_all(State::Final, 1).await;
    for outcome in ["exported", "dropped"] {
        assert_eq!(series(&bench, &format!("refiner_trace_spans_total{{outcome=\"{outcome}\"}}")), 0.0);
    }
}
