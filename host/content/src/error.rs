//! Errors of fetching and keeping content, and whether a retry can succeed.

mod fetch;
mod keep;
mod setup;

pub use self::{
    fetch::{FetchError, FetchFailure},
    keep::KeepError,
    setup::SetupError,
};

/// The cause of a failure, by whether a retry can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// A machine, a network or a configuration: the same request can succeed later. Retry with backoff.
    Infrastructure,
    /// The content itself: no healthy source or store would answer otherwise. Do not retry.
    Final,
}
