//! Bounds of calls.

use std::{num::NonZeroU32, time::Duration};

/// Bounds of one call, and of all calls to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcLimits {
    /// Time limit of one attempt, from connecting to the last byte.
    pub timeout: Duration,
    /// Most bytes of an answer. Thousands of logs fit; a node cannot fill our memory.
    pub body_bytes: usize,
    /// The least speed of an answer, once it has begun.
    pub speed: LeastSpeed,
    /// The number of rounds over the nodes after the first.
    pub retries: usize,
    /// The first pause before trying again. It doubles, with jitter, up to 32 times this.
    pub first_pause: Duration,
    /// Most questions that one node gets in a second; each of a batch counts.
    pub questions_per_second: Option<NonZeroU32>,
    /// Time after which a node that is set aside is looked at again, and the head of one that is not asked otherwise.
    pub look_again: Duration,
    /// The longest `Retry-After` that is kept: a peer that has the wrong time shall not be lost.
    pub longest_wait: Duration,
}

/// Bytes per second on average over a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastSpeed {
    /// The average that an answer must reach.
    pub bytes_per_second: u32,
    /// The time over which it is measured.
    pub over: Duration,
}

impl LeastSpeed {
    /// 16 KiB/s over 15 seconds.
    pub const DEFAULT: Self = Self { bytes_per_second: 16 << 10, over: Duration::from_secs(15) };

    /// Whether `bytes` in [`over`](Self::over) are too few.
    pub(super) fn is_missed_by(self, bytes: usize) -> bool {
        (bytes as u128) * 1_000 < u128::from(self.bytes_per_second) * self.over.as_millis()
    }
}

impl Default for RpcLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            body_bytes: 32 << 20,
            speed: LeastSpeed::DEFAULT,
            retries: 4,
            first_pause: Duration::from_millis(250),
            questions_per_second: None,
            look_again: Duration::from_secs(15),
            longest_wait: Duration::from_secs(3_600),
        }
    }
}

/// Ratio of the longest pause to the first.
const LONGEST_PAUSE_FACTOR: u32 = 32;
/// Ratio of the pause after a wrong identity to the one after a failure: it changes only by a person's hand.
const IDENTITY_FACTOR: u32 = 4;
/// Ratio of the time after which a head that no other node confirms counts as taken back.
const HEAD_MEMORY_FACTOR: u32 = 40;
/// Ratio of the time for which a method that a node does not answer goes to the others.
const UNFIT_FACTOR: u32 = 4;

impl RpcLimits {
    /// The longest pause of a call.
    pub(super) fn longest_pause(&self) -> Duration {
        self.first_pause.saturating_mul(LONGEST_PAUSE_FACTOR)
    }

    /// The pause before a node of another chain is looked at again.
    pub(super) fn identity_pause(&self) -> Duration {
        self.look_again.saturating_mul(IDENTITY_FACTOR)
    }

    /// The pause before a node that failed so many times in a row is looked at again.
    pub(super) fn failure_pause(&self, failures: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX));
        doubled.min(self.look_again)
    }

    /// The time for which the highest head is remembered without being confirmed.
    pub(super) fn head_memory(&self) -> Duration {
        self.look_again.saturating_mul(HEAD_MEMORY_FACTOR)
    }

    /// The time after which a head that does not change stands still, if others go on.
    pub(super) fn still_after(&self) -> Duration {
        self.look_again.saturating_mul(UNFIT_FACTOR)
    }

    /// The time for which a method that a node does not answer goes to the others.
    pub(super) fn unfit_for(&self) -> Duration {
        self.look_again.saturating_mul(UNFIT_FACTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_missed_below_its_average_only() {
        let bytes = 16 * 1024 * 15;
        assert!(!LeastSpeed::DEFAULT.is_missed_by(bytes));
        assert!(LeastSpeed::DEFAULT.is_missed_by(bytes - 1));
    }

    #[test]
    fn pause_after_failures_doubles_up_to_the_time_between_two_looks() {
        let limits = RpcLimits::default();
        let pauses = [0, 1, 5, 6, 40].map(|failures| limits.failure_pause(failures).as_millis());
        assert_eq!(pauses, [250, 500, 8_000, 15_000, 15_000]);
    }
}
