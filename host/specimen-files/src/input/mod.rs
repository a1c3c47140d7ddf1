//! Specimens named on the command line: files, directories, patterns, archives, and `-` for standard input.

mod archive;
mod compressed;
mod expand;
mod stdin;
mod walk;

pub use self::{
    archive::{ARCHIVE_BYTES_MAX, MEMBERS_MAX, Member},
    expand::{Expanded, NAMES_BYTES_MAX, expand, expand_all, expand_with, names_from},
    stdin::Stdin,
    walk::{DEPTH_MAX, NAMES_MAX, is_specimen_name},
};

use std::{
    fmt, fs,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_content::ArchiveError;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_remote_files::{RemoteError, RemoteFile};
use refiner_specimen::{DecodeError, JsonError};
use refiner_text::OneLine;

/// The most bytes read of one specimen (docs/specimen-format.md, section 7).
pub const SPECIMEN_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of a compressed member of an archive that are read for its head: Zstandard gives a block of 128 KiB at once.
const COMPRESSED_HEAD_BYTES: u64 = 256 << 10;

const STDIN: &str = "standard input";

/// Where one specimen's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Stdin(Stdin),
    File(PathBuf),
    Member(Arc<Member>),
    Remote(RemoteFile),
}

/// Why an argument names no specimens, or a specimen's bytes cannot be had.
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
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// A compressed archive that is too large when expanded.
    #[error("{}: larger than the limit of {ARCHIVE_BYTES_MAX} bytes for an expanded archive", OneLine(.0.display()))]
    ArchiveTooLarge(PathBuf),
    /// More names than a walk looks at.
    #[error("{}: more than {NAMES_MAX} names are below the argument, or {MEMBERS_MAX} in the archive", OneLine(.directory.display()))]
    TooManyNames { directory: PathBuf },
    /// A list of names that is too long.
    #[error("{input}: larger than the limit of {NAMES_BYTES_MAX} bytes for a list of names")]
    ListTooLarge { input: Input },
    /// A pattern that matches nothing.
    #[error("{}: the pattern matches no file", OneLine(.0))]
    NoMatch(String),
    /// A pattern that is none.
    #[error("{}: not a pattern: {source}", OneLine(.pattern))]
    Pattern {
        pattern: String,
        /// What is wrong with it.
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
            Self::Pattern { .. } | Self::Several { .. } | Self::NotHere(_) => "argument",
            Self::Remote(error) => error.class(),
            Self::TooLarge { .. }
            | Self::ArchiveTooLarge(_)
            | Self::TooManyNames { .. }
            | Self::ListTooLarge { .. } => "tooLarge",
            Self::Read { .. } => "unreadable",
            Self::Blocks { .. } | Self::Decode { .. } | Self::Json { .. } | Self::Convert { .. } => "malformed",
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
            | Self::TooManyNames { .. }
            | Self::ListTooLarge { .. }
            | Self::NoMatch(_)
            | Self::Pattern { .. }
            | Self::Several { .. }
            | Self::TooLarge { .. }
            | Self::NotHere(_)
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
            Self::ArchiveTooLarge(_) => Some("unpack it and name the directory".into()),
            Self::TooManyNames { .. } => Some("name parts of it, one run each".into()),
            Self::ListTooLarge { .. } => Some("split the list".into()),
            Self::Remote(error) => error.hint(),
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

impl Input {
    /// The name as it is, for JSON. `Display` escapes it, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin(_) => STDIN.to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Member(member) => member.name(),
            Self::Remote(file) => file.name(),
        }
    }

    /// The file on this machine that is read for it, if one is.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Member(member) => Some(member.archive()),
            Self::Stdin(_) | Self::Remote(_) => None,
        }
    }

    /// Reads the bytes, at most [`SPECIMEN_LIMIT_BYTES`] of them, whatever size the source states and whatever comes out of it where
    /// it is compressed.
    pub fn read(&self) -> Result<Vec<u8>, InputError> {
        self.read_up_to(SPECIMEN_LIMIT_BYTES)
    }

    /// The same, where it is a file, in one of these buffers.
    pub fn read_into(&self, buffers: &Buffers) -> Result<Bytes, InputError> {
        let refuse = |source| InputError::Read { input: self.clone(), source };
        let too_large = || InputError::TooLarge { input: self.clone() };
        // A pipe has no length, and can be opened once.
        let regular = match self {
            Self::File(path) => Some(path).zip(fs::metadata(path).ok().filter(fs::Metadata::is_file)),
            Self::Stdin(_) | Self::Member(_) | Self::Remote(_) => None,
        };
        let Some((path, stated)) = regular.map(|(path, metadata)| (path, metadata.len())) else {
            return Ok(self.read()?.into());
        };
        if stated > SPECIMEN_LIMIT_BYTES {
            return Err(too_large());
        }
        let mut file = fs::File::open(path).map_err(refuse)?;
        // With room for one byte more, by which the end is seen.
        let room = cast(stated) + 1;
        let bytes = buffers.bytes(room, |buffer| fill(&mut file, buffer)).map_err(refuse)?;
        if bytes.len() == room {
            // It grows, or states no length.
            return Ok(self.read()?.into());
        }
        match compressed::expanded(&bytes, SPECIMEN_LIMIT_BYTES).map_err(refuse)? {
            Some(whole) if whole.len() as u64 > SPECIMEN_LIMIT_BYTES => Err(too_large()),
            Some(whole) => Ok(whole.into()),
            None => Ok(bytes),
        }
    }

    /// The length of a file that is not compressed, where it can be had without reading the file.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                let mut magic = [0; compressed::MAGIC_BYTES];
                let mut file = fs::File::open(path).ok()?;
                file.read_exact(&mut magic).ok()?;
                let length = file.metadata().ok().filter(fs::Metadata::is_file)?.len();
                (!compressed::is_compressed(&magic)).then_some(length)
            }
            Self::Remote(file) if !compressed::is_compressed(&file.head(compressed::MAGIC_BYTES as u64).ok()?) => {
                file.bytes()
            }
            Self::Stdin(_) | Self::Member(_) | Self::Remote(_) => None,
        }
    }

    /// Reads the first bytes, about `limit` of them. None of what cannot be read, which its own run reports.
    pub fn head(&self, limit: u64) -> Vec<u8> {
        let head = match self {
            Self::Stdin(stdin) => stdin.bytes().map(|bytes| compressed::head(bytes, limit)),
            Self::Member(member) => {
                member.read(limit.max(COMPRESSED_HEAD_BYTES)).map(|bytes| compressed::head(&bytes[..], limit))
            }
            Self::Remote(file) => {
                let head = file.head(limit).and_then(|bytes| match compressed::is_compressed(&bytes) {
                    true => file.head(limit.max(COMPRESSED_HEAD_BYTES)),
                    false => Ok(bytes),
                });
                head.map(|bytes| compressed::head(&bytes[..], limit)).map_err(io::Error::other)
            }
            Self::File(path) => {
                fs::File::open(path).map(|file| compressed::head(BufReader::with_capacity(cast(limit), file), limit))
            }
        };
        head.unwrap_or_default()
    }

    fn read_up_to(&self, limit: u64) -> Result<Vec<u8>, InputError> {
        let refuse = |source| InputError::Read { input: self.clone(), source };
        let too_large = || InputError::TooLarge { input: self.clone() };
        let bytes = match self {
            Self::Stdin(stdin) => stdin.bytes().map_err(refuse)?.to_vec(),
            Self::Member(member) if member.bytes().is_some_and(|bytes| bytes > limit) => return Err(too_large()),
            Self::Member(member) => member.read(limit + 1).map_err(refuse)?,
            Self::Remote(file) if file.bytes().is_some_and(|bytes| bytes > limit) => return Err(too_large()),
            Self::Remote(file) => file.read().map_err(|fault| refuse(io::Error::other(fault)))?,
            Self::File(path) => {
                let file = fs::File::open(path).map_err(refuse)?;
                let stated = file.metadata().map_err(refuse)?.len();
                if stated > limit {
                    return Err(too_large());
                }
                let mut bytes = Vec::with_capacity(cast(stated) + 1);
                file.take(limit + 1).read_to_end(&mut bytes).map_err(refuse)?;
                bytes
            }
        };
        if bytes.len() as u64 > limit {
            return Err(too_large());
        }
        let bytes = compressed::expanded(&bytes, limit).map_err(refuse)?.unwrap_or(bytes);
        if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
    }
}

/// Reads until the buffer is full or the source ends, and gives the number of bytes.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A capacity: what a machine cannot address it does not reserve.
fn cast(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or_default()
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin(_) => f.write_str(STDIN),
            Self::File(path) => OneLine(path.display()).fmt(f),
            Self::Member(member) => member.fmt(f),
            Self::Remote(file) => file.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
