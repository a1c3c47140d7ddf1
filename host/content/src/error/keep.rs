//! Errors of keeping content.

use std::{io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use super::Blame;
use crate::{ContentId, Excerpt, Origin, TransportError};

/// Errors of keeping content.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// No room on the disk. Nothing of the content remains there.
    #[error("no room for {needed_bytes} bytes at {}", path.display())]
    DiskFull {
        /// The file that was written.
        path: PathBuf,
        /// Bytes of the content.
        needed_bytes: usize,
    },
    /// A file or directory could not be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No connection, or it broke; also a pinner that died on the upload.
    #[error("{to}: {source}")]
    Transport {
        /// The store.
        to: Origin,
        /// The fault of the connection.
        source: TransportError,
    },
    /// The upload took too long in all.
    #[error("{to} did not answer within {deadline_ms} ms")]
    Deadline {
        /// The store.
        to: Origin,
        /// The limit.
        deadline_ms: u64,
    },
    /// Another status than 200.
    #[error("{to} answered {status}: {answer}")]
    Status {
        /// The store.
        to: Origin,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        answer: Excerpt,
    },
    /// Status 200 with an empty body: the store saw no file, or its proxy lost the answer.
    #[error("{to} answered 200 with an empty body")]
    EmptyAnswer {
        /// The store.
        to: Origin,
    },
    /// Status 200 and a body that is no list of ids.
    #[error("{to} answered 200 without an id: {answer}")]
    UnreadableAnswer {
        /// The store.
        to: Origin,
        /// The beginning of the answer.
        answer: Excerpt,
    },
    /// The store gives the content another id, so that it would not be found under ours.
    #[error("{to} gave the content the id {theirs}, expected {ours}")]
    WrongId {
        /// The store.
        to: Origin,
        /// The id of the network's UnixFS profile.
        ours: ContentId,
        /// Answer of the store, in part.
        theirs: Excerpt,
    },
    /// More bytes than the store may be sent.
    #[error("{bytes} bytes are more than {to} may be sent")]
    TooLarge {
        /// The store.
        to: Origin,
        /// Bytes of the content.
        bytes: usize,
    },
}

impl KeepError {
    /// Whether a retry can succeed.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::DiskFull { .. }
            | Self::File { .. }
            | Self::Transport { .. }
            | Self::Deadline { .. }
            | Self::Status { .. }
            | Self::EmptyAnswer { .. }
            | Self::UnreadableAnswer { .. } => Blame::Infrastructure,
            // The store builds another tree of the same bytes, and would again.
            Self::WrongId { .. } | Self::TooLarge { .. } => Blame::Final,
        }
    }
}

impl Diagnostic for KeepError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
