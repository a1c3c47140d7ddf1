//! Reasons for which an argument names no rules.

use std::{io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_sources::{LockError, SourceError, UnreadableSource};

use crate::{builtin, find};

/// Reasons for which an argument names no rules.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Neither a built-in rule nor a path.
    #[error("{0}: neither a built-in rule nor a file or directory")]
    Unknown(String),
    /// A directory without a component.
    #[error("{0}: the directory holds no .wasm file")]
    EmptyDirectory(PathBuf),
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// An argument that names no source.
    #[error(transparent)]
    Unreadable(#[from] UnreadableSource),
    /// The source does not give what was agreed on.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The lock cannot be read or written.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Diagnostic for FindError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unknown(_) | Self::EmptyDirectory(_) | Self::Read { .. } => ExitCode::Refused,
            Self::Unreadable(error) => error.exit_code(),
            Self::Source(error) => error.exit_code(),
            Self::Lock(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Unknown(_) if builtin::RULES.is_empty() => {
                Some("this binary carries no built-in rules: run `cargo xtask rules`, then build it again".into())
            }
            Self::Unknown(argument) => Some(match find::with_scheme(argument) {
                Some(source) => format!("a source on the network is named with its scheme, as {source}").into(),
                None => format!("built-in rules: {}", builtin::names()).into(),
            }),
            Self::Unreadable(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Lock(error) => error.hint(),
            Self::EmptyDirectory(_) | Self::Read { .. } => None,
        }
    }
}
