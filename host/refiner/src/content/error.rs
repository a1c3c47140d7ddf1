//! Why content could not be named, fetched, kept or served.

use std::{io, path::PathBuf};

use refiner_content::{FetchFailure, KeepError, OpenError, SetupError, serve::ServeError};
use refiner_text::OneLine;

use crate::exit::Exit;

/// Why content could not be named, fetched, kept or served.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A file cannot be read.
    #[error("{}: {source}", OneLine(.file))]
    Read {
        /// Which.
        file: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// More than the network's content has.
    #[error("{}: larger than the limit of {} bytes for one content", OneLine(.file), refiner_content::CONTENT_BYTES_MAX)]
    TooLarge {
        /// Which.
        file: String,
    },
    /// What was fetched cannot be written.
    #[error("{}: {source}", OneLine(.path.display()))]
    Write {
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Nobody gave it.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// It could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The pinner's or a gateway's address.
    #[error(transparent)]
    Source(#[from] SetupError),
    /// The address to serve on.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The runtime, its signals or its connections.
    #[error("the runtime")]
    Runtime(#[source] io::Error),
}

impl ContentError {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Read { .. } | Self::TooLarge { .. } => Exit::Input,
            Self::Source(_) | Self::Serve(ServeError::NotLoopback { .. }) => Exit::Usage,
            _ => Exit::Host,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Serve(ServeError::NotLoopback { .. }) => {
                Some("put a proxy with access control before it, or permit it with --allow-remote-content".to_owned())
            }
            Self::Fetch(_) => Some("name somebody who has it by --data, --pinner or --gateway".to_owned()),
            _ => None,
        }
    }
}
