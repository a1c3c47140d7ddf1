//! The coordinator's side: tasks out, results back, one coordinator at a time.

mod arrivals;
mod engine;
mod fetch;
mod hosts;
mod passed_on;
mod registered;
mod submit;
mod view;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::B256;
use async_nats::jetstream::{Context, message::Acker};
use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_content::Content;
use refiner_rule_model::Run;
use refiner_text::UntrustedText;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};

use self::{
    arrivals::{Early, Memory},
    hosts::Hosts,
};
pub use self::{
    hosts::HostView,
    submit::TaskFailure,
    view::{Snapshot, Waiting},
};
use crate::{
    Connection,
    declare::Declared,
    limits::FETCHES,
    message::{ArtifactRef, RuleRecord, SpanTime, TaskId, TaskResult},
    names::{HostName, QueueId},
    origins::Origins,
    retried::Retried,
};

/// Name, media type and schema of an artifact that a rule's manifest lists.
type Output = (String, String, Option<String>);

/// Settings of a coordinator.
pub struct CoordinatorSettings {
    /// The way to NATS.
    pub connection: Connection,
    /// The queue of its journal.
    pub queue: QueueId,
    /// Time after which a task without a sign of progress goes to another host.
    pub ack_wait: Duration,
    /// Time after which a task without a result is looked for; `None` for twice the ack wait and its run's time.
    pub sweep: Option<Duration>,
    /// Origins of hosts that artifacts are fetched from.
    pub origins: Origins,
    /// Origins that hosts find specimens and rules at, as a help to them; each asks only what it is permitted to.
    pub from: Vec<String>,
    /// The share of tasks that two hosts run: so many of so many.
    pub recheck: Option<(u64, u64)>,
    /// Its rules, each with the artifacts that its manifest lists.
    pub rules: Vec<(RuleRecord, Vec<Output>)>,
    /// True where a run has no journal of its tasks: those of an earlier run are dropped, and each is published under names of this run.
    /// The caller makes sure that no other run of the queue lives, so the lease is taken in any case.
    pub starts_anew: bool,
}

/// An artifact that was fetched from its host and is what the result states.
#[derive(Clone, Debug)]
pub struct ReceivedArtifact {
    /// As the result states it.
    pub reference: ArtifactRef,
    /// Its bytes.
    pub bytes: Bytes,
}

impl ReceivedArtifact {
    /// Its bytes with their content id, computed here.
    #[must_use]
    pub fn content(&self) -> Content {
        Content::of_hashed(self.bytes.clone(), self.reference.sha256.0)
    }
}

/// The verdict of a task.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The rule produced artifacts.
    Produced {
        /// In the rule's order.
        artifacts: Vec<ReceivedArtifact>,
        /// `execution` or `receipts`, for a rule that asks for an execution.
        basis: Option<String>,
        /// The reason that receipts stood in for an execution.
        basis_reason: Option<UntrustedText>,
    },
    /// The rule came to another verdict.
    Refused {
        /// The verdict and its message.
        reason: UntrustedText,
        /// Class of the reason, where it has one.
        class: Option<String>,
    },
}

/// A task at its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The verdict, the same on every host.
    pub verdict: Verdict,
    /// The host that came to it.
    pub worker: HostName,
    /// Time of the run there.
    pub elapsed: Duration,
    /// Times of its parts, where they were asked for.
    pub spans: Vec<SpanTime>,
    /// Everything of the run but its artifacts, where the task asked for it.
    pub report: Option<Box<Run>>,
}

/// The state of a task in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its result is waited for.
    Waiting,
    /// It has a result: these artifacts, by name and sha256; none for a refusal.
    Done(Vec<(String, B256)>),
    /// Nothing waits for it.
    Gone,
}

/// The journal, as far as a late result is compared with it.
pub trait Records: Send + Sync {
    /// The state of the work of a rule on a specimen.
    fn known(&self, chain: u64, specimen: B256, rule: B256) -> Known;
}

/// A result with the means to acknowledge it.
#[derive(Clone)]
struct Arrived {
    result: TaskResult,
    acker: Arc<Acker>,
}

/// A task whose result is waited for.
struct Pending {
    /// One of each that waits: two inputs that are alike are one task, which NATS takes once, and whose result is for both.
    waiting: Vec<mpsc::UnboundedSender<Arrived>>,
    rule: B256,
    since: Instant,
}

/// Where the coordinator stands with NATS.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one value of it")]
enum Link {
    /// Not connected yet, or not yet the one coordinator.
    Opening(UntrustedText),
    /// At work. The number goes up when streams had to be made anew.
    Ready { context: Context, declared: Declared, generation: u64 },
}

#[derive(Default)]
struct Counters {
    redeliveries: AtomicU64,
    disagreements: AtomicU64,
    unusable: AtomicU64,
    refused_messages: AtomicU64,
    republished: AtomicU64,
    results: AtomicU64,
    /// Tasks in NATS at the last look.
    depth: AtomicU64,
}

struct Shared {
    settings: CoordinatorSettings,
    records: Arc<dyn Records>,
    link: watch::Sender<Link>,
    /// True while the connection stands.
    is_connected: watch::Sender<bool>,
    /// Requests that NATS refuses although the connection stands.
    publications: Retried,
    declarations: Retried,
    renewals: Retried,
    /// Locks because tasks run side by side; each is held for a look into a map.
    pending: Mutex<HashMap<TaskId, Pending>>,
    early: Mutex<Early>,
    unacknowledged: Mutex<HashMap<TaskId, Vec<Arc<Acker>>>>,
    memory: Mutex<Memory>,
    hosts: Mutex<Hosts>,
    fetches: Semaphore,
    /// Memory of artifacts.
    buffers: Buffers,
    counters: Counters,
    /// The id by which it holds the lease, once it does.
    holder: OnceLock<String>,
    /// Set when nothing of the queue is needed any more.
    is_finished: AtomicBool,
    /// Set when NATS has nothing of it any more.
    is_removed: AtomicBool,
}

/// The coordinator's end of a queue. Clones share it.
#[derive(Clone)]
pub struct Coordinator(Arc<Shared>);

impl Coordinator {
    /// A coordinator that does nothing before [`Coordinator::run`].
    #[must_use]
    pub fn new(settings: CoordinatorSettings, records: Arc<dyn Records>) -> Self {
        Self(Arc::new(Shared {
            settings,
            records,
            link: watch::Sender::new(Link::Opening(UntrustedText::new("NATS has not answered yet"))),
            is_connected: watch::Sender::new(false),
            publications: Retried::new("tasks are not published"),
            declarations: Retried::new("streams are neither found nor made"),
            renewals: Retried::new("the lease is not renewed"),
            pending: Mutex::default(),
            early: Mutex::default(),
            unacknowledged: Mutex::default(),
            memory: Mutex::default(),
            hosts: Mutex::default(),
            fetches: Semaphore::new(FETCHES),
            buffers: Buffers::default(),
            counters: Counters::default(),
            holder: OnceLock::new(),
            is_finished: AtomicBool::new(false),
            is_removed: AtomicBool::new(false),
        }))
    }

    /// Has everything of the queue removed from NATS when [`Coordinator::run`] is stopped.
    pub fn finish(&self) {
        self.0.is_finished.store(true, Ordering::Relaxed);
    }

    /// True after that was done.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.0.is_removed.load(Ordering::Relaxed)
    }

    /// Waits until this is the one coordinator of a queue that stands.
    pub async fn ready(&self) {
        let mut link = self.0.link.subscribe();
        // The sender lives as long as this.
        let _ = link.wait_for(|link| matches!(link, Link::Ready { .. })).await;
    }

    /// Waits until NATS has not answered for so long.
    pub async fn away_for(&self, time: Duration) {
        let mut connected = self.0.is_connected.subscribe();
        loop {
            let _ = connected.wait_for(|connected| !connected).await;
            let back = tokio::time::timeout(time, connected.wait_for(|connected| *connected));
            if back.await.is_err() {
                return;
            }
        }
    }

    /// True where tasks can be handed out now.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        *self.0.is_connected.borrow()
            && matches!(*self.0.link.borrow(), Link::Ready { .. })
            && self.0.publications.refusal().is_none()
    }

    /// The thing it waits for: an answer, or what NATS refuses.
    #[must_use]
    pub fn waits_for(&self) -> Option<UntrustedText> {
        match &*self.0.link.borrow() {
            Link::Opening(what) => Some(what.clone()),
            Link::Ready { .. } if !*self.0.is_connected.borrow() => Some(UntrustedText::new("NATS does not answer")),
            Link::Ready { .. } => {
                [&self.0.publications, &self.0.declarations, &self.0.renewals].into_iter().find_map(Retried::waits_for)
            }
        }
    }

    /// The outcome of a task is in the journal: its results are acknowledged, so that they are not delivered again.
    pub fn settle(&self, task: TaskId) {
        let ackers = lock(&self.0.unacknowledged).remove(&task).unwrap_or_default();
        for acker in ackers {
            tokio::spawn(async move {
                if let Err(error) = acker.ack().await {
                    tracing::debug!(%error, "result not acknowledged, it is delivered again");
                }
            });
        }
    }
}

impl Shared {
    fn rule(&self, identity: &B256) -> Option<&(RuleRecord, Vec<Output>)> {
        self.settings.rules.iter().find(|(rule, _)| rule.identity == *identity)
    }

    fn count(&self, counter: impl FnOnce(&Counters) -> &AtomicU64) {
        counter(&self.counters).fetch_add(1, Ordering::Relaxed);
    }

    /// Streams as they are now, once this is the one coordinator.
    async fn streams(&self) -> (Context, Declared, u64) {
        let mut link = self.link.subscribe();
        loop {
            if let Link::Ready { context, declared, generation } = &*link.borrow_and_update() {
                return (context.clone(), declared.clone(), *generation);
            }
            if link.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn waiting(&self) -> BTreeMap<B256, (u64, Instant)> {
        let mut waiting = BTreeMap::new();
        for Pending { rule, since, .. } in lock(&self.pending).values() {
            let (tasks, oldest) = waiting.entry(*rule).or_insert((0, *since));
            *tasks += 1;
            *oldest = (*oldest).min(*since);
        }
        waiting
    }
}

/// Every map is whole after each statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
