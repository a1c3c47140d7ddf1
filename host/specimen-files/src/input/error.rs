//! Arguments that name no specimens, and specimens whose bytes cannot be had.

use std::{io, path::PathBuf};

use refiner_content::ArchiveError;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_remote_files::RemoteError;
use refiner_specimen::{DecodeError, JsonError};
use refiner_text::OneLine;

use super::{
    Input,
    limits::{
        ARCHIVE_BYTES_MAX, DEPTH_MAX, HEADERS_BYTES_MAX, MEMBERS_MAX, NAMES_BYTES_MAX, NAMES_MAX, SPECIMEN_LIMIT_BYTES,
    },
};

/// Reasons for which an argument names no specimens, or a specimen's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Nothing is there under this name.
    #[error("{}: no such file or directory", OneLine(.0.display()))]
    Missing(PathBuf),
    /// A directory without a single file that is called as specimens are.
    #[error("{}: the directory holds no specimen", OneLine(.0.display()))]
    EmptyDirectory(PathBuf),
    /// An archive without a single file that is called as specimens are.
    #[error("{}: the archive holds no specimen", OneLine(.0.display()))]
    EmptyArchive(PathBuf),
    /// An archive of blocks that is damaged, or makes no files.
    #[error("{}: {source}", OneLine(.archive.display()))]
    Blocks {
        archive: PathBuf,
        /// The fault of the archive.
        source: ArchiveError,
    },
    /// A compressed archive that is too large when expanded.
    #[error("{}: larger than the limit of {ARCHIVE_BYTES_MAX} bytes for an expanded archive", OneLine(.0.display()))]
    ArchiveTooLarge(PathBuf),
    /// A tar with a member whose headers are not read into memory.
    #[error(
        "{}: the member at byte {offset} has a name or attributes of more than the limit of {HEADERS_BYTES_MAX} bytes",
        OneLine(.archive.display())
    )]
    HeadersTooLong {
        archive: PathBuf,
        /// The place of the member's first header.
        offset: u64,
    },
    /// A directory that a walk does not enter.
    #[error("{}: more than {DEPTH_MAX} directories below the argument", OneLine(.directory.display()))]
    TooDeep { directory: PathBuf },
    /// More names than a walk looks at.
    #[error("{}: more than {NAMES_MAX} names are below the argument, or {MEMBERS_MAX} in the archive", OneLine(.directory.display()))]
    TooManyNames { directory: PathBuf },
    /// A list of names that is too long.
    #[error("{input}: larger than the limit of {NAMES_BYTES_MAX} bytes for a list of names")]
    ListTooLarge { input: Input },
    /// A list of names as some editors and shells write text.
    #[error("{input}: found a list in UTF-16, and expected UTF-8")]
    ListInUtf16 { input: Input },
    /// A pattern that matches nothing.
    #[error("{}: the pattern matches no file", OneLine(.0))]
    NoMatch(String),
    /// A pattern that is none.
    #[error("{}: not a pattern: {source}", OneLine(.pattern))]
    Pattern {
        pattern: String,
        /// The fault of the pattern.
        source: glob::PatternError,
    },
    /// Where one specimen is wanted, the argument names several.
    #[error("{}: names {found} files where one is wanted", OneLine(.argument))]
    Several {
        argument: String,
        /// How many files it names.
        found: usize,
    },
    /// Larger than [`SPECIMEN_LIMIT_BYTES`].
    #[error("{input}: larger than the limit of {SPECIMEN_LIMIT_BYTES} bytes for one specimen")]
    TooLarge { input: Input },
    /// A URL that names nothing that can be had.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A URL, where files of this machine alone are read.
    #[error("{}: files of this machine alone are read here", OneLine(.0.display()))]
    NotHere(PathBuf),
    /// Standard input as a list of names and as a specimen.
    #[error("-: standard input is the list of names already")]
    ListIsStandardInput,
    /// The operating system refuses it.
    #[error("{input}: {source}")]
    Read {
        input: Input,
        /// The operating system's error.
        source: io::Error,
    },
    /// Bytes that are no specimen.
    #[error("{input}: {source}")]
    Decode { input: Input, source: DecodeError },
    /// Text that is no JSON.
    #[error("{input}: not JSON: {source}")]
    Json { input: Input, source: serde_json::Error },
    /// A specimen that cannot be written as JSON, or JSON that is none of a specimen.
    #[error("{input}: {source}")]
    Convert { input: Input, source: JsonError },
}

impl InputError {
    /// The class of the error, for reports.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::EmptyDirectory(_) | Self::EmptyArchive(_) | Self::NoMatch(_) => "empty",
            Self::Pattern { .. } | Self::Several { .. } | Self::NotHere(_) | Self::ListIsStandardInput => "argument",
            Self::Remote(error) => error.class(),
            Self::TooLarge { .. }
            | Self::ArchiveTooLarge(_)
            | Self::HeadersTooLong { .. }
            | Self::TooDeep { .. }
            | Self::TooManyNames { .. }
            | Self::ListTooLarge { .. } => "tooLarge",
            Self::Read { .. } => "unreadable",
            Self::ListInUtf16 { .. }
            | Self::Blocks { .. }
            | Self::Decode { .. }
            | Self::Json { .. }
            | Self::Convert { .. } => "malformed",
        }
    }
}

impl Diagnostic for InputError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Remote(error) => error.exit_code(),
            Self::Missing(_)
            | Self::EmptyDirectory(_)
            | Self::EmptyArchive(_)
            | Self::Blocks { .. }
            | Self::ArchiveTooLarge(_)
            | Self::HeadersTooLong { .. }
            | Self::TooDeep { .. }
            | Self::TooManyNames { .. }
            | Self::ListTooLarge { .. }
            | Self::ListInUtf16 { .. }
            | Self::NoMatch(_)
            | Self::Pattern { .. }
            | Self::Several { .. }
            | Self::TooLarge { .. }
            | Self::NotHere(_)
            | Self::ListIsStandardInput
            | Self::Read { .. }
            | Self::Decode { .. }
            | Self::Json { .. }
            | Self::Convert { .. } => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::EmptyDirectory(path) => Some(
                format!(
                    "specimens are found by their names (*.avro, CHAIN-HEIGHT-...); name the files: `{}/*`",
                    path.display()
                )
                .into(),
            ),
            Self::EmptyArchive(_) => Some("members are found by their names: *.avro, CHAIN-HEIGHT-...".into()),
            Self::NoMatch(_) => Some("quote the pattern so that the shell does not change it".into()),
            Self::ArchiveTooLarge(_) | Self::HeadersTooLong { .. } => Some("unpack it and name the directory".into()),
            Self::TooDeep { .. } => Some("name the directory itself".into()),
            Self::TooManyNames { .. } => Some("name parts of it, one run each".into()),
            Self::ListTooLarge { .. } => Some("split the list".into()),
            Self::ListInUtf16 { .. } => Some("iconv -f UTF-16 -t UTF-8 makes one".into()),
            Self::Remote(error) => error.hint(),
            Self::ListIsStandardInput => Some("write one of the two to a file and name that".into()),
            Self::NotHere(_) => Some("`refiner replay` reads them; or fetch it to a file first".into()),
            Self::Missing(_)
            | Self::Several { .. }
            | Self::Pattern { .. }
            | Self::TooLarge { .. }
            | Self::Blocks { .. }
            | Self::Read { .. }
            | Self::Decode { .. }
            | Self::Json { .. }
            | Self::Convert { .. } => None,
        }
    }
}
