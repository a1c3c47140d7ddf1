//! Follows the system's clock where it departs from the daemon's steady one.

use std::time::Duration;

use refiner_journal::{JournalError, State};
use tokio_util::sync::CancellationToken;

use super::{
    clock::{self, milliseconds, now_ms, system_ms},
    poller::pause,
};
use crate::state::journal_handle::JournalHandle;

/// Pause between two comparisons of the two clocks, which cost nothing: what is put off meanwhile is put off by the wrong one.
const LOOK: Duration = Duration::from_secs(1);
/// The least difference that is followed: smaller ones are the clocks' own.
const DEPARTED_MS: u64 = 10_000;

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
pub async fn watch(journal: JournalHandle, longest: Duration, stop: CancellationToken) -> Result<(), JournalError> {
    let shortened = journal.with(|journal| journal.due_by(now_ms(), milliseconds(longest)))?;
    if shortened > 0 {
        tracing::warn!(items = shortened, "clock was wrong, delayed items are due now");
        State::ALL.into_iter().for_each(|state| journal.notify(state));
    }
    while pause(&stop, LOOK).await {
        let Some(by_ms) = departure(system_ms(), now_ms()) else { continue };
        // Both under the journal's lock, under which every time is read that is compared with one of the journal.
        journal.with(|journal| {
            journal.move_times(now_ms(), by_ms)?;
            clock::move_by(by_ms);
            Ok(())
        })?;
        tracing::warn!(seconds = by_ms / 1_000, "system clock was set, pauses are kept as they are");
    }
    Ok(())
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
}
