//! Traces over OTLP: one for each specimen, from its announcement to the end of its proof, the worker's part included.
//!
//! * **Inputs**: stages that ended, steps of items, and the times that workers report.
//! * **Outputs**: spans at `--otlp-endpoint`, as OTLP/HTTP with JSON (`POST /v1/traces`).
//! * **Invariants**: off by default; no one waits for the receiver; a span holds numbers, hashes and words of this program, never a
//!   URL, an error's text or anything else from outside.
//!
//! The id of a trace is the first 16 bytes of the specimen's hash, so that a specimen's trace is found by its hash, and a restart adds to
//! the same trace. Ids of spans follow from the item and the stage for the same reason.

mod export;
mod otlp;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use refiner_journal::{Item, State};
use refiner_worker::{Phase, TraceContext, WorkerSpan};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{self, error::TrySendError};

pub use self::export::{ExportError, Exporter};
use crate::{
    engine::clock::now_ms,
    observe::metrics::{Metrics, Outcome},
};

/// Spans that wait for the receiver. What comes beyond is dropped and counted: some 2 MiB, and minutes of a backlog.
const QUEUE: usize = 4_096;
const NANOS_PER_MS: u64 = 1_000_000;

/// A span that is finished and waits for its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    name: &'static str,
    /// Nanoseconds since 1970, as is the end.
    start: u64,
    end: u64,
    attributes: Vec<(&'static str, Value)>,
    is_error: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(u64),
}

/// Takes finished spans. Clones share the queue; without an endpoint there is none, and nothing is done.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

struct Inner {
    queue: mpsc::Sender<Span>,
    metrics: Metrics,
}

impl Tracer {
    /// A tracer and the end of its queue.
    fn new(metrics: Metrics, room: usize) -> (Self, mpsc::Receiver<Span>) {
        let (queue, spans) = mpsc::channel(room);
        (Self(Some(Arc::new(Inner { queue, metrics }))), spans)
    }

    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The place of a run in its specimen's trace: below the stage that hands it to a worker.
    pub fn context(&self, item: &Item, stage: &'static str) -> Option<TraceContext> {
        self.is_on().then(|| TraceContext { trace: trace_id(item), parent: stage_id(item, stage) })
    }

    /// A stage worked on an item for this long, with this outcome.
    pub fn worked(&self, item: &Item, stage: &'static str, outcome: Outcome, took: Duration) {
        if !self.is_on() {
            return;
        }
        let end = now();
        self.finish(Span {
            id: stage_id(item, stage),
            is_error: outcome != Outcome::Done,
            attributes: vec![
                ("refiner.outcome", Value::Text(outcome.as_str().to_owned())),
                ("refiner.attempt", Value::Number(u64::from(item.attempts) + 1)),
            ],
            ..below(item, stage, end.saturating_sub(nanos(took)), end)
        });
    }

    /// A worker ran a rule over the item's specimen.
    pub fn ran(&self, context: &TraceContext, elapsed: Duration, spans: &[WorkerSpan]) {
        let begun = now().saturating_sub(nanos(elapsed));
        let id = |number: usize| digest(&[&context.trace, &context.parent, &number.to_be_bytes()]);
        let rule = spans.iter().position(|span| span.phase == Phase::Rule).map(id);
        for (number, span) in spans.iter().enumerate() {
            let is_inner = matches!(span.phase, Phase::Execute | Phase::EvmServer);
            let start = begun.saturating_add(nanos(span.start));
            self.finish(Span {
                trace: context.trace,
                id: id(number),
                parent: Some(rule.filter(|_| is_inner).unwrap_or(context.parent)),
                name: span.phase.as_str(),
                start,
                end: start.saturating_add(nanos(span.duration)),
                attributes: Vec::new(),
                is_error: false,
            });
        }
    }

    /// An item came to a state; `before` is what it was.
    pub fn moved(&self, before: &Item, to: State) {
        if !self.is_on() {
            return;
        }
        let end = now();
        let name = match to {
            State::Signed => Some("proof sign"),
            State::Broadcast if before.state == State::Signed => Some("proof send"),
            State::Mined => Some("proof mine"),
            State::Final => Some("proof confirm"),
            _ => None,
        };
        if let Some(name) = name {
            let id = stage_id(before, name);
            self.finish(Span { id, ..below(before, name, since_ms(before.state_ms), end) });
        }
        if to.is_end() || (to == State::Pinned && !before.proves) {
            self.finish(Span {
                parent: None,
                id: root_id(before),
                is_error: to == State::Quarantined,
                attributes: vec![
                    ("refiner.item", Value::Text(before.id.to_string())),
                    ("refiner.chain", Value::Number(before.chain)),
                    ("refiner.height", Value::Number(before.height)),
                    ("refiner.rule", Value::Text(before.rule_name.clone())),
                    ("refiner.state", Value::Text(to.as_str().to_owned())),
                    ("refiner.specimen_hash", Value::Text(before.specimen_hash.to_string())),
                ],
                ..below(before, "specimen", since_ms(before.announced_ms), end)
            });
        }
    }

    fn finish(&self, span: Span) {
        let Some(inner) = &self.0 else { return };
        match inner.queue.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => inner.metrics.spans_dropped(1),
        }
    }
}

/// A span without an id yet, below that of its item.
fn below(item: &Item, name: &'static str, start: u64, end: u64) -> Span {
    Span {
        trace: trace_id(item),
        id: [0; 8],
        parent: Some(root_id(item)),
        name,
        // A clock may have been set back in between.
        start: start.min(end),
        end,
        attributes: Vec::new(),
        is_error: false,
    }
}

fn trace_id(item: &Item) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&item.specimen_hash[..16]);
    id
}

fn root_id(item: &Item) -> [u8; 8] {
    digest(&[item.specimen_hash.as_slice(), item.id.to_string().as_bytes()])
}

/// Each try of a stage has another: with a failure the number of tries changes, and with a step the time.
fn stage_id(item: &Item, stage: &str) -> [u8; 8] {
    digest(&[&root_id(item), stage.as_bytes(), &item.state_ms.to_be_bytes(), &item.attempts.to_be_bytes()])
}

fn digest(parts: &[&[u8]]) -> [u8; 8] {
    let mut sha256 = Sha256::new();
    for part in parts {
        sha256.update(part);
    }
    let mut id = [0; 8];
    id.copy_from_slice(&sha256.finalize()[..8]);
    id
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos)
}

fn since_ms(time_ms: u64) -> u64 {
    time_ms.min(now_ms()).saturating_mul(NANOS_PER_MS)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
