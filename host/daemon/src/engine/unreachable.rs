//! Sources that a failure shows to be out of reach, and uploads that fail whether the pinner is reached or not.

use refiner_content::{FetchError, KeepError, Origin, TransportError};
use refiner_diagnostics::ErrorChain;

use super::policy::{Disposition, StageError};

/// Learns of failures of stages.
pub trait FailureObserver: Send + Sync {
    /// A stage failed.
    fn failed(&self, error: &StageError);
}

/// The sources that could not be reached, each with the failure in words. Statuses such as 500 are pinners' words for content that they
/// do not find.
pub fn unreachable_sources(error: &StageError) -> Vec<(&Origin, String)> {
    match error {
        StageError::Fetch(failure) => {
            let source = |attempt| Some((unreachable_source(attempt)?, ErrorChain(attempt).to_string()));
            failure.attempts.iter().filter_map(source).collect()
        }
        StageError::Keep(error) => {
            unreachable_store(error).map(|origin| (origin, ErrorChain(error).to_string())).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The failure of an upload that is tried again until the pinner takes it, in words.
pub fn failed_upload(error: &StageError) -> Option<String> {
    match error {
        StageError::Keep(
            KeepError::Transport { .. }
            | KeepError::Deadline { .. }
            | KeepError::Status { .. }
            | KeepError::EmptyAnswer { .. }
            | KeepError::UnreadableAnswer { .. },
        ) if error.disposition() == Disposition::Retry => Some(ErrorChain(error).to_string()),
        _ => None,
    }
}

fn unreachable_source(error: &FetchError) -> Option<&Origin> {
    match error {
        FetchError::Transport { from, source } => is_unreachable(source).then_some(from),
        FetchError::Status { from, status, .. } => is_away(*status).then_some(from),
        FetchError::Deadline { from, .. } => Some(from),
        _ => None,
    }
}

fn unreachable_store(error: &KeepError) -> Option<&Origin> {
    match error {
        KeepError::Transport { to, source } => is_unreachable(source).then_some(to),
        KeepError::Status { to, status, .. } => is_away(*status).then_some(to),
        KeepError::Deadline { to, .. } => Some(to),
        _ => None,
    }
}

const fn is_unreachable(error: &TransportError) -> bool {
    matches!(
        error,
        TransportError::Connect(_)
            | TransportError::Proxy(_)
            | TransportError::NoAnswer { .. }
            | TransportError::Stalled { .. }
            | TransportError::Broken(_)
    )
}

const fn is_away(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}
