//! From artifacts in the local store to artifacts that the network finds.

use std::sync::Arc;

use refiner_content::ContentStore as _;
use refiner_journal::{Item, Step};

use super::refine::read;
use crate::run::{policy::StageError, shop::Shop};

/// Uploads every artifact to the pinner, which must name it as we do. Without a pinner the local store is where they are found.
pub async fn pin(shop: Arc<Shop>, item: Item) -> Result<Step, StageError> {
    let Some(pinner) = &shop.pinner else { return Ok(Step::Pinned) };
    let artifacts = shop.ledger.with(|journal| journal.artifacts(item.id));
    for artifact in artifacts? {
        let (reading, cid) = (Arc::clone(&shop), artifact.cid.clone());
        let content = tokio::task::spawn_blocking(move || read(&reading, Some(&cid))).await;
        let Some(content) = content.unwrap_or_default() else { return Ok(Step::Again) };
        let id = pinner.keep(&content).await?;
        tracing::debug!(item = %item.id, %id, bytes = artifact.bytes, "Pinned an artifact.");
    }
    Ok(Step::Pinned)
}
