//! A copy of the journal in one file, made while it is written to.

use std::{
    fmt, fs, io,
    os::unix::{ffi::OsStrExt as _, fs::FileTypeExt as _},
    path::{Path, PathBuf},
};

use refiner_atomic_file::{Durability, Existing, Partial, Terms, directory_of};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::{JournalError, JournalReader, journal::sqlite_error, open};

/// Names in the daemon's directory that the daemon uses beside the journal, each with everything below it.
const OF_THE_DAEMON: [&str; 5] = ["code", "content", "control.sock", "differences", "preflight.tmp"];

/// A complete and verified copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Items in the copy.
    pub items: u64,
    /// Length of the copy.
    pub bytes: u64,
}

/// Errors of copying the journal. Nothing has the name of the copy then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file has the name already.
    #[error("{}: a file is there already", .0.display())]
    Exists(PathBuf),
    /// The copy would take the place of the journal, or of another file that the daemon uses.
    #[error("{}: a name that the journal or its daemon uses", .0.display())]
    InUse(PathBuf),
    /// The name is of something that a copy cannot take the place of.
    #[error("{}: {found}, expected a new name or a regular file", path.display())]
    NotAFile {
        /// Path of the copy.
        path: PathBuf,
        /// The kind of what is there.
        found: FileKind,
    },
    /// The copy cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// Path of the copy.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The journal cannot be read, or the copy of it is not intact.
    #[error(transparent)]
    Unreadable(#[from] JournalError),
}

/// A kind of what has a name and is no regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A symbolic link, wherever it leads.
    Link,
    /// A block or character device.
    Device,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
}

impl FileKind {
    /// The kind; `None` for a regular file.
    fn of(kind: fs::FileType) -> Option<Self> {
        if kind.is_file() {
            None
        } else if kind.is_dir() {
            Some(Self::Directory)
        } else if kind.is_symlink() {
            Some(Self::Link)
        } else if kind.is_fifo() {
            Some(Self::Pipe)
        } else if kind.is_socket() {
            Some(Self::Socket)
        } else {
            Some(Self::Device)
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Device => "a device",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
        })
    }
}

impl Diagnostic for BackupError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Exists(_) | Self::InUse(_) | Self::NotAFile { .. } => ExitCode::Usage,
            Self::File { .. } => ExitCode::Host,
            Self::Unreadable(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Exists(_) => Some("name another file, or replace this one with --force".into()),
            Self::InUse(_) => Some("name a file in another directory".into()),
            Self::NotAFile { found: FileKind::Directory, .. } => Some("name a file in it".into()),
            Self::NotAFile { found: FileKind::Link, .. } => Some("name the file that it leads to, or another".into()),
            Self::NotAFile { found: FileKind::Device | FileKind::Pipe | FileKind::Socket, .. } => {
                Some("name another file: --force replaces regular files alone".into())
            }
            Self::File { .. } => None,
            Self::Unreadable(error) => error.hint(),
        }
    }
}

impl JournalReader {
    /// Copies the journal as it stands at one moment to `to`. Writers are not held up.
    ///
    /// The file has mode 0600, and its name once every page of it was checked and is on the disk. One that is there is replaced
    /// only where `replaces`.
    ///
    /// # Errors
    ///
    /// [`BackupError`].
    pub fn backup(&self, to: &Path, replaces: bool) -> Result<Backup, BackupError> {
        let refuse = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
            _ => BackupError::File { path: to.to_owned(), source },
        };
        if is_in_use(&self.path, to) {
            return Err(BackupError::InUse(to.to_owned()));
        }
        if let Ok(there) = to.symlink_metadata() {
            if let Some(found) = FileKind::of(there.file_type()) {
                return Err(BackupError::NotAFile { path: to.to_owned(), found });
            }
            if !replaces {
                return Err(BackupError::Exists(to.to_owned()));
            }
        }
        let existing = if replaces { Existing::Replace } else { Existing::Keep };
        let terms = Terms { existing, durability: Durability::Name, ..Terms::PRIVATE };
        let mut part = Partial::begin(to, &terms).map_err(refuse)?;
        let path = part.path().to_str().ok_or_else(|| refuse(io::ErrorKind::InvalidFilename.into()))?;
        // A plain file without a write-ahead log, of one read transaction.
        self.connection.execute("VACUUM INTO ?1", [path]).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => sqlite_error(to, error),
            _ => sqlite_error(&self.path, error),
        })?;
        let items = open::intact(part.path())?;
        let bytes = part.file().metadata().map_err(refuse)?.len();
        part.finish().map_err(refuse)?;
        Ok(Backup { items, bytes })
    }
}

/// True for the names of the journal, of the files beside it that SQLite and the lock use, and of what the daemon keeps there.
fn is_in_use(journal: &Path, to: &Path) -> bool {
    let (Ok(beside), Ok(directory)) = (fs::canonicalize(directory_of(journal)), fs::canonicalize(directory_of(to)))
    else {
        return false;
    };
    let Ok(below) = directory.strip_prefix(beside) else { return false };
    let name = below.iter().next().or_else(|| to.file_name()).unwrap_or_default();
    let is_of_journal = journal.file_name().is_some_and(|own| name.as_bytes().starts_with(own.as_bytes()));
    is_of_journal || OF_THE_DAEMON.iter().any(|used| name == *used)
}
