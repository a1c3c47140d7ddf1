//! Errors of an import.

use std::{io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

/// Errors of an import. Nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No log of an earlier refiner.
    #[error("{}: neither worklog.etf nor block_height.etf, nor files of these names with a number", path.display())]
    NoLog {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// More specimens than any refiner came to.
    #[error("more than {most} specimens")]
    TooMany {
        /// The bound.
        most: usize,
    },
}

impl Diagnostic for ImportError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoLog { .. } | Self::File { .. } | Self::TooMany { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoLog { .. } | Self::File { .. } => {
                Some("name the directory `logs` of the earlier refiner, copied out of its container".into())
            }
            Self::TooMany { .. } => Some("set aside the oldest files, and import the others".into()),
        }
    }
}
