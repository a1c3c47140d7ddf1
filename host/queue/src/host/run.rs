//! One task in a worker: its specimen fetched and checked, its rule run, its artifacts kept.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use refiner_content::Content;
use refiner_diagnostics::ErrorChain;
use refiner_rule_model::{BasisReport, Evidence, Limit, ReasonClass, SpecimenHash, Verdict};
use refiner_worker::{Job, WorkerRun, WorkerSpan};

use super::{Host, served::Served};
use crate::{
    limits::LIST_MAX,
    message::{ArtifactRef, Blame, Outcome, SpanTime, Task, encoded, refusal, shortened},
};

/// A task's end on this host.
pub(super) struct Ended {
    pub outcome: Outcome,
    pub elapsed: Duration,
    pub fuel: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub spans: Vec<SpanTime>,
    /// Where the task asks for it.
    pub report: Option<String>,
}

impl Ended {
    /// An end without a run.
    pub const fn of(outcome: Outcome) -> Self {
        Self { outcome, elapsed: Duration::ZERO, fuel: None, memory_bytes: None, spans: Vec::new(), report: None }
    }

    fn failed(blame: Blame, text: &str) -> Self {
        Self::of(Outcome::Failed { blame, text: shortened(text) })
    }
}

/// Runs the task. Blocks no thread of the runtime.
pub(super) async fn run(host: &Arc<Host>, rule: &Arc<Served>, task: &Task) -> Ended {
    let begun = Instant::now();
    let rules = host.serving.borrow().rules.len();
    let specimen = match host.specimens.get(task, &host.settings.origins, rules).await {
        Ok(specimen) => specimen,
        Err(reason) => return Ended::failed(Blame::Infrastructure, &reason),
    };
    let (host, rule, task) = (Arc::clone(host), Arc::clone(rule), task.clone());
    let ran = tokio::task::spawn_blocking(move || in_worker(&host, &rule, &task, specimen));
    let ended =
        ran.await.unwrap_or_else(|_| Ended::failed(Blame::Doubtful, "the thread of the run ended: please report it"));
    Ended { elapsed: begun.elapsed(), ..ended }
}

fn in_worker(host: &Host, rule: &Served, task: &Task, specimen: bytes::Bytes) -> Ended {
    let job = Job {
        rule: Arc::clone(&rule.compiled),
        params: rule.params.clone(),
        limits: rule.limits,
        specimen_hash: SpecimenHash::from(task.specimen.hash),
        raw: Bytes::from(specimen),
        trace: task.trace(),
    };
    match rule.pool.run(&job) {
        Ok(ran) => ended(host, ran, task.report),
        Err(quarantined) => Ended::failed(quarantined.reason.blame().into(), &ErrorChain(&quarantined).to_string()),
    }
}

fn ended(host: &Host, ran: WorkerRun, with_report: bool) -> Ended {
    let WorkerRun { run, spans, .. } = ran;
    let report = match with_report.then(|| encoded(&run)).transpose() {
        Ok(report) => report,
        Err(error) => return Ended::failed(Blame::Infrastructure, &format!("report not made: {}", ErrorChain(&error))),
    };
    let Evidence { basis, reason_class, .. } = run.evidence;
    // A coordinator that wants reports has no journal: when it is gone, so is the use of the artifacts.
    let lasts = !with_report;
    let outcome = match run.verdict {
        Verdict::Produced { artifacts, .. } => {
            match artifacts.into_iter().map(|artifact| keep(host, artifact, lasts)).collect::<Result<Vec<_>, _>>() {
                Ok(artifacts) => Outcome::Produced {
                    artifacts,
                    basis: basis.as_ref().map(|basis| basis.as_str().to_owned()),
                    basis_reason: match basis {
                        Some(BasisReport::Receipts { reason: Some(reason) }) => Some(shortened(reason.as_str())),
                        _ => None,
                    },
                },
                Err(reason) => Outcome::Failed { blame: Blame::Infrastructure, text: shortened(&reason) },
            }
        }
        verdict => Outcome::Refused {
            reason: refusal(&verdict),
            class: reason_class.map(|class: ReasonClass| class.as_str().to_owned()),
        },
    };
    Ended {
        outcome,
        elapsed: Duration::ZERO,
        fuel: Some(run.usage.used.get(Limit::Fuel)),
        memory_bytes: Some(run.usage.used.get(Limit::MemoryBytes)),
        spans: spans.iter().take(LIST_MAX).map(span).collect(),
        report,
    }
}

fn keep(host: &Host, artifact: refiner_rule_model::Artifact, lasts: bool) -> Result<ArtifactRef, String> {
    let sha256 = artifact.sha256();
    let content = Content::of_hashed(artifact.bytes.0, sha256.0);
    let bytes = content.bytes().len() as u64;
    let kept = host.artifacts.keep(&content, lasts);
    kept.map_err(|error| format!("artifact not kept: {}", ErrorChain(&error)))?;
    Ok(ArtifactRef {
        name: artifact.name,
        media_type: artifact.media_type,
        schema: artifact.schema,
        sha256,
        bytes,
        cid: content.unixfs_id().to_string(),
    })
}

fn span(span: &WorkerSpan) -> SpanTime {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    SpanTime { phase: span.phase.number(), start_us: micros(span.start), duration_us: micros(span.duration) }
}
