//! Memory that a burst of work took and the ordinary work does not need.

use std::time::Duration;

use refiner_journal::JournalError;
use tokio_util::sync::CancellationToken;

use super::content::StageContent;
use crate::engine::poller::pause;

/// Pause between two looks at unused memory.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Buffers wait this long for their next use. A daemon at work uses each within milliseconds.
const BUFFERS_UNUSED: Duration = Duration::from_secs(3);
/// Content waits this long for the next stage. What is forgotten is read from the local store.
const CONTENT_UNUSED: Duration = Duration::from_secs(10);

/// Gives back what is not used any more, until `stop`.
///
/// # Errors
///
/// None; it is one of the daemon's parts.
pub async fn release(content: StageContent, stop: CancellationToken) -> Result<(), JournalError> {
    loop {
        content.release_memory(BUFFERS_UNUSED, CONTENT_UNUSED);
        if !pause(&stop, LOOK_EVERY).await {
            return Ok(());
        }
    }
}
