//! Reasons for which content could not be named, fetched, kept or served.

use std::{io, path::PathBuf};

use refiner_config::Bytes;
use refiner_content::{EncodeError, FetchFailure, KeepError, OpenError, SetupError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_listener::BindError;
use refiner_text::OneLine;

/// Reasons for which content could not be named, fetched, kept or served.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A file cannot be read.
    #[error("{}: {source}", OneLine(.file))]
    Read {
        file: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// More than the network's content has.
    #[error("{}: larger than the limit of {} bytes for one content", OneLine(.file), refiner_content::CONTENT_BYTES_MAX)]
    TooLarge { file: String },
    /// What was fetched cannot be written.
    #[error("{}: {source}", OneLine(.path.display()))]
    Write {
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// No backend has it.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// Its DAS root could not be computed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The pinner's or a gateway's address.
    #[error(transparent)]
    Source(#[from] SetupError),
    /// The address to serve on.
    #[error(transparent)]
    Serve(#[from] BindError),
    /// No upload as large as is permitted would ever find room.
    #[error("--upload-size {upload} is more than half of --in-flight-size {in_flight}")]
    Limits { upload: Bytes, in_flight: Bytes },
    /// The runtime, its signals or its connections.
    #[error("the system gives no threads, signals or connections: {0}")]
    Runtime(#[source] io::Error),
}

impl Diagnostic for ContentError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Read { .. } | Self::TooLarge { .. } => ExitCode::Input,
            Self::Write { .. } | Self::Encode(_) | Self::Runtime(_) => ExitCode::Host,
            Self::Fetch(error) => error.exit_code(),
            Self::Keep(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Source(error) => error.exit_code(),
            Self::Serve(error) => error.exit_code(),
            Self::Limits { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Serve(BindError::NotLoopback { .. }) => {
                Some("put a proxy with access control before it, or permit it with --allow-remote-content".into())
            }
            Self::Fetch(_) => Some("name a source that has it by --data, --pinner or --gateway".into()),
            Self::Read { .. }
            | Self::TooLarge { .. }
            | Self::Write { .. }
            | Self::Encode(_)
            | Self::Keep(_)
            | Self::Store(_)
            | Self::Source(_)
            | Self::Serve(BindError::Listen { .. })
            | Self::Limits { .. }
            | Self::Runtime(_) => None,
        }
    }
}
