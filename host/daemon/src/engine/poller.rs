//! A part of the daemon that asks a peer again and again: its pauses, its place in the status, its lines in the log.

use std::{error::Error, time::Duration};

use refiner_diagnostics::ErrorChain;
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, outage::Outage};
use crate::observe::{remedy, status::Status};

/// Failures in a row of one part that polls.
pub struct Poller {
    /// The part's name in the status.
    part: &'static str,
    status: Status,
    backoff: Backoff,
    outage: Outage,
}

/// A failure of a poll, shown in the status already.
#[derive(Clone, Debug)]
pub struct PollFailure {
    /// The error with its causes.
    pub error: String,
    /// The pause until the next try.
    pub pause: Duration,
    /// Failures in a row.
    pub failures: u32,
    /// True where it is worth a line in the log.
    pub is_news: bool,
}

impl Poller {
    /// A part that did not fail yet; its first pause after a failure is about `retry`.
    pub fn new(part: &'static str, status: Status, retry: Duration) -> Self {
        Self { part, status, backoff: Backoff::new(retry), outage: Outage::default() }
    }

    /// Counts a failure and shows it in the status.
    pub fn failed(&mut self, error: &(dyn Error + 'static)) -> PollFailure {
        self.failed_with(error, remedy::of(self.part))
    }

    /// The same, where another remedy helps than is usual for the part.
    pub fn failed_with(&mut self, error: &(dyn Error + 'static), hint: &'static str) -> PollFailure {
        let error = ErrorChain(error).to_string();
        self.status.set_blocked_with(self.part, error.clone(), hint);
        let (pause, is_news) = (self.backoff.failed(), self.outage.failed(&error));
        PollFailure { error, pause, failures: self.backoff.failures(), is_news }
    }

    /// Counts a success and clears the part in the status. Returns the failures before it where they are in the log.
    pub fn succeeded(&mut self) -> Option<u64> {
        self.status.clear_blocked(self.part);
        self.answered()
    }

    /// The same where something else decides about the part's place in the status.
    pub fn answered(&mut self) -> Option<u64> {
        self.backoff.reset();
        self.outage.over()
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// Asks until there is an answer, or an error that no waiting mends. `log` writes the line of a failure that is news.
    ///
    /// # Errors
    ///
    /// The first error for which `is_transient` is false.
    pub async fn answer<T, E: Error + 'static>(
        mut self,
        mut ask: impl AsyncFnMut() -> Result<T, E>,
        is_transient: impl Fn(&E) -> bool,
        log: impl Fn(&PollFailure),
    ) -> Result<T, E> {
        loop {
            match ask().await {
                Err(error) if is_transient(&error) => {
                    let failure = self.failed(&error);
                    if failure.is_news {
                        log(&failure);
                    }
                    tokio::time::sleep(failure.pause).await;
                }
                Ok(answer) => {
                    self.succeeded();
                    return Ok(answer);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Sleeps for a pause, or until `stop`. Returns whether the part goes on.
pub async fn pause(stop: &CancellationToken, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = stop.cancelled() => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::time::Instant;

    use super::*;

    /// A remedy is known for this part.
    const PART: &str = "connect";

    #[tokio::test(start_paused = true)]
    async fn part_asks_ever_more_rarely_until_it_is_answered() {
        let (status, start) = (Status::default(), Instant::now());
        let poller = Poller::new(PART, status.clone(), Duration::from_secs(1));
        let (mut asked, mut lines) = (Vec::new(), std::cell::Cell::new(0));
        let ask = async || {
            asked.push(start.elapsed());
            if asked.len() < 5 { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(asked.len()) }
        };
        let answer = poller.answer(ask, |_| true, |_| lines.set(lines.get() + 1)).await;
        assert_eq!(answer.unwrap(), 5);
        assert_eq!(*lines.get_mut(), 1, "one outage is one line");
        assert!(status.now().waits_for.is_empty());
        for (number, pair) in asked.windows(2).enumerate() {
            let (pause, least) = (pair[1] - pair[0], Duration::from_secs(1 << number));
            assert!(pause >= least && pause <= 2 * least + Duration::from_millis(2), "{number}: {pause:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn error_that_no_waiting_mends_ends_the_poll_at_once() {
        let poller = Poller::new(PART, Status::default(), Duration::from_secs(1));
        let start = Instant::now();
        let is_transient = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        let answer = poller.answer(async || Err::<(), _>(io::Error::other("wrong chain")), is_transient, |_| {}).await;
        assert_eq!(answer.unwrap_err().to_string(), "wrong chain");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn failure_stands_in_the_status_until_a_success() {
        let status = Status::default();
        let mut poller = Poller::new(PART, status.clone(), Duration::from_secs(1));
        let failure = poller.failed(&io::Error::other("no answer"));
        assert!(failure.is_news && failure.failures == 1, "{failure:?}");
        assert_eq!(status.now().waits_for[PART].what, "no answer");
        poller.answered();
        assert!(status.now().waits_for.contains_key(PART), "another decides about the status");
        poller.succeeded();
        assert!(status.now().waits_for.is_empty());
        assert_eq!(poller.failures(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn pause_ends_early_where_the_daemon_stops() {
        let stop = CancellationToken::new();
        assert!(pause(&stop, Duration::from_secs(60)).await);
        stop.cancel();
        let start = Instant::now();
        assert!(!pause(&stop, Duration::from_secs(60)).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
