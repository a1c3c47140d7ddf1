//! Why content could not be fetched or kept, and whether trying again can help.

use std::{fmt, io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode, Hint};

use crate::{
    BaseUrlError, CarError, ClientError, ContentId, DagError, DasError, EncodeError, Excerpt, Origin, TransportError,
};

/// Attempts that a failure's text tells of; it has them all.
const ATTEMPTS_TOLD_MAX: usize = 8;

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// A machine, a network or a configuration: the same request can succeed later. Retry with backoff.
    Infrastructure,
    /// The content itself: no healthy source or store would answer otherwise. Do not retry.
    Final,
}

/// Why one source did not give content.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The source does not have it, or did not find it in time.
    #[error("{from} does not have it")]
    NotFound {
        /// The source.
        from: Origin,
    },
    /// No connection, or it broke.
    #[error("{from}: {source}")]
    Transport {
        /// The source.
        from: Origin,
        /// What the connection met.
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
    #[error("{from} answered {status} and said {said}")]
    Status {
        /// The source.
        from: Origin,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        said: Excerpt,
    },
    /// Status 200 and no byte, for content that has some.
    #[error("{from} answered 200 with an empty body")]
    EmptyAnswer {
        /// The source.
        from: Origin,
    },
    /// More bytes than allowed; reading stopped there.
    #[error("{from} sent more than {limit_bytes} bytes")]
    TooLarge {
        /// The source.
        from: Origin,
        /// The limit.
        limit_bytes: usize,
    },
    /// The bytes are others than the id names.
    #[error("{from} sent bytes of {got} for {asked}")]
    Mismatch {
        /// The source.
        from: Origin,
        /// The id that was asked for.
        asked: ContentId,
        /// The id of what came, by the network's UnixFS profile.
        got: ContentId,
    },
    /// What came as an archive of blocks is none, or a block is not what its id says.
    #[error("{from} sent no valid archive")]
    Car {
        /// The source.
        from: Origin,
        /// What is wrong with it.
        source: CarError,
    },
    /// The blocks do not make a file.
    #[error("{from} sent blocks that make no file")]
    Dag {
        /// The source.
        from: Origin,
        /// The fault that was found.
        source: DagError,
    },
    /// The id itself names no file that can be put together here, whoever sends it.
    #[error("what {id} names is no file")]
    NoFile {
        /// The id.
        id: ContentId,
        /// The fault that was found.
        source: DagError,
    },
    /// The blocks do not make DAS content.
    #[error("{from} sent blocks that make no DAS content")]
    DasBlock {
        /// The source.
        from: Origin,
        /// The fault that was found.
        source: DasError,
    },
    /// The id itself names no DAS content that is read here, whoever sends it.
    #[error("what {id} names is no DAS content")]
    NoDas {
        /// The id.
        id: ContentId,
        /// The fault that was found.
        source: DasError,
    },
    /// Bytes could not be encoded for the comparison with a DAS id.
    #[error("{id} was not compared")]
    Kzg {
        /// The id.
        id: ContentId,
        /// The cause.
        source: EncodeError,
    },
    /// The announced hash is another than that of the bytes.
    #[error("{from} sent bytes that do not have the announced hash")]
    NotAccepted {
        /// The source.
        from: Origin,
    },
    /// A stored file is not what its name says. It was moved away.
    #[error("{} was damaged and is set aside as {}", path.display(), aside.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it is now.
        aside: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FetchError {
    /// Whether trying again can help.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Transport { source: TransportError::PrivateAddress, .. } => Blame::Final,
            // A source that lies today may be mended, and the same bytes may come from another.
            Self::NotFound { .. }
            | Self::Transport { .. }
            | Self::Deadline { .. }
            | Self::Status { .. }
            | Self::EmptyAnswer { .. }
            | Self::Mismatch { .. }
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

/// Why no source gave content.
#[derive(Debug)]
pub struct FetchFailure {
    /// What each attempt met, in the order in which they ended. Empty when nothing names a place to fetch from.
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
            return f.write_str("nowhere to fetch from");
        }
        f.write_str("no source gave it: ")?;
        for (index, attempt) in self.attempts.iter().take(ATTEMPTS_TOLD_MAX).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}", ErrorChain(attempt))?;
        }
        match self.attempts.len().saturating_sub(ATTEMPTS_TOLD_MAX) {
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

/// Why content could not be kept.
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
        /// What the system said.
        source: io::Error,
    },
    /// No connection, or it broke; also a pinner that died on the upload.
    #[error("{to}: {source}")]
    Transport {
        /// The store.
        to: Origin,
        /// What the connection met.
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
    #[error("{to} answered {status} and said {said}")]
    Status {
        /// The store.
        to: Origin,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        said: Excerpt,
    },
    /// Status 200 and no byte: the store saw no file, or its proxy lost the answer.
    #[error("{to} answered 200 with an empty body")]
    EmptyAnswer {
        /// The store.
        to: Origin,
    },
    /// Status 200 and no list of ids.
    #[error("{to} answered 200 and said {said}, which names no id")]
    UnreadableAnswer {
        /// The store.
        to: Origin,
        /// The beginning of the answer.
        said: Excerpt,
    },
    /// The store names the content otherwise, so that nobody would find it under our id.
    #[error("{to} stored it as {theirs}, which is not {ours}")]
    WrongId {
        /// The store.
        to: Origin,
        /// The id of the network's UnixFS profile.
        ours: ContentId,
        /// What the store answered.
        theirs: Excerpt,
    },
    /// More bytes than the store may be sent, or than it takes.
    #[error("{bytes} bytes are too many for {to}")]
    TooLarge {
        /// The store.
        to: Origin,
        /// Bytes of the content.
        bytes: usize,
    },
}

impl KeepError {
    /// Whether trying again can help.
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

/// Why a source over HTTP cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its URL.
    #[error(transparent)]
    Url(#[from] BaseUrlError),
    /// The HTTP client.
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
