//! The one place where the daemon looks at the system's clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use refiner_journal::{JournalError, State};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::context::PipelineContext;

/// Pause between two comparisons of the clock with a monotonic one.
const LOOK: Duration = Duration::from_secs(10);
/// The least that a clock is set back by for pauses to be looked through.
const SET_BACK_MS: u64 = 60_000;

/// Milliseconds since 1970, as the journal counts.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
}

/// A duration as the journal counts.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Ends pauses that a wrong clock made longer than `longest`: at the start, and whenever the clock is set back.
///
/// # Errors
///
/// The journal's.
pub async fn watch(
    context: Arc<PipelineContext>,
    longest: Duration,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let mut expected = u64::MAX;
    loop {
        let now = now_ms();
        if now.saturating_add(SET_BACK_MS) < expected {
            let shortened = context.journal.with(|journal| journal.due_by(now, milliseconds(longest)))?;
            if shortened > 0 {
                tracing::warn!(items = shortened, "clock was wrong, delayed items are due now");
                State::ALL.into_iter().for_each(|state| context.journal.notify(state));
            }
        }
        let looked = Instant::now();
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return Ok(()),
        }
        expected = now.saturating_add(milliseconds(looked.elapsed()));
    }
}
