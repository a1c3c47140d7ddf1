//! Many hosts over a queue, and this machine's workers where the queue is away.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_primitives::B256;
use futures_util::future::BoxFuture;
use refiner_content::{Content, ContentId};
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Artifact, Item, JournalError, State};
use refiner_queue::{
    Coordinator, CoordinatorSettings, Finished, Known, Origins, QueueError, QueueId, ReceivedArtifact, Records,
    RuleRecord, SpanTime, Task, TaskId, Verdict,
};
use refiner_rule_model::{BasisReport, Limit, ReasonClass};
use refiner_worker::{Phase, WorkerSpan, WorkerStatus};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{LocalPool, REFINE, RuleRuns, WorkQueue, Worked};
use crate::{
    config::{QueueTerms, Settings},
    engine::{policy::StageError, poller::pause},
    error::RunError,
    observe::status::Status,
    rules::Rule,
    state::{content::StageContent, journal_handle::JournalHandle},
};

/// The part's name in the status.
const QUEUE: &str = "queue";
/// Time for which NATS is away before this machine's workers take over what is under way.
const AWAY: Duration = Duration::from_secs(5);
/// Pause between two looks at the queue for the status.
const LOOK: Duration = Duration::from_millis(500);
/// Time for the lease to be given back.
const END: Duration = Duration::from_secs(2);

/// Worker hosts behind a queue.
pub struct ManyHosts {
    coordinator: Coordinator,
    runs: RuleRuns,
    local: Option<LocalPool>,
    /// No task is waited for any more.
    stop: CancellationToken,
    /// Ends the coordinator, after the stages.
    end: CancellationToken,
    engine: Mutex<Option<JoinHandle<Result<(), QueueError>>>>,
}

impl ManyHosts {
    /// A coordinator that begins to connect.
    pub fn new(
        settings: &Settings,
        terms: &QueueTerms,
        queue: QueueId,
        runs: RuleRuns,
        journal: JournalHandle,
        stop: CancellationToken,
    ) -> Result<Self, RunError> {
        // A host that is silent for as long loses its tasks too.
        let stall = settings.fetch_stall.min(terms.ack_wait);
        let origins = Origins::new(&terms.host_origins, settings.egress.clone(), stall, settings.fetch);
        let origins = origins.map_err(|source| QueueError::Origin { setting: "--host-origin", source })?;
        let rules = runs.rules().map(|rule| record(rule, settings, &runs.content)).collect::<Result<_, _>>()?;
        let coordinator = CoordinatorSettings {
            connection: terms.connection.clone(),
            queue,
            ack_wait: terms.ack_wait,
            sweep: terms.sweep,
            origins,
            from: Vec::new(),
            recheck: terms.recheck.map(|share| (share.of_them, share.all)),
            rules,
            starts_anew: false,
        };
        let coordinator = Coordinator::new(coordinator, Arc::new(JournalRecords(journal)));
        let end = CancellationToken::new();
        let (running, ending) = (coordinator.clone(), end.clone());
        let engine = tokio::spawn(async move { running.run(ending).await });
        Ok(Self { coordinator, runs, local: None, stop, end, engine: Mutex::new(Some(engine)) })
    }

    /// The same with workers of this machine, for when the queue is away.
    pub fn beside(self, local: Option<LocalPool>) -> Self {
        Self { local, ..self }
    }

    /// Waits until this is the one coordinator, or until NATS has not answered for a while and this machine has workers.
    ///
    /// # Errors
    ///
    /// Those of the queue: another coordinator holds it, or its streams are of other settings.
    pub async fn opened(&self, status: &Status) -> Result<(), QueueError> {
        let shown = async {
            loop {
                if let Some(what) = self.coordinator.waits_for() {
                    status.set_blocked(QUEUE, what.to_string());
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            ended = self.ended() => return ended,
            () = self.coordinator.ready() => {}
            () = self.coordinator.away_for(AWAY), if self.local.is_some() => {
                tracing::warn!("NATS does not answer, this machine's workers go on alone");
            }
            () = shown => {}
        }
        status.clear_blocked(QUEUE);
        Ok(())
    }

    /// The end of the coordinator.
    pub async fn ended(&self) -> Result<(), QueueError> {
        let mut engine = self.engine.lock().await;
        let Some(running) = engine.as_mut() else { return std::future::pending().await };
        let ended = running.await;
        *engine = None;
        ended.unwrap_or_else(|panicked| Err(QueueError::Message(Box::new(panicked))))
    }

    /// Shows the queue in the status, until `stop`.
    ///
    /// # Errors
    ///
    /// None; it is one of the daemon's parts.
    pub async fn watch(self: Arc<Self>, status: Status, journal: JournalHandle) -> Result<(), JournalError> {
        let mut counted = None;
        while !self.stop.is_cancelled() {
            let now = self.coordinator.snapshot();
            let what = self.coordinator.waits_for().map(|what| what.to_string()).or_else(|| now.waits_for());
            match what {
                Some(what) => status.set_blocked(QUEUE, what),
                None => status.clear_blocked(QUEUE),
            }
            journal.metrics.queue(counted.as_ref(), &now);
            counted = Some(now.clone());
            status.now().queue = Some(now);
            pause(&self.stop, LOOK).await;
        }
        Ok(())
    }

    /// Gives the queue back.
    pub async fn end(&self) {
        self.end.cancel();
        if tokio::time::timeout(END, self.ended()).await.is_err() {
            tracing::debug!("queue not given back in time");
        }
    }

    async fn on_hosts(&self, item: &Item) -> Result<Option<Worked>, StageError> {
        let rule = self.runs.rule(item)?;
        let Some((cid, bytes)) = item.specimen_cid.as_deref().zip(item.specimen_bytes) else { return Ok(None) };
        // Hosts read it from the store.
        if !cid.parse::<ContentId>().is_ok_and(|id| self.runs.content.has_on_disk(&id)) {
            return Ok(None);
        }
        let trace = self.runs.tracer.context(item, REFINE);
        let wall_ms = rule.limits.deadline_ms(bytes);
        let (hash, identity) = (item.specimen_hash, rule.identity);
        let task = Task::new(
            item.chain,
            item.height,
            item.block_hash,
            hash,
            Some(cid),
            bytes,
            identity,
            wall_ms,
            trace.as_ref(),
        );
        let finished = self.coordinator.submit(task, item.attempts).await?;
        if let Some(place) = &trace {
            self.runs.tracer.ran(place, finished.elapsed, &spans(&finished.spans, finished.elapsed));
        }
        tracing::debug!(item = %item.id, worker = %finished.worker, "result received");
        let keeping = self.runs.clone();
        let kept = tokio::task::spawn_blocking(move || worked(&keeping, finished)).await;
        kept.unwrap_or(Err(StageError::Panicked)).map(Some)
    }
}

impl WorkQueue for ManyHosts {
    fn run<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Option<Worked>, StageError>> {
        Box::pin(async move {
            match &self.local {
                Some(local) if !self.coordinator.is_usable() => return local.run(item).await,
                Some(_) | None => {}
            }
            let away = async {
                match &self.local {
                    Some(local) => {
                        self.coordinator.away_for(AWAY).await;
                        local.run(item).await
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                worked = self.on_hosts(item) => worked,
                worked = away => worked,
                // Nothing is lost: the journal has the item, and NATS may have its result at the next start.
                () = self.stop.cancelled() => Err(StageError::Stopping),
            }
        })
    }

    fn settled(&self, item: &Item) {
        self.coordinator.settle(TaskId::of(item.chain, item.specimen_hash, item.rule));
    }

    fn workers(&self) -> Vec<WorkerStatus> {
        self.local.as_ref().map(WorkQueue::workers).unwrap_or_default()
    }
}

/// The rule as hosts learn of it. Its component is kept where they fetch it.
fn record(rule: &Rule, settings: &Settings, content: &StageContent) -> Result<(RuleRecord, Vec<Output>), RunError> {
    let component = Content::of(rule.compiled.component().clone().0);
    let cid = content.keep(&component)?;
    let manifest = rule.compiled.manifest();
    let outputs = manifest.outputs.iter();
    let outputs =
        outputs.map(|output| (output.name.clone(), output.media_type.clone(), output.schema.clone())).collect();
    let params: BTreeMap<_, _> = rule.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let record = RuleRecord {
        name: rule.name.clone(),
        identity: rule.identity,
        digest: rule.compiled.digest(),
        cid: cid.to_string(),
        bytes: component.bytes().len() as u64,
        beside: rule.compiled.beside().map(str::to_owned),
        params,
        limits: rule.limits.iter().map(|(limit, value): (Limit, u64)| (limit.to_string(), value)).collect(),
        terms: settings.policy.into(),
    };
    Ok((record, outputs))
}

type Output = (String, String, Option<String>);

/// Keeps what came, as the stage before would have made it here.
fn worked(runs: &RuleRuns, finished: Finished) -> Result<Worked, StageError> {
    match finished.verdict {
        Verdict::Produced { artifacts, basis, basis_reason } => {
            let artifacts = artifacts.into_iter().map(|artifact| keep(runs, artifact));
            Ok(Worked::Produced {
                artifacts: artifacts.collect::<Result<_, _>>()?,
                basis: basis.as_deref().and_then(basis_name),
                basis_reason,
            })
        }
        Verdict::Refused { reason, class } => {
            let class = class.and_then(|class| ReasonClass::ALL.into_iter().find(|known| known.as_str() == class));
            Ok(Worked::Refused { reason: reason.to_string(), class: class.map(ReasonClass::as_str) })
        }
    }
}

fn basis_name(basis: &str) -> Option<&'static str> {
    let known = [BasisReport::Execution, BasisReport::Receipts { reason: None }];
    known.iter().map(BasisReport::as_str).find(|known| *known == basis)
}

fn keep(runs: &RuleRuns, artifact: ReceivedArtifact) -> Result<Artifact, StageError> {
    let content = artifact.content();
    let reference = artifact.reference;
    runs.keep(reference.name, reference.media_type, reference.sha256, content)
}

/// The times of a host's worker, none longer than the run.
fn spans(times: &[SpanTime], elapsed: Duration) -> Vec<WorkerSpan> {
    let span = |time: &SpanTime| {
        let phase = Phase::of_worker(time.phase)?;
        let (start, duration) = (Duration::from_micros(time.start_us), Duration::from_micros(time.duration_us));
        Some(WorkerSpan { phase, start, duration }.within(elapsed))
    };
    times.iter().filter_map(span).collect()
}

/// The journal, for results that come late.
struct JournalRecords(JournalHandle);

impl Records for JournalRecords {
    fn known(&self, chain: u64, specimen: B256, rule: B256) -> Known {
        let known = self.0.at_once(|journal| {
            let Some(item) = journal.of_specimen(chain, specimen, rule)? else { return Ok(Known::Gone) };
            Ok(match item.state {
                State::Announced | State::Waiting | State::Fetched => Known::Waiting,
                State::Skipped | State::Quarantined => Known::Gone,
                _ => {
                    let artifacts = journal.artifacts(item.id)?;
                    Known::Done(artifacts.into_iter().map(|artifact| (artifact.name, artifact.sha256)).collect())
                }
            })
        });
        known.unwrap_or_else(|error: JournalError| {
            tracing::warn!(error = %ErrorChain(&error), "result not compared with the journal");
            Known::Gone
        })
    }
}
