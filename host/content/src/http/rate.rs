//! The rate below which an answer is given up.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::error::{Failure, TransportError, milliseconds};

/// The least rate of an answer. A peer below it would hold its place among the requests until the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastRate {
    /// Bytes in a second, on average over a window.
    pub bytes_per_second: u64,
    /// The window, the first of which begins with the first byte.
    pub window: Duration,
}

impl Default for LeastRate {
    /// A modem's worth: 64 MiB would take an hour.
    fn default() -> Self {
        Self { bytes_per_second: 16 << 10, window: Duration::from_secs(15) }
    }
}

impl LeastRate {
    /// Bytes that come within a window at least.
    fn window_bytes(self) -> u64 {
        self.bytes_per_second.saturating_mul(milliseconds(self.window)) / 1_000
    }
}

/// A stretch of time in which the least has to come.
pub(crate) struct Window {
    rate: LeastRate,
    /// `None` before the first byte.
    end: Option<Instant>,
    bytes: u64,
}

impl Window {
    pub(crate) const fn of(rate: LeastRate) -> Self {
        Self { rate, end: None, bytes: 0 }
    }

    /// Waits for a piece, and no longer than the window lasts when too little came within it.
    pub(crate) async fn bound<T>(&self, piece: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match self.end.filter(|_| self.bytes < self.rate.window_bytes()) {
            Some(end) => timeout_at(end, piece).await.unwrap_or_else(|_| Err(self.too_slow())),
            None => piece.await,
        }
    }

    /// Counts a piece, and begins the next window when this one is over.
    pub(crate) fn count(&mut self, bytes: usize) -> Result<(), Failure> {
        let now = Instant::now();
        let end = *self.end.get_or_insert(now + self.rate.window);
        self.bytes += bytes as u64;
        if now < end {
            return Ok(());
        }
        if self.bytes < self.rate.window_bytes() {
            return Err(self.too_slow());
        }
        (self.end, self.bytes) = (Some(now + self.rate.window), 0);
        Ok(())
    }

    fn too_slow(&self) -> Failure {
        let (window_ms, least_bytes) = (milliseconds(self.rate.window), self.rate.window_bytes());
        Failure::Transport(TransportError::TooSlow { bytes: self.bytes, window_ms, least_bytes })
    }
}
