//! The one place where the daemon looks at the system's clock.
//!
//! The daemon goes by a steady clock that begins with the system's. When the system's clock departs from it, because it was set or the
//! machine slept, the times of unfinished work in the journal move along (`clock_watch.rs`), so that no pause becomes longer or shorter.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The steady clock of this process.
static CLOCK: LazyLock<SteadyClock> = LazyLock::new(SteadyClock::new);

/// A clock that nothing sets but [`move_by`].
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
        // The runtime's clock, which stands still in tests of paused time.
        let elapsed = tokio::time::Instant::now().into_std().saturating_duration_since(self.began);
        let steady = self.began_ms.saturating_add(milliseconds(elapsed));
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

/// Milliseconds since 1970 by the system's clock.
pub fn system_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, milliseconds)
}

/// Moves the steady clock. To be called under the journal's lock, under which every time is read that is compared with one of the journal.
pub fn move_by(by_ms: i64) {
    CLOCK.moved_ms.fetch_add(by_ms, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_that_was_moved_shows_the_time_of_the_system() {
        let clock = SteadyClock::new();
        let before = clock.now_ms();
        clock.moved_ms.fetch_add(-86_400_000, Ordering::SeqCst);
        assert!((before - clock.now_ms()).abs_diff(86_400_000) < 60_000);
    }

    #[tokio::test(start_paused = true)]
    async fn clock_goes_with_the_runtime() {
        let before = now_ms();
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        // Parts of a millisecond are cut off.
        assert!((now_ms() - before).abs_diff(3_600_000) <= 1);
    }
}
