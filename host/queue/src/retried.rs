//! Requests that are made again until NATS grants them: an operator learns of one that it refuses for long.

use std::{
    error::Error,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::time::Instant;

use crate::limits::REFUSAL_BYTES_MAX;

/// Time without a success after which a refusal is named: an election takes less.
const NAMED_AFTER: Duration = Duration::from_secs(5);
/// Time between two lines about the same.
const NAMED_AGAIN: Duration = Duration::from_secs(60);
/// The usual reason is that a server has no room.
const HINT: &str =
    "look into the log of nats-server, and whether JetStream has room: max_memory_store, max_file_store, its disk";

/// Requests of one kind.
pub(crate) struct Retried {
    /// The state while they are refused, for the log and the status.
    what: &'static str,
    // A lock because tasks run side by side; held for an assignment.
    refused: Mutex<Option<Refused>>,
}

struct Refused {
    since: Instant,
    named: Option<Instant>,
    reason: UntrustedText,
}

impl Retried {
    pub const fn new(what: &'static str) -> Self {
        Self { what, refused: Mutex::new(None) }
    }

    /// A request failed. Without a connection that is no refusal, and is named elsewhere.
    pub fn failed(&self, error: &(dyn Error + 'static), is_connected: bool) {
        let reason = UntrustedText::at_most(&ErrorChain(error).to_string(), REFUSAL_BYTES_MAX);
        if is_connected && self.is_to_be_named(reason.clone(), Instant::now()) {
            tracing::warn!(%reason, hint = HINT, "{}, tried again", self.what);
        }
    }

    fn is_to_be_named(&self, reason: UntrustedText, now: Instant) -> bool {
        let mut refused = self.refused();
        let refused = refused.get_or_insert_with(|| Refused { since: now, named: None, reason: reason.clone() });
        refused.reason = reason;
        let is_due = now - refused.since >= NAMED_AFTER && refused.named.is_none_or(|last| now - last >= NAMED_AGAIN);
        if is_due {
            refused.named = Some(now);
        }
        is_due
    }

    /// A request was granted.
    pub fn succeeded(&self) {
        if self.refused().take().is_some_and(|refused| refused.named.is_some()) {
            tracing::info!("{}: that is over", self.what);
        }
    }

    /// The reason of the last refusal, where none was granted for a while.
    pub fn refusal(&self) -> Option<UntrustedText> {
        self.refusal_at(Instant::now())
    }

    fn refusal_at(&self, now: Instant) -> Option<UntrustedText> {
        let refused = self.refused();
        let lasting = refused.as_ref().filter(|refused| now - refused.since >= NAMED_AFTER)?;
        Some(lasting.reason.clone())
    }

    /// The same with what it is about.
    pub fn waits_for(&self) -> Option<UntrustedText> {
        self.refusal().map(|reason| UntrustedText::new(&format!("{}: {reason}", self.what)))
    }

    /// The value is whole after each statement.
    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_named_when_it_lasts_then_once_a_minute_and_is_over_with_the_first_success() {
        let retried = Retried::new("tasks are not published");
        let begun = Instant::now();
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        let named: Vec<_> =
            (0..130).filter(|second| retried.is_to_be_named(UntrustedText::new("no room"), at(*second))).collect();
        assert_eq!(named, [5, 65, 125]);
        assert_eq!(retried.refusal_at(at(4)), None);
        assert_eq!(retried.refusal_at(at(130)), Some(UntrustedText::new("no room")));
        retried.succeeded();
        assert_eq!(retried.refusal_at(at(130)), None);
        assert!(!retried.is_to_be_named(UntrustedText::new("no room"), at(131)));
    }

    #[test]
    fn failure_without_a_connection_is_no_refusal() {
        let retried = Retried::new("tasks are not published");
        retried.failed(&std::io::Error::other("timed out"), false);
        assert!(retried.refused().is_none());
        retried.failed(&std::io::Error::other("no room"), true);
        assert!(retried.refused().is_some());
    }
}
