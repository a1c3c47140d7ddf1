//! Metrics of the daemon for Prometheus, served at `/metrics`.
//!
//! Counted are the steps of items, failures and the duration of each piece of work; a scrape adds the state of journal and status.
//! No label holds a block's number or hash, nor anything else that grows with the work. [`table`] has every name.
//!
//! The names of earlier refiners are in [`legacy`].

mod legacy;
mod now;
mod outcome;
mod table;

pub use self::{
    legacy::Event,
    now::{Scrape, free_bytes},
    outcome::{Compared, Outcome},
};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, MeterProvider as _},
};
use opentelemetry_sdk::{error::OTelSdkError, metrics::SdkMeterProvider};
use prometheus::{Registry, TextEncoder};
use refiner_journal::{Item, ItemId, State, Step};
use refiner_queue::Snapshot;

use self::{
    legacy::Earlier,
    now::Gauges,
    table::{Label, Row},
};
use crate::engine::clock::now_ms;

/// From a small specimen in the local store to an upload that a pinner takes minutes for.
const STAGE_SECONDS: [f64; 14] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];
/// From a proof on a chain that mines at once to one that waited for a weekend.
const AGE_SECONDS: [f64; 14] =
    [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 600.0, 3_600.0, 21_600.0, 172_800.0];

/// The instruments. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    /// The registry reads from it, and would read nothing without it.
    _provider: SdkMeterProvider,
    transitions: Counter<u64>,
    failures: Counter<u64>,
    results: Counter<u64>,
    refusals: Counter<u64>,
    comparisons: Counter<u64>,
    spans: Counter<u64>,
    queue: [Counter<u64>; 5],
    stages: Histogram<f64>,
    ages: Histogram<f64>,
    now: Gauges,
    legacy: Earlier,
    /// When the results of unfinished items were there to be pinned, for the earlier names. A lock because every stage moves items;
    /// held for one look.
    produced: Mutex<HashMap<ItemId, Instant>>,
}

/// Reasons for which there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The exporter.
    #[error("the exporter of metrics does not start: {0}")]
    Exporter(#[from] OTelSdkError),
    /// Two instruments of one name.
    #[error("cannot register a metric: {0}")]
    Instrument(#[from] prometheus::Error),
}

impl Metrics {
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_target_info()
            .scope_info_enabled(false)
            .build()?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("refiner");
        let counter = |row: Row| {
            let counter = meter.u64_counter(row.stem()).with_description(row.help).build();
            // A rate over a series that begins with its first event misses that event.
            each_series(row.labels, &mut Vec::new(), &mut |labels| counter.add(0, labels));
            counter
        };
        let seconds = |row: Row, bounds: &[f64]| {
            let histogram = meter.f64_histogram(row.stem()).with_unit(row.otel_unit()).with_description(row.help);
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        let inner = Inner {
            transitions: counter(table::TRANSITIONS),
            failures: counter(table::FAILURES),
            results: counter(table::RESULTS),
            refusals: counter(table::REFUSALS),
            comparisons: counter(table::COMPARISONS),
            spans: counter(table::SPANS_TOTAL),
            queue: [
                counter(table::REDELIVERIES),
                counter(table::REPUBLISHED),
                counter(table::UNUSABLE),
                counter(table::REFUSED_MESSAGES),
                counter(table::DISAGREEMENTS),
            ],
            stages: seconds(table::STAGES, &STAGE_SECONDS),
            ages: seconds(table::AGES, &AGE_SECONDS),
            now: Gauges::of(&meter),
            legacy: Earlier::register(&registry)?,
            produced: Mutex::default(),
            registry,
            _provider: provider,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether [`moved`](Self::moved) needs the item as it was before a step to this state.
    pub const fn needs_item(state: State) -> bool {
        matches!(state, State::Pinned | State::Broadcast | State::Final | State::Quarantined)
    }

    /// Specimens became items.
    pub fn announced(&self, items: u64) {
        self.inner.transitions.add(items, &[state_label(State::Announced)]);
    }

    /// An item came to a state; `before` is what it was.
    pub fn moved(&self, id: ItemId, to: State, before: Option<&Item>) {
        self.inner.transitions.add(1, &[state_label(to)]);
        if to == State::Produced {
            self.produced().insert(id, Instant::now());
        }
        if let Some(before) = before {
            self.aged(before, to);
        }
        if to.is_end() {
            self.produced().remove(&id);
        }
    }

    /// A rule came to its end over a specimen.
    pub fn judged(&self, step: &Step) {
        match step {
            Step::Produced { basis: Some(basis), .. } => self.inner.results.add(1, &[KeyValue::new("basis", *basis)]),
            Step::Refused { class: Some(class), .. } => {
                self.inner.refusals.add(1, &[KeyValue::new("reason_class", *class)]);
            }
            _ => {}
        }
    }

    /// A result was compared with what other operators proved.
    pub fn compared(&self, outcome: Compared) {
        self.inner.comparisons.add(1, &[KeyValue::new("outcome", outcome.as_str())]);
    }

    fn aged(&self, before: &Item, to: State) {
        let age = Duration::from_millis(now_ms().saturating_sub(before.announced_ms));
        if to != State::Quarantined {
            self.inner.ages.record(age.as_secs_f64(), &[state_label(to)]);
        }
        // A node took the proof; what was mined and came back is sent already.
        if to == State::Broadcast && before.state == State::Signed {
            self.happened(Event::Proof, Duration::from_millis(now_ms().saturating_sub(before.state_ms)));
            self.handed_over(before.id, age);
        }
        if to == State::Pinned && !before.proves {
            self.handed_over(before.id, age);
        }
        if to == State::Quarantined {
            self.earlier_failure(before.id, before.state);
        }
    }

    /// All that earlier refiners did for an item is done.
    fn handed_over(&self, id: ItemId, age: Duration) {
        // After a restart the start of the state is unknown; it was not longer than the item's age.
        let upload = self.produced().remove(&id).map_or(age, |since| since.elapsed());
        self.happened(Event::UploadSuccess, upload);
        self.happened(Event::PipelineSuccess, age);
    }

    /// An item failed in a state and stays there.
    pub fn failed(&self, id: ItemId, state: State) {
        self.inner.failures.add(1, &[state_label(state)]);
        self.earlier_failure(id, state);
    }

    /// Earlier refiners counted what failed when pinning or proving, and nothing before that.
    fn earlier_failure(&self, id: ItemId, state: State) {
        if matches!(state, State::Produced | State::ProofIntent) {
            let since = self.produced().get(&id).map_or(Duration::ZERO, Instant::elapsed);
            self.happened(Event::UploadFailure, since);
            self.happened(Event::PipelineFailure, since);
        }
    }

    /// A stage worked on an item.
    pub fn worked(&self, stage: &'static str, outcome: Outcome, took: Duration) {
        let labels = [KeyValue::new("stage", stage), KeyValue::new("outcome", outcome.as_str())];
        self.inner.stages.record(took.as_secs_f64(), &labels);
        let event = match stage {
            "fetch" => Event::Fetch,
            "refine" => Event::Execute,
            "pin" => Event::Pin,
            _ => return,
        };
        if outcome == Outcome::Done {
            self.happened(event, took);
        }
    }

    /// Something that only earlier refiners measured.
    pub fn happened(&self, event: Event, took: Duration) {
        self.inner.legacy.happened(event, took);
    }

    /// The receiver of traces took this many spans.
    pub fn spans_exported(&self, spans: u64) {
        self.inner.spans.add(spans, &[KeyValue::new("outcome", table::EXPORTED)]);
    }

    /// Spans were dropped: nothing waits for their receiver.
    pub fn spans_dropped(&self, spans: u64) {
        self.inner.spans.add(spans, &[KeyValue::new("outcome", table::DROPPED)]);
    }

    /// The queue was looked at; `before` is what it was at the look before.
    pub fn queue(&self, before: Option<&Snapshot>, now: &Snapshot) {
        let counts = |queue: &Snapshot| {
            [queue.redeliveries, queue.republished, queue.unusable, queue.refused_messages, queue.disagreements]
        };
        let before = before.map_or([0; 5], counts);
        for ((counter, now), before) in self.inner.queue.iter().zip(counts(now)).zip(before) {
            counter.add(now.saturating_sub(before), &[]);
        }
    }

    /// The text of a scrape.
    pub fn render(&self, scrape: &Scrape) -> Result<String, prometheus::Error> {
        self.inner.now.set(scrape);
        TextEncoder::new().encode_to_string(&self.inner.registry.gather())
    }

    fn produced(&self) -> MutexGuard<'_, HashMap<ItemId, Instant>> {
        self.inner.produced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls `each` with every combination of the labels' values.
fn each_series(labels: &[Label], begun: &mut Vec<KeyValue>, each: &mut impl FnMut(&[KeyValue])) {
    let Some((Label { name, values }, rest)) = labels.split_first() else { return each(begun) };
    for value in values() {
        begun.push(KeyValue::new(*name, value));
        each_series(rest, begun, each);
        begun.pop();
    }
}

fn state_label(state: State) -> KeyValue {
    KeyValue::new("state", state.as_str())
}
