//! From an announcement to a verified specimen in the local store.

pub mod sources;
mod verify;

pub use self::verify::Mismatch;

use std::{sync::Arc, time::Instant};

use refiner_content::{Accept, FetchBackend as _, Locations};
use refiner_journal::{Item, Step};

use self::verify::{is_announced, verify};
use crate::{context::PipelineContext, engine::policy::StageError, observe::metrics::Event};

/// Asks the chain where the specimen is, fetches it, and holds it against the announcement and against its own header.
pub async fn fetch(context: Arc<PipelineContext>, item: Item) -> Result<Step, StageError> {
    let place = context.prefetcher.place(&context, &item).await?;
    if !place.may_be_proved {
        return Ok(Step::Skipped { reason: "the session is closed, or the proof is submitted".into() });
    }
    let locations = Locations::parse(&place.urls);
    if locations.is_empty() {
        return Err(StageError::Nowhere { refused: locations.refused });
    }
    let hash = item.specimen_hash;
    let accept: Accept = Arc::new(move |bytes| is_announced(bytes, hash));
    let fetched = context.fetcher.fetch_any(&locations, Some(accept)).await?;
    context.sources.well(&fetched.from);
    tracing::debug!(item = %item.id, from = %fetched.from, bytes = fetched.content.bytes().len(), "specimen fetched");
    let begun = Instant::now();
    let verified = verify(fetched.content, &item)?;
    context.journal.metrics.happened(Event::Decode, begun.elapsed());
    if fetched.from == *context.store.origin() {
        return Ok(verified.leave(&context.content_cache));
    }
    let kept = tokio::task::spawn_blocking(move || verified.keep(&context.store, &context.content_cache)).await;
    kept.unwrap_or(Err(StageError::Panicked))
}
