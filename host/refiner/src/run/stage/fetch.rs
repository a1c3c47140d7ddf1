//! From an announcement to a verified specimen in the local store.

use std::{sync::Arc, time::Instant};

use refiner_content::{Accept, Locations, Source as _};
use refiner_journal::{Item, Step};

use super::verify::{is_announced, verify};
use crate::run::{metrics::Event, policy::StageError, shop::Shop};

/// Asks the chain where the specimen is, fetches it, and holds it against the announcement and against its own header.
pub async fn fetch(shop: Arc<Shop>, item: Item) -> Result<Step, StageError> {
    let place = shop.foresight.place(&shop, &item).await?;
    if !place.may_be_proved {
        return Ok(Step::Skipped { reason: "the session is closed, or the proof is submitted".into() });
    }
    let locations = Locations::parse(&place.urls);
    if locations.is_empty() {
        return Err(StageError::Nowhere { refused: locations.refused });
    }
    let hash = item.specimen_hash;
    let accept: Accept = Arc::new(move |bytes| is_announced(bytes, hash));
    let fetched = shop.fetcher.fetch_any(&locations, Some(accept)).await?;
    tracing::debug!(item = %item.id, from = %fetched.from, bytes = fetched.content.bytes().len(), "Fetched a specimen.");
    let begun = Instant::now();
    let verified = verify(fetched.content, &item)?;
    shop.ledger.metrics.happened(Event::Decode, begun.elapsed());
    if fetched.from == *shop.store.origin() {
        return Ok(verified.leave(&shop.handoff));
    }
    let kept = tokio::task::spawn_blocking(move || verified.keep(&shop.store, &shop.handoff)).await;
    kept.unwrap_or(Err(StageError::Panicked))
}
