//! Failures that come again and again, in the log.

use std::time::Duration;

use tokio::time::Instant;

/// Lines about one outage are this far apart.
const REMIND: Duration = Duration::from_secs(600);
/// Lines about outages that follow each other are this far apart.
const QUIET: Duration = Duration::from_secs(60);

/// Failures of one part in a row: one line when they begin and one every ten minutes, however their reasons change.
#[derive(Debug, Default)]
pub struct Outage {
    failures: u64,
    logged: Option<Instant>,
    /// True once this outage is in the log.
    is_logged: bool,
}

impl Outage {
    /// Takes note of a failure; whether it is worth a line.
    pub fn failed(&mut self) -> bool {
        self.failed_at(Instant::now())
    }

    fn failed_at(&mut self, now: Instant) -> bool {
        let pause = if self.is_logged { REMIND } else { QUIET };
        self.failures += 1;
        let is_due = self.logged.is_none_or(|logged| now.duration_since(logged) >= pause);
        if is_due {
            (self.logged, self.is_logged) = (Some(now), true);
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
        let lines: Vec<_> = (0..1_201).filter(|second| outage.failed_at(at(*second))).collect();
        assert_eq!(lines, [0, 600, 1_200]);
        assert_eq!((outage.over(), outage.over()), (Some(1_201), None));
    }

    #[test]
    fn failure_now_and_then_is_one_line_in_a_minute() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let mut lines = 0;
        for second in 0..120 {
            lines += u64::from(outage.failed_at(start + Duration::from_secs(second)));
            outage.over();
        }
        assert_eq!(lines, 2);
    }
}
