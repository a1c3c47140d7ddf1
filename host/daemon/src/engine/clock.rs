//! The one place where the daemon looks at the system's clock.
//!
//! The daemon goes by a steady clock that begins with the system's. When the system's clock departs from it, because it was set or the
//! machine slept, the times of unfinished work in the journal move along, so that no pause becomes longer or shorter.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use refiner_journal::{JournalError, State};
use tokio_util::sync::CancellationToken;

use crate::context::PipelineContext;

/// Pause between two comparisons of the two clocks.
const LOOK: Duration = Duration::from_secs(10);
/// The least difference that is followed: smaller ones are the clocks' own.
const DEPARTED_MS: u64 = 10_000;

/// The steady clock of this process.
static CLOCK: LazyLock<SteadyClock> = LazyLock::new(SteadyClock::new);

/// A clock that nothing sets but [`watch`].
struct SteadyClock {
    began: Instant,
    began_ms: u64,
    /// Milliseconds by which it was moved since it began.
    moved_ms: AtomicI64,
}

impl SteadyClock {
    fn new() -> Self {
        Self { began: Instant::now(), began_ms: system_ms(), moved_ms: AtomicI64::new(0) }
    }

    fn now_ms(&self) -> u64 {
        let steady = self.began_ms.saturating_add(milliseconds(self.began.elapsed()));
        steady.saturating_add_signed(self.moved_ms.load(Ordering::SeqCst))
    }
}

/// Milliseconds since 1970, as the journal counts.
pub fn now_ms() -> u64 {
    CLOCK.now_ms()
}

/// A duration as the journal counts.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn system_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
}

/// The difference to follow, where there is one.
fn departure(system_ms: u64, steady_ms: u64) -> Option<i64> {
    let distance = system_ms.abs_diff(steady_ms);
    let by = i64::try_from(distance).ok().filter(|_| distance >= DEPARTED_MS)?;
    Some(if system_ms < steady_ms { -by } else { by })
}

/// Follows the system's clock until `stop`. At first it ends pauses that a clock that was wrong before made longer than `longest`.
///
/// # Errors
///
/// The journal's.
pub async fn watch(
    context: Arc<PipelineContext>,
    longest: Duration,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let shortened = context.journal.with(|journal| journal.due_by(now_ms(), milliseconds(longest)))?;
    if shortened > 0 {
        tracing::warn!(items = shortened, "clock was wrong, delayed items are due now");
        State::ALL.into_iter().for_each(|state| context.journal.notify(state));
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return Ok(()),
        }
        let Some(by_ms) = departure(system_ms(), now_ms()) else { continue };
        // Both under the journal's lock, under which every time is read that is compared with one of the journal.
        context.journal.with(|journal| {
            journal.move_times(now_ms(), by_ms)?;
            CLOCK.moved_ms.fetch_add(by_ms, Ordering::SeqCst);
            Ok(())
        })?;
        tracing::warn!(seconds = by_ms / 1_000, "system clock was set, pauses are kept as they are");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_differences_alone_are_followed_in_both_directions() {
        const DAY_MS: u64 = 86_400_000;
        for (system_ms, steady_ms, expected) in [
            (DAY_MS, DAY_MS, None),
            (DAY_MS + DEPARTED_MS - 1, DAY_MS, None),
            (2 * DAY_MS, DAY_MS, Some(86_400_000)),
            (0, DAY_MS, Some(-86_400_000)),
        ] {
            assert_eq!(departure(system_ms, steady_ms), expected);
        }
    }

    #[test]
    fn clock_that_was_moved_shows_the_time_of_the_system() {
        let clock = SteadyClock::new();
        let before = clock.now_ms();
        clock.moved_ms.fetch_add(-86_400_000, Ordering::SeqCst);
        assert!((before - clock.now_ms()).abs_diff(86_400_000) < 60_000);
    }
}
