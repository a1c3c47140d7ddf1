//! Pauses between tries, ever longer.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

/// The longest pause between two tries, as a multiple of the first.
pub const PAUSE_FACTOR_MAX: u32 = 300;

/// The pauses of something that fails again and again.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure so far; the first pause is about this long.
    pub const fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    /// Counts a failure and returns the pause after it.
    pub fn failed(&mut self) -> Duration {
        let pause = pause(self.first, self.failures, PAUSE_FACTOR_MAX);
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// Forgets the failures.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// The pause after `failures` failures: doubling from `first` up to `factor_max` times that, with jitter of as much again at most.
pub fn pause(first: Duration, failures: u32, factor_max: u32) -> Duration {
    let longest = first.saturating_mul(factor_max);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build();
    // Doubling reaches the longest pause within so many steps.
    let steps = factor_max.ilog2() + 1;
    pauses.into_iter().nth(failures.min(steps) as usize).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_failures_in_a_row_and_begin_anew_after_a_success() {
        let first = Duration::from_millis(100);
        let mut backoff = Backoff::new(first);
        let pauses: Vec<_> = (0..4).map(|_| backoff.failed()).collect();
        for (number, pause) in pauses.iter().enumerate() {
            let least = first * (1 << number);
            assert!((least..=2 * least).contains(pause), "{number}: {pause:?}");
        }
        assert_eq!(backoff.failures(), 4);
        backoff.reset();
        assert!(backoff.failed() <= 2 * first);
        assert_eq!(backoff.failures(), 1);
    }
}
