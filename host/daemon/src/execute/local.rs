//! The workers of this machine.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use refiner_content::Content;
use refiner_journal::{Artifact, Item};
use refiner_rule_model::{BasisReport, Evidence, ReasonClass, SpecimenHash, Verdict};
use refiner_worker::{Job, Pool, WorkerStatus};
use tokio::sync::Semaphore;

use super::{REFINE, RuleRuns, WorkQueue, Worked};
use crate::engine::policy::StageError;

/// Runs at once for each worker: while one runs, others read their specimen or keep what they produced.
const RUNS_PER_WORKER: usize = 3;
/// The same with any number of rules: each holds a thread and a specimen.
pub const RUNS_PER_WORKER_MAX: usize = 9;

/// Runs at once, each with a thread. Those of one specimen follow each other, so that a worker needs as many of them as there are rules, and one of
/// the next specimen.
pub fn at_once(workers: usize, rules: usize) -> usize {
    workers.saturating_mul(rules.saturating_add(1).clamp(RUNS_PER_WORKER, RUNS_PER_WORKER_MAX))
}

/// A pool of workers in this machine.
pub struct LocalPool {
    pool: Arc<Pool>,
    runs: RuleRuns,
    /// Where a queue is away, hundreds of items turn to this machine at once.
    threads: Semaphore,
}

impl LocalPool {
    /// A pool that runs these rules.
    pub fn new(pool: Pool, workers: usize, runs: RuleRuns) -> Self {
        let threads = Semaphore::new(at_once(workers, runs.rules().count()));
        Self { pool: Arc::new(pool), runs, threads }
    }
}

impl WorkQueue for LocalPool {
    fn run<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Option<Worked>, StageError>> {
        let (pool, runs, item) = (Arc::clone(&self.pool), self.runs.clone(), item.clone());
        Box::pin(async move {
            // Never closed.
            let _turn = self.threads.acquire().await.ok();
            let ran = tokio::task::spawn_blocking(move || run(&pool, &runs, &item));
            ran.await.unwrap_or(Err(StageError::Panicked))
        })
    }

    fn settled(&self, _item: &Item) {}

    fn workers(&self) -> Vec<WorkerStatus> {
        self.pool.workers()
    }
}

fn run(pool: &Pool, runs: &RuleRuns, item: &Item) -> Result<Option<Worked>, StageError> {
    let rule = runs.rule(item)?;
    let Some(content) = runs.content.read(item.specimen_cid.as_deref()) else { return Ok(None) };
    let job = Job {
        rule: Arc::clone(&rule.compiled),
        params: rule.params.clone(),
        limits: rule.limits,
        specimen_hash: SpecimenHash::from(item.specimen_hash),
        raw: content.into_bytes().into(),
        trace: runs.tracer.context(item, REFINE),
    };
    let ran = pool.run(&job)?;
    if let Some(place) = &job.trace {
        runs.tracer.ran(place, ran.elapsed, &ran.spans);
    }
    let Evidence { basis, reason_class, .. } = ran.run.evidence;
    // The disk may take its time for what was produced; the specimen's memory is wanted for the next.
    drop(job);
    Ok(Some(match ran.run.verdict {
        Verdict::Produced { artifacts, .. } => {
            let artifacts = artifacts.into_iter().map(|artifact| keep(runs, artifact));
            Worked::Produced {
                artifacts: artifacts.collect::<Result<_, _>>()?,
                basis: basis.as_ref().map(BasisReport::as_str),
                basis_reason: match basis {
                    Some(BasisReport::Receipts { reason }) => reason,
                    Some(BasisReport::Execution) | None => None,
                },
            }
        }
        verdict => Worked::Refused { reason: verdict.to_string(), class: reason_class.map(ReasonClass::as_str) },
    }))
}

fn keep(runs: &RuleRuns, artifact: refiner_rule_model::Artifact) -> Result<Artifact, StageError> {
    let sha256 = artifact.sha256();
    let content = Content::of_hashed(artifact.bytes.0, sha256.0);
    runs.keep(artifact.name, artifact.media_type, sha256, content)
}
