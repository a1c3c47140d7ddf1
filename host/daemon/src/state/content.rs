//! Content on its way through the stages.

use std::{sync::Arc, time::Duration};

use refiner_content::{Content, ContentId, FetchError, KeepError, LocalStore};
use refiner_diagnostics::ErrorChain;

use super::content_cache::ContentCache;

/// The local store, and what one stage left in memory for the next. Clones share both.
#[derive(Clone)]
pub struct StageContent {
    store: LocalStore,
    cache: Arc<ContentCache>,
}

impl StageContent {
    /// Nothing is in memory yet.
    pub fn new(store: LocalStore) -> Self {
        Self { store, cache: Arc::default() }
    }

    /// The local store.
    pub const fn store(&self) -> &LocalStore {
        &self.store
    }

    /// The content that the stage before left, or else that of the store. `None` when the store lost it or set it aside as damaged: then it is made
    /// again. Blocks.
    pub fn read(&self, cid: Option<&str>) -> Option<Content> {
        let id: ContentId = cid?.parse().ok()?;
        if let Some(content) = self.cache.remove(&id) {
            return Some(content);
        }
        match self.store.read(&id) {
            Ok(content) => Some(content),
            Err(FetchError::NotFound { .. }) => None,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "stored content damaged, it is made again");
                None
            }
        }
    }

    /// Keeps content in the local store. Blocks.
    pub fn keep(&self, content: &Content) -> Result<ContentId, KeepError> {
        self.store.write(content)
    }

    /// Leaves content for the next stage.
    pub fn hand_over(&self, content: Content) {
        self.cache.insert(content);
    }

    /// Whether the store has content, which is then not kept in memory: something else than a stage reads it.
    pub fn has_on_disk(&self, id: &ContentId) -> bool {
        let has = self.store.has(id);
        if has {
            drop(self.cache.remove(id));
        }
        has
    }

    /// Gives back memory that nothing used for a while: buffers, and content that no stage took.
    pub fn release_memory(&self, buffers_unused: Duration, content_unused: Duration) {
        self.store.release_memory(buffers_unused);
        self.cache.forget(content_unused);
    }
}
