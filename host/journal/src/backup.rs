//! A copy of the journal in one file, made while it is written to.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use refiner_atomic_file::{Durability, Existing, Partial, Terms, directory_of};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use rusqlite::ErrorCode;
use serde::{Deserialize, Serialize};

use crate::{JournalError, JournalReader, journal::sqlite_error, open};

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
    /// The copy would take the place of the journal.
    #[error("{}: belongs to the journal itself", .0.display())]
    Journal(PathBuf),
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

impl Diagnostic for BackupError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Exists(_) | Self::Journal(_) => ExitCode::Usage,
            Self::File { .. } => ExitCode::Host,
            Self::Unreadable(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Exists(_) => Some("name another file, or replace this one with --force".into()),
            Self::Journal(_) => Some("name a file in another directory".into()),
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
        if is_of_journal(&self.path, directory_of(to), to.file_name().unwrap_or_default()) {
            return Err(BackupError::Journal(to.to_owned()));
        }
        if !replaces && to.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(to.to_owned()));
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

/// True for the name of the journal and of the files beside it that SQLite and the lock use.
fn is_of_journal(journal: &Path, directory: &Path, name: &OsStr) -> bool {
    let (Some(beside), Some(own)) = (journal.parent(), journal.file_name()) else { return false };
    let beside = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
    let is_beside = matches!((fs::canonicalize(beside), fs::canonicalize(directory)), (Ok(a), Ok(b)) if a == b);
    is_beside && name.as_bytes().starts_with(own.as_bytes())
}
