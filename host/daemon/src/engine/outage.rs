//! Failures that come again and again, in the log.

use std::time::Duration;

use tokio::time::Instant;

/// Lines about one outage are this far apart.
const REMIND: Duration = Duration::from_secs(600);
/// Lines about outages that follow each other, and about another cause of one, are this far apart.
const QUIET: Duration = Duration::from_secs(60);

/// Failures of one part in a row: one line when they begin, one every ten minutes, and one when the cause changes, of which there is at
/// most one a minute however the causes alternate.
#[derive(Debug, Default)]
pub struct Outage {
    failures: u64,
    logged: Option<Instant>,
    /// True once this outage is in the log.
    is_logged: bool,
    /// The cause that is in the log, without its numbers: times that are left and nonces change by themselves.
    cause: String,
}

impl Outage {
    /// Takes note of a failure; whether it is worth a line.
    pub fn failed(&mut self, cause: &str) -> bool {
        self.failed_at(cause, Instant::now())
    }

    fn failed_at(&mut self, cause: &str, now: Instant) -> bool {
        let cause: String = cause.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let is_known = self.is_logged && self.cause == cause;
        let pause = if is_known { REMIND } else { QUIET };
        self.failures += 1;
        let is_due = self.logged.is_none_or(|logged| now.duration_since(logged) >= pause);
        if is_due {
            (self.logged, self.is_logged, self.cause) = (Some(now), true, cause);
        }
        is_due
    }

    /// Takes note of a success; the number of failures before it where they are in the log.
    pub fn over(&mut self) -> Option<u64> {
        let failures = std::mem::take(&mut self.failures);
        std::mem::take(&mut self.is_logged).then_some(failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_one_line_in_ten_minutes_and_one_when_they_end() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let lines: Vec<_> = (0..1_201).filter(|second| outage.failed_at("locked", at(*second))).collect();
        assert_eq!(lines, [0, 600, 1_200]);
        assert_eq!((outage.over(), outage.over()), (Some(1_201), None));
    }

    #[test]
    fn failure_now_and_then_is_one_line_in_a_minute() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let mut lines = 0;
        for second in 0..120 {
            lines += u64::from(outage.failed_at("locked", start + Duration::from_secs(second)));
            outage.over();
        }
        assert_eq!(lines, 2);
    }

    #[test]
    fn other_cause_is_a_line_and_alternating_ones_are_one_a_minute() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let cause =
            |second| if second < 70 { format!("refused, {} s left", 900 - second) } else { "locked".to_owned() };
        let lines: Vec<_> = (0..200).filter(|second| outage.failed_at(&cause(*second), at(*second))).collect();
        assert_eq!(lines, [0, 70]);
        let cause = |second| if second % 2 == 0 { "locked" } else { "refused" };
        let lines: Vec<_> = (200..320).filter(|second| outage.failed_at(cause(*second), at(*second))).collect();
        assert_eq!(lines, [201, 262]);
    }
}
