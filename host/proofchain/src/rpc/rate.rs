//! A bound on the questions that a node gets in a second.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Gives each question its time. Questions that came earlier go earlier.
#[derive(Debug)]
pub(super) struct RateLimit {
    per_second: Option<NonZeroU32>,
    /// The time from which the next question may go.
    next: Mutex<Option<Instant>>,
}

impl RateLimit {
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        Self { per_second, next: Mutex::default() }
    }

    /// Takes the place of so many questions, and gives the time until they may go.
    pub fn take(&self, questions: usize, now: Instant) -> Duration {
        let Some(per_second) = self.per_second else { return Duration::ZERO };
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = next.map_or(now, |next| next.max(now));
        let each = Duration::from_secs(1) / per_second.get();
        *next = Some(start + each.saturating_mul(u32::try_from(questions).unwrap_or(u32::MAX)));
        start - now
    }

    /// The most questions in one request.
    pub fn most(&self) -> usize {
        self.per_second.map_or(usize::MAX, |per_second| usize::try_from(per_second.get()).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_spread_over_the_second() {
        let limit = RateLimit::new(NonZeroU32::new(10));
        let now = Instant::now();
        let waits = [1, 4, 1, 1].map(|questions| limit.take(questions, now).as_millis());
        assert_eq!(waits, [0, 100, 500, 600]);
        assert_eq!(limit.take(1, now + Duration::from_secs(5)), Duration::ZERO);
        assert_eq!(RateLimit::new(None).take(1_000, now), Duration::ZERO);
    }
}
