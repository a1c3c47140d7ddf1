//! Violations of the protocol by the other side.

use std::io;

use refiner_rule_model::{AboveCap, Limit, Misuse};

/// Something on the pipe that does not belong there.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The other side is gone.
    #[error("the pipe is closed")]
    Closed,
    /// The pipe itself, a passed deadline included.
    #[error("the pipe broke")]
    Io(#[source] io::Error),
    /// The other side speaks another version.
    #[error("speaks version {found} of the protocol, and {} is spoken here", super::VERSION)]
    Version {
        /// Version of the other side.
        found: u32,
    },
    /// A kind of frame that does not exist.
    #[error("a frame of the unknown kind {found:#04x}")]
    UnknownKind {
        /// Number of the kind.
        found: u8,
    },
    /// A frame that has no place here.
    #[error("an unexpected frame, {found:?}")]
    Unexpected {
        /// Kind of the frame.
        found: super::Kind,
    },
    /// A frame past its limit.
    #[error("a frame of {bytes} bytes, and {} are allowed", super::frame::FRAME_BYTES_MAX)]
    FrameTooLong {
        /// Length that the frame announces.
        bytes: u32,
    },
    /// More bytes than announced, or an empty frame of bytes.
    #[error("other bytes than announced")]
    TooManyBytes,
    /// A payload that ends too early.
    #[error("a payload ends too early")]
    Truncated,
    /// A payload that does not end.
    #[error("{bytes} bytes too many in a payload")]
    Trailing {
        /// The number of excess bytes.
        bytes: usize,
    },
    /// Text that is not UTF-8.
    #[error("a text that is not UTF-8")]
    Text,
    /// A number that names nothing.
    #[error("an unknown {of}, number {found}")]
    Tag {
        /// The kind of thing that the number should name.
        of: &'static str,
        /// The number that was found.
        found: u8,
    },
    /// A run of a rule that the worker was not given.
    #[error("a run of the rule with the number {number}, which was not sent")]
    NoRule {
        /// The number of the rule.
        number: u32,
    },
    /// A format that does not exist.
    #[error("an execution in a format that does not exist")]
    Format,
    /// Another number of limits than there are.
    #[error("{found} limits, and there are {}", Limit::COUNT)]
    LimitCount {
        /// The number of limits.
        found: usize,
    },
    /// A limit above its cap.
    #[error(transparent)]
    AboveCap(#[from] AboveCap),
    /// More of something than was granted.
    #[error("{sent} sent of {limit}, and {granted} granted")]
    OverGrant {
        /// The limit that is exceeded.
        limit: Limit,
        /// The amount that was sent.
        sent: u64,
        /// The amount that was granted.
        granted: u64,
    },
    /// More bytes announced than are allowed.
    #[error("{bytes} bytes of {what} announced, and {allowed} are allowed")]
    TooLarge {
        /// A word for the bytes.
        what: &'static str,
        /// The number of bytes.
        bytes: u64,
        /// Most bytes that are allowed.
        allowed: u64,
    },
    /// An artifact that cannot be called that, or twice.
    #[error(transparent)]
    Label(#[from] Misuse),
    /// Artifacts with a verdict that has none.
    #[error("artifacts beside the verdict '{verdict}'")]
    Artifacts {
        /// Kind of the verdict.
        verdict: &'static str,
    },
    /// More entries of a list than are kept.
    #[error("{found} {what} sent, and {allowed} are allowed")]
    TooMany {
        /// A word for the entries.
        what: &'static str,
        /// The number of entries.
        found: usize,
        /// Most entries that are allowed.
        allowed: usize,
    },
    /// Compiled code with another hash than stated.
    #[error("compiled code with another sha256 than stated")]
    CodeHash,
}

impl ProtocolError {
    /// True when a deadline passed while waiting for the other side.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::TimedOut)
    }

    /// True when the other side went away, in whatever words the system has for it.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}
