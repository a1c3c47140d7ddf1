//! Errors of setting up a source.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::{BaseUrlError, ClientError};

/// Errors of setting up a source over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The source's URL is unusable.
    #[error(transparent)]
    Url(#[from] BaseUrlError),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Diagnostic for SetupError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
