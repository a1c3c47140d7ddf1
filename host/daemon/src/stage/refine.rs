//! From a specimen in the local store to artifacts there, by way of a worker.

use std::sync::Arc;

use refiner_content::{Content, ContentId, FetchError};
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Artifact, Item, Step};
use refiner_sandbox::{BasisReport, Evidence, ReasonClass, SpecimenHash, Verdict};
use refiner_worker::Job;

use crate::{context::PipelineContext, policy::StageError};

/// The name of the stage in logs, metrics and traces.
pub const REFINE: &str = "refine";

/// Hands the specimen to a worker of its rule and keeps what comes back.
pub async fn refine(context: Arc<PipelineContext>, item: Item) -> Result<Step, StageError> {
    let refined = tokio::task::spawn_blocking(move || refine_blocking(&context, &item));
    refined.await.unwrap_or(Err(StageError::Panicked))
}

fn refine_blocking(context: &PipelineContext, item: &Item) -> Result<Step, StageError> {
    let rule = context.rule(item)?;
    let Some(content) = read(context, item.specimen_cid.as_deref()) else { return Ok(Step::Again) };
    let job = Job {
        rule: Arc::clone(&rule.compiled),
        params: rule.params.clone(),
        limits: rule.limits,
        specimen_hash: SpecimenHash::from(item.specimen_hash),
        raw: content.into_bytes().into(),
        trace: context.journal.tracer.context(item, REFINE),
    };
    let ran = context.pool.run(&job)?;
    if let Some(place) = &job.trace {
        context.journal.tracer.ran(place, &ran);
    }
    let run = ran.run;
    let Evidence { basis, reason_class, .. } = run.evidence;
    // The disk may take its time for what was produced; the specimen's memory is wanted for the next.
    drop(job);
    let verdict = match run.verdict {
        Verdict::Produced { artifacts, .. } => {
            if rule.proves && artifacts.len() != 1 {
                return Err(StageError::NotOneArtifact { artifacts: artifacts.len() });
            }
            let artifacts = artifacts.into_iter().map(|artifact| keep(context, artifact));
            if let Some(BasisReport::Receipts { reason: Some(reason) }) = &basis {
                tracing::info!(item = %item.id, height = item.height, rule = rule.name, %reason, "result from recorded receipts");
            }
            let basis = basis.as_ref().map(BasisReport::as_str);
            return Ok(Step::Produced { artifacts: artifacts.collect::<Result<_, _>>()?, basis });
        }
        verdict => verdict,
    };
    let class = reason_class.map(ReasonClass::as_str);
    tracing::warn!(item = %item.id, height = item.height, rule = rule.name, verdict = %verdict, class, "specimen refused by the rule");
    Ok(Step::Refused { reason: format!("{}: {verdict}", verdict.kind()), class })
}

/// What the stage before left, or else what the store has. `None` when the store lost it or set it aside as damaged: then it is made
/// again.
pub fn read(context: &PipelineContext, cid: Option<&str>) -> Option<Content> {
    let id: ContentId = cid?.parse().ok()?;
    if let Some(content) = context.content_cache.remove(&id) {
        return Some(content);
    }
    match context.store.read(&id) {
        Ok(content) => Some(content),
        Err(FetchError::NotFound { .. }) => None,
        Err(error) => {
            tracing::error!(error = %ErrorChain(&error), "stored content damaged, it is made again");
            None
        }
    }
}

fn keep(context: &PipelineContext, artifact: refiner_sandbox::Artifact) -> Result<Artifact, StageError> {
    let sha256 = artifact.sha256();
    let content = Content::of_hashed(artifact.bytes.0, sha256.0);
    let cid = context.store.write(&content)?;
    let bytes = content.bytes().len() as u64;
    if context.pinner.is_some() {
        context.content_cache.insert(content);
    }
    Ok(Artifact { name: artifact.name, media_type: artifact.media_type, sha256, bytes, cid: cid.to_string() })
}
