use std::time::Duration;

use crate::{CONTENT_BYTES_MAX, LeastRate};

/// Bounds of time and size for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From the request until the answer begins.
    pub answer: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// The least that comes once the answer has begun.
    pub least_rate: LeastRate,
    /// The request in all.
    pub deadline: Duration,
    /// Bytes of the answer.
    pub body_bytes: usize,
    /// Redirects followed.
    pub redirects: usize,
}

impl HttpLimits {
    /// Limits for a source that may be slow: `stall` is the longest silence, `whole` the time for all of the answer.
    #[must_use]
    pub fn patient(stall: Duration, whole: Duration) -> Self {
        let least_rate = LeastRate::default();
        let least_rate = LeastRate { window: least_rate.window.max(stall), ..least_rate };
        Self { answer: stall, idle: stall, deadline: whole, least_rate, ..Self::default() }
    }
}

impl Default for HttpLimits {
    /// For a gateway: one that has not begun after 20 s will not, and 64 MiB take 51 s at 10 Mbit/s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            idle: Duration::from_secs(10),
            least_rate: LeastRate::default(),
            deadline: Duration::from_secs(60),
            body_bytes: CONTENT_BYTES_MAX,
            redirects: 4,
        }
    }
}
