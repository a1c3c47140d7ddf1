//! Reasons for which a data set is not continued.

use std::{io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_remote_files::RemoteError;
use refiner_text::{OneLine, UntrustedText};

/// Largest manifest that is read: some two million specimens.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// Reasons for which a data set is not continued.
#[derive(Debug, thiserror::Error)]
pub enum DataSetError {
    /// The operating system refuses a file or directory.
    #[error("{}: {source}", OneLine(.path.display()))]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Another process holds the directory.
    #[error("{}: another run writes into this directory", OneLine(.0.display()))]
    Locked(PathBuf),
    /// Another process of this machine writes into the prefix.
    #[error("{}: another run on this machine writes below this prefix", OneLine(.0.display()))]
    PrefixLocked(PathBuf),
    /// A manifest or log that is none.
    #[error("{}: not a manifest of a data set: {source}", OneLine(.path.display()))]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// The fault that was found.
        source: serde_json::Error,
    },
    /// A manifest of another version.
    #[error("{}: a manifest of version {found}, and this program reads version {expected}", OneLine(.path.display()))]
    Version {
        /// Path of the file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// A manifest that is too large.
    #[error("{}: larger than the limit of {MANIFEST_BYTES_MAX} bytes for a manifest", OneLine(.0.display()))]
    TooLarge(PathBuf),
    /// Results of other terms are there.
    #[error("{}: the data set there has the {difference}", OneLine(.place.display()))]
    OtherTerms {
        /// The data set's path or URL.
        place: PathBuf,
        /// The first difference.
        difference: Difference,
    },
    /// A file, or a link that leads nowhere, in the place of the directory or of one above it.
    #[error("{}: expected a directory, found a file or a link to nowhere in its path", OneLine(.0.display()))]
    NoDirectory(PathBuf),
    /// A path that no file of its unit has.
    #[error("{}: the manifest names a file that its blocks do not have: {name}", OneLine(.place.display()))]
    OtherFile {
        /// The data set's path or URL.
        place: PathBuf,
        /// Path of the file.
        name: UntrustedText,
    },
    /// Two units have a specimen in common.
    #[error("{}: two units of the data set have block {chain_id}-{height}", OneLine(.place.display()))]
    Doubled {
        /// The data set's path or URL.
        place: PathBuf,
        /// Chain of the block.
        chain_id: u64,
        /// Its height.
        height: u64,
    },
    /// A unit that this run made is gone, or another is in its place.
    #[error(
        "{}: blocks {chain_id}-{first} to {last}, which this run made, are no longer there as it made them",
        OneLine(.place.display())
    )]
    Lost {
        /// The data set's path or URL.
        place: PathBuf,
        /// Chain of the blocks.
        chain_id: u64,
        /// Height of the first one.
        first: u64,
        /// Height of the last one.
        last: u64,
    },
    /// The manifest became another again and again while this run wanted to write it.
    #[error("{}: other runs change the manifest all the time", OneLine(.0.display()))]
    Contended(PathBuf),
    /// The store does not answer, or refuses.
    #[error(transparent)]
    Store(#[from] RemoteError),
}

/// A difference between the terms of a data set and those of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{term} {there}; this run has the {term} {asked}")]
pub struct Difference {
    term: &'static str,
    there: UntrustedText,
    asked: UntrustedText,
}

impl Difference {
    pub(crate) fn new(term: &'static str, there: &str, asked: &str) -> Self {
        Self { term, there: UntrustedText::new(there), asked: UntrustedText::new(asked) }
    }
}

impl Diagnostic for DataSetError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io { .. }
            | Self::Locked(_)
            | Self::PrefixLocked(_)
            | Self::Doubled { .. }
            | Self::Lost { .. }
            | Self::Contended(_)
            | Self::Store(_) => ExitCode::Host,
            Self::Malformed { .. } | Self::Version { .. } | Self::TooLarge(_) | Self::OtherFile { .. } => {
                ExitCode::Input
            }
            Self::OtherTerms { .. } | Self::NoDirectory(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Locked(_) => Some("wait for it, or write into another directory".into()),
            Self::NoDirectory(_) => Some("name another place (--out)".into()),
            Self::PrefixLocked(_) => Some("wait for it, or write below another prefix".into()),
            Self::OtherTerms { .. } => Some(
                "name another directory (--out), or run the same rules with the same parameters, formats, limits and conditions \
                 (--basis, --senders, --gas-bound)"
                    .into(),
            ),
            Self::Malformed { .. } | Self::Version { .. } | Self::TooLarge(_) | Self::OtherFile { .. } => {
                Some("put back the manifest that the replay wrote, or make the data set in another directory".into())
            }
            Self::Doubled { .. } => Some(
                "runs over ranges that overlap wrote at once; remove the prefix, and let them run one after the other"
                    .into(),
            ),
            Self::Lost { .. } => Some(
                "another program changes this prefix, or a run of an earlier build; when they have ended, run it again: what is missing \
                 is made"
                    .into(),
            ),
            Self::Contended(_) => Some("run it again when the others have ended; nothing is made twice".into()),
            Self::Store(error) => error.hint(),
            Self::Io { .. } => None,
        }
    }
}
