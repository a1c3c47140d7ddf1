//! Errors of fetching content.

use std::{fmt, io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode, Hint};

use super::Blame;
use crate::{CarError, ContentId, DagError, DasError, EncodeError, Excerpt, Origin, TransportError};

/// Attempts that a failure's text lists; the failure has them all.
const ATTEMPTS_SHOWN_MAX: usize = 8;

/// Errors of fetching from one source.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source does not have the content, or did not find it in time.
    #[error("{from} does not have the content")]
    NotFound {
        /// The source.
        from: Origin,
    },
    /// No connection, or it broke.
    #[error("{from}: {source}")]
    Transport {
        /// The source.
        from: Origin,
        /// The fault of the connection.
        source: TransportError,
    },
    /// An attempt took too long in all.
    #[error("{from} did not finish within {deadline_ms} ms")]
    Deadline {
        /// The source.
        from: Origin,
        /// The limit.
        deadline_ms: u64,
    },
    /// Another status than 200.
    #[error("{from} answered {status}: {answer}")]
    Status {
        /// The source.
        from: Origin,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        answer: Excerpt,
    },
    /// Status 200 and no byte, for content that has some.
    #[error("{from} answered 200 with an empty body")]
    EmptyAnswer {
        /// The source.
        from: Origin,
    },
    /// Fewer bytes than the content has.
    #[error("{from} sent {bytes} bytes of {expected}")]
    TooShort {
        /// The source.
        from: Origin,
        /// Bytes that came.
        bytes: usize,
        /// Bytes of the content.
        expected: usize,
    },
    /// More bytes than allowed; reading stopped there.
    #[error("{from} sent more than {limit_bytes} bytes")]
    TooLarge {
        /// The source.
        from: Origin,
        /// The limit.
        limit_bytes: usize,
    },
    /// The bytes are not those that the id names.
    #[error("{from} sent content with the id {got}, expected {asked}")]
    Mismatch {
        /// The source.
        from: Origin,
        /// The id that was asked for.
        asked: ContentId,
        /// The id of what came, by the network's UnixFS profile.
        got: ContentId,
    },
    /// The archive of blocks is malformed, or a block does not have its id.
    #[error("{from} sent no valid archive")]
    Car {
        /// The source.
        from: Origin,
        /// The fault of the archive.
        source: CarError,
    },
    /// The blocks do not make a file.
    #[error("{from} sent blocks that form no file")]
    Dag {
        /// The source.
        from: Origin,
        /// The fault that was found.
        source: DagError,
    },
    /// The id itself names no file that can be assembled, from any source.
    #[error("{id} does not name a file")]
    NoFile {
        /// The id.
        id: ContentId,
        /// The fault that was found.
        source: DagError,
    },
    /// The blocks do not make DAS content.
    #[error("{from} sent blocks that form no DAS content")]
    DasBlock {
        /// The source.
        from: Origin,
        /// The fault that was found.
        source: DasError,
    },
    /// The id itself names no DAS content that is read here, from any source.
    #[error("{id} does not name DAS content")]
    NoDas {
        /// The id.
        id: ContentId,
        /// The fault that was found.
        source: DasError,
    },
    /// Bytes could not be encoded for the comparison with a DAS id.
    #[error("{id} could not be compared with the bytes")]
    Kzg {
        /// The id.
        id: ContentId,
        /// The cause.
        source: EncodeError,
    },
    /// The announced hash is another than that of bytes that no content id was compared with: an error page in place of the content.
    #[error("{from} sent bytes whose hash is not the announced one")]
    NotAnnounced {
        /// The source.
        from: Origin,
    },
    /// The announced hash is another than that of the content which the id names, and which every source has.
    #[error("{from} has the content of the id, and its hash is not the announced one")]
    NotAccepted {
        /// The source.
        from: Origin,
    },
    /// A stored file does not have its id. It was moved away.
    #[error("{} is damaged and was moved to {}", path.display(), aside.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The file's present path.
        aside: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl FetchError {
    /// Whether a retry can succeed.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Transport { source: TransportError::PrivateAddress, .. } => Blame::Final,
            // A faulty source may be repaired, and the same bytes may come from another.
            Self::NotFound { .. }
            | Self::Transport { .. }
            | Self::Deadline { .. }
            | Self::Status { .. }
            | Self::EmptyAnswer { .. }
            | Self::TooShort { .. }
            | Self::Mismatch { .. }
            | Self::NotAnnounced { .. }
            | Self::Car { .. }
            | Self::Dag { .. }
            | Self::DasBlock { .. }
            | Self::Kzg { .. }
            | Self::Damaged { .. }
            | Self::File { .. } => Blame::Infrastructure,
            Self::TooLarge { .. } | Self::NoFile { .. } | Self::NoDas { .. } | Self::NotAccepted { .. } => Blame::Final,
        }
    }
}

/// The failure of every source.
#[derive(Debug)]
pub struct FetchFailure {
    /// The error of each attempt, in the order in which they ended. Empty when no place to fetch from is known.
    pub attempts: Vec<FetchError>,
}

impl FetchFailure {
    /// Infrastructure as soon as one attempt could succeed later.
    #[must_use]
    pub fn blame(&self) -> Blame {
        let later = self.attempts.iter().any(|attempt| attempt.blame() == Blame::Infrastructure);
        if later { Blame::Infrastructure } else { Blame::Final }
    }
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() {
            return f.write_str("no source to fetch from");
        }
        f.write_str("no source returned the content: ")?;
        for (index, attempt) in self.attempts.iter().take(ATTEMPTS_SHOWN_MAX).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}", ErrorChain(attempt))?;
        }
        match self.attempts.len().saturating_sub(ATTEMPTS_SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for FetchFailure {}

impl Diagnostic for FetchFailure {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
