//! From artifacts in the local store to artifacts that the network finds.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use refiner_content::ContentStore;
use refiner_journal::{Item, Step};

use crate::{
    engine::{
        policy::StageError,
        stage::{Stage, Steps},
    },
    execute::ProducedArtifacts,
    fetch::sources::Sources,
    state::{content::StageContent, journal_handle::JournalHandle},
};

/// The name of the stage in logs, metrics and traces.
pub const PIN: &str = "pin";

/// Uploads artifacts to the pinner, which must name them as we do. Without a pinner the local store is where they are found.
pub struct Pin {
    pub journal: JournalHandle,
    pub content: StageContent,
    pub pinner: Option<Arc<dyn ContentStore>>,
    pub sources: Arc<Sources>,
}

/// The outcome of pinning.
#[derive(Debug)]
pub enum Pinned {
    /// All artifacts of the item.
    All(PinnedArtifacts),
    /// The local store lost one; everything is made again.
    Lost,
}

/// Artifacts of an item where the network finds them.
#[derive(Debug)]
pub struct PinnedArtifacts {
    /// Made in this file alone.
    _private: (),
}

impl PinnedArtifacts {
    /// Artifacts that are found where they were produced: in the local store of a daemon without a pinner.
    pub const fn in_local_store(_produced: &ProducedArtifacts) -> Self {
        Self { _private: () }
    }
}

impl Stage for Pin {
    type Outcome = Pinned;

    async fn work(self: Arc<Self>, item: Item) -> Result<Pinned, StageError> {
        let Some(pinner) = &self.pinner else { return Ok(Pinned::All(PinnedArtifacts { _private: () })) };
        for artifact in self.journal.with(|journal| journal.artifacts(item.id))? {
            let (stored, cid) = (self.content.clone(), artifact.cid.clone());
            let content = tokio::task::spawn_blocking(move || stored.read(Some(&cid))).await;
            let Some(content) = content.unwrap_or_default() else { return Ok(Pinned::Lost) };
            let id = pinner.keep(&content).await?;
            self.sources.uploaded(pinner.origin());
            tracing::debug!(item = %item.id, %id, bytes = artifact.bytes, "artifact pinned");
        }
        Ok(Pinned::All(PinnedArtifacts { _private: () }))
    }
}

impl From<PinnedArtifacts> for Step {
    fn from(_: PinnedArtifacts) -> Self {
        Self::Pinned
    }
}

impl From<Pinned> for Steps {
    fn from(pinned: Pinned) -> Self {
        Self::from(match pinned {
            Pinned::All(artifacts) => Step::from(artifacts),
            Pinned::Lost => Step::Again,
        })
    }
}
