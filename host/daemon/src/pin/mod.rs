//! From artifacts in the local store to artifacts that the network finds.

use std::sync::Arc;

use refiner_content::{ContentStore as _, FetchBackend as _};
use refiner_journal::{Item, Step};

use crate::{context::PipelineContext, engine::policy::StageError, execute::read};

/// Uploads every artifact to the pinner, which must name it as we do. Without a pinner the local store is where they are found.
pub async fn pin(context: Arc<PipelineContext>, item: Item) -> Result<Step, StageError> {
    let Some(pinner) = &context.pinner else { return Ok(Step::Pinned) };
    let artifacts = context.journal.with(|journal| journal.artifacts(item.id));
    for artifact in artifacts? {
        let (reading, cid) = (Arc::clone(&context), artifact.cid.clone());
        let content = tokio::task::spawn_blocking(move || read(&reading, Some(&cid))).await;
        let Some(content) = content.unwrap_or_default() else { return Ok(Step::Again) };
        let id = pinner.keep(&content).await?;
        context.sources.well(pinner.origin());
        tracing::debug!(item = %item.id, %id, bytes = artifact.bytes, "artifact pinned");
    }
    Ok(Step::Pinned)
}
