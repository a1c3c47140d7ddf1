//! From an announcement to a verified specimen in the local store.

pub mod sources;
mod verify;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use refiner_content::{Accept, FetchBackend as _, Fetcher, Locations};
use refiner_journal::{Item, Step};
use tokio::time::Instant;

use self::{
    sources::Sources,
    verify::{VerifiedSpecimen, is_announced, verify},
};
use crate::{
    engine::{
        policy::StageError,
        stage::{Stage, Steps},
    },
    locate::LocationPrefetcher,
    observe::metrics::{Event, Metrics},
    state::content::StageContent,
};

/// The name of the stage in logs, metrics and traces.
pub const FETCH: &str = "fetch";

/// Fetches specimens, and checks them against the announcement and against their own header.
pub struct Fetch {
    pub locations: LocationPrefetcher,
    pub fetcher: Fetcher,
    pub sources: Arc<Sources>,
    pub content: StageContent,
    pub metrics: Metrics,
}

/// The outcome of a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// The specimen is in the store.
    Verified(VerifiedSpecimen),
    /// No result of it can be proved any more.
    NotProvable,
}

impl Stage for Fetch {
    type Outcome = Fetched;

    async fn work(self: Arc<Self>, item: Item) -> Result<Fetched, StageError> {
        let located = self.locations.locate(&item).await?;
        if !located.may_be_proved {
            return Ok(Fetched::NotProvable);
        }
        let locations = Locations::parse(&located.urls);
        if locations.is_empty() {
            return Err(StageError::Nowhere { refused: locations.refused });
        }
        let hash = item.specimen_hash;
        let accept: Accept = Arc::new(move |bytes| is_announced(bytes, hash));
        let fetched = self.fetcher.fetch_any(&locations, Some(accept)).await?;
        self.sources.well(&fetched.from);
        tracing::debug!(item = %item.id, from = %fetched.from, bytes = fetched.content.bytes().len(), "specimen fetched");
        let begun = Instant::now();
        let verified = verify(fetched.content, &item)?;
        self.metrics.happened(Event::Decode, begun.elapsed());
        if fetched.from == *self.content.store().origin() {
            return Ok(Fetched::Verified(verified.hand_over(&self.content)));
        }
        let content = self.content.clone();
        let kept = tokio::task::spawn_blocking(move || verified.keep(&content)).await;
        kept.unwrap_or(Err(StageError::Panicked)).map(Fetched::Verified)
    }
}

impl From<Fetched> for Steps {
    fn from(fetched: Fetched) -> Self {
        Self::from(match fetched {
            Fetched::Verified(specimen) => Step::from(specimen),
            Fetched::NotProvable => Step::Skipped { reason: "the session is closed, or the proof is submitted".into() },
        })
    }
}
