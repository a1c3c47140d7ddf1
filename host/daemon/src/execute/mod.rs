//! From a specimen in the local store to artifacts there, by way of a worker.

mod hosts;
mod local;
mod queue;

pub use self::{hosts::ManyHosts, local::LocalPool, queue::WorkQueue};

use std::sync::Arc;

use refiner_content::{Content, ContentId, FetchError};
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, Step};

use self::queue::Worked;
use crate::{context::PipelineContext, engine::policy::StageError};

/// The name of the stage in logs, metrics and traces.
pub const REFINE: &str = "refine";

/// Hands the specimen to a worker of its rule, here or on another host, and keeps what comes back.
pub async fn refine(context: Arc<PipelineContext>, item: Item) -> Result<Step, StageError> {
    let rule = context.rule(&item)?;
    match context.work.run(&context, &item).await? {
        None => Ok(Step::Again),
        Some(Worked::Produced { artifacts, .. }) if rule.proves && artifacts.len() != 1 => {
            Err(StageError::NotOneArtifact { artifacts: artifacts.len() })
        }
        Some(Worked::Produced { artifacts, basis, basis_reason }) => {
            if let Some(reason) = basis_reason {
                tracing::info!(item = %item.id, height = item.height, rule = rule.name, %reason, "result from recorded receipts");
            }
            Ok(Step::Produced { artifacts, basis })
        }
        Some(Worked::Refused { reason, class }) => {
            tracing::warn!(item = %item.id, height = item.height, rule = rule.name, verdict = reason, class, "specimen refused by the rule");
            Ok(Step::Refused { reason, class })
        }
    }
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
