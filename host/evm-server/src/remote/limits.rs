//! Limits of time and size for one request to an evm-server.

use std::time::Duration;

/// Limits of time and size for one request to an evm-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteLimits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of the answer, once it began.
    pub idle: Duration,
    /// One try: sending, the execution there, and the whole answer.
    pub attempt: Duration,
    /// All tries, the pauses and the wait for a turn between them.
    pub total: Duration,
    /// The first pause between two tries; each is twice the one before.
    pub pause: Duration,
    /// Tries of one request, the first included.
    pub tries: u32,
    /// Until `/health` has answered; a server in its timeout state sleeps for 30 s.
    pub health: Duration,
    /// Bytes of an answer.
    pub answer_bytes: usize,
    /// Requests at one time: the server holds two files and a database in memory for each, and limits nothing itself.
    pub concurrency: usize,
}

impl Default for RemoteLimits {
    /// A run that executes blocks has 120 s by default, so all tries end before. Results of busy blocks have a few MB; 64 MiB is what a
    /// rule may write by default.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            attempt: Duration::from_secs(45),
            total: Duration::from_secs(100),
            pause: Duration::from_millis(250),
            tries: 3,
            health: Duration::from_secs(5),
            answer_bytes: 64 << 20,
            concurrency: 4,
        }
    }
}

impl RemoteLimits {
    /// These, within a total of this long: no single wait outlasts it.
    #[must_use]
    pub fn within(self, total: Duration) -> Self {
        Self {
            total,
            attempt: self.attempt.min(total),
            idle: self.idle.min(total),
            connect: self.connect.min(total),
            health: self.health.min(total),
            ..self
        }
    }
}
