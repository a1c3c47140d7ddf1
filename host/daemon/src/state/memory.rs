//! Memory that a burst of work took and the ordinary work does not need.

use std::{sync::Arc, time::Duration};

use refiner_journal::JournalError;
use tokio_util::sync::CancellationToken;

use crate::context::PipelineContext;

/// Pause between two looks at unused memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Buffers wait this long for their next use. A daemon at work uses each within milliseconds.
const BUFFERS_UNUSED: Duration = Duration::from_secs(3);
/// Content waits this long for the next stage. What is forgotten is read from the local store.
const CONTENT_UNUSED: Duration = Duration::from_secs(10);

/// Gives back what is not used any more, until `stop`.
pub async fn release(context: Arc<PipelineContext>, stop: CancellationToken) -> Result<(), JournalError> {
    loop {
        context.store.release_memory(BUFFERS_UNUSED);
        context.content_cache.forget(CONTENT_UNUSED);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}
