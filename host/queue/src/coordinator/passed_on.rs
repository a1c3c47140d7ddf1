//! Second opinions that came to the host of the first, which may not give them.

use std::time::Duration;

use crate::limits::{PASS_ON_AFTER, PASS_ON_AFTER_MAX, POISON_DELIVERIES};

/// Pauses of one length, before the next longer one.
const PAUSES_ALIKE: u32 = 10;

/// The publications of a task that were passed on.
#[derive(Default)]
pub(super) struct PassedOn {
    publications: u32,
    /// Deliveries to hosts that may run the task and were not heard of again.
    lost: u32,
}

impl PassedOn {
    /// The pause before the task is published again, after one publication more was passed on at this delivery. Where too many deliveries were
    /// lost before, their number: a host that is away has no part in it.
    pub fn by(&mut self, delivered: u32) -> Result<Duration, u32> {
        self.lost = self.lost.saturating_add(delivered.saturating_sub(1));
        if self.lost >= POISON_DELIVERIES {
            return Err(self.lost);
        }
        self.publications = self.publications.saturating_add(1);
        Ok((PASS_ON_AFTER * (self.publications / PAUSES_ALIKE).max(1)).min(PASS_ON_AFTER_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_opinion_waits_for_a_host_that_is_away_for_a_day_and_no_longer_than_its_longest_pause_after() {
        let mut passed_on = PassedOn::default();
        let mut waited = Duration::ZERO;
        assert_eq!(passed_on.by(1), Ok(PASS_ON_AFTER));
        while waited < Duration::from_secs(24 * 3_600) {
            waited += passed_on.by(1).unwrap();
        }
        assert_eq!(passed_on.by(1), Ok(PASS_ON_AFTER_MAX));
    }

    #[test]
    fn second_opinion_whose_hosts_are_not_heard_of_again_ends_as_the_first_does() {
        let mut passed_on = PassedOn::default();
        for _ in 1..POISON_DELIVERIES {
            assert!(passed_on.by(2).is_ok());
            assert!(passed_on.by(1).is_ok());
        }
        assert_eq!(passed_on.by(2), Err(POISON_DELIVERIES));
        assert_eq!(PassedOn::default().by(POISON_DELIVERIES), Ok(PASS_ON_AFTER));
        assert_eq!(PassedOn::default().by(POISON_DELIVERIES + 1), Err(POISON_DELIVERIES));
    }
}
