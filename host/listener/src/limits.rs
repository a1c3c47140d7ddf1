use std::time::Duration;

/// Bounds of what clients may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. For one more the oldest without a request is closed; when each has one, it waits until one ends.
    pub connections: usize,
    /// From the first byte of a request until its head is complete.
    pub head: Duration,
    /// Between two requests of a connection, and before the first.
    pub idle: Duration,
    /// For a client to take what is written to it: at least 64 KiB in this time, or all that is left.
    pub write: Duration,
    /// A whole request: from its head until its answer has been handed to the system.
    pub request: Duration,
    /// For requests under way when the server is stopped.
    pub drain: Duration,
}

impl Limits {
    /// Bounds for small answers to a few monitors, which a daemon with other work gives.
    #[must_use]
    pub const fn of_monitoring() -> Self {
        Self {
            connections: 32,
            head: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(10),
            request: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}
