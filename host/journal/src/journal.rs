//! The file while it is open.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Deref,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use alloy_primitives::Address;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::{JournalError, open, whole_from::begin_whole};

/// Bytes of a page of the file.
const PAGE_BYTES: usize = 4096;

/// The journal, open for writing. No second one can be open on the same file.
#[derive(Debug)]
pub struct Journal {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    /// Held as long as the journal is open; the kernel gives it back however the process ends. `None` for one that only reads.
    lock: Option<File>,
    /// Device and inode of the file, known from the first write on: only then is it sure that a file system in layers has made it a copy.
    identity: Option<(u64, u64)>,
}

/// The journal, open for reading while another process may write. It cannot be changed through this handle.
#[derive(Debug)]
pub struct JournalReader(Journal);

impl JournalReader {
    /// Opens the journal at `path`, which must be there and of this version.
    ///
    /// # Errors
    ///
    /// See [`JournalError`]; pages are not checked, so that looking is fast.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let connection = open::reading(path)?;
        Ok(Self(Journal { connection, path: path.to_owned(), lock: None, identity: None }))
    }
}

impl Deref for JournalReader {
    type Target = Journal;

    fn deref(&self) -> &Journal {
        &self.0
    }
}

/// The proof chain, contract and operator that a journal belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Chain id of the proof chain.
    pub proof_chain: u64,
    /// The contract whose announcements it holds.
    pub announcer: Address,
    /// Whose nonces it holds. `None` while nothing is proved.
    pub operator: Option<Address>,
}

impl Journal {
    /// Opens the journal at `path`, or begins one.
    ///
    /// Every page is checked first, by a connection that cannot write. The file gets mode 0600 and its directory 0700.
    ///
    /// # Errors
    ///
    /// See [`JournalError`]; a damaged, foreign, newer or locked file is left as it is.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let lock = open::lock(path)?;
        open::make(path)?;
        let connection = open::checked(path)?;
        open::keep_private(path)?;
        Ok(Self { connection, path: path.to_owned(), lock: Some(lock), identity: None })
    }

    /// True for a journal that is open for writing, and not for a reader's.
    pub(crate) const fn is_writing(&self) -> bool {
        self.lock.is_some()
    }

    /// Path of the journal file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the journal one of this chain, contract and operator, or makes sure that it is.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherChain`], and [`JournalError::OtherOperator`] while the former one's transactions are not settled.
    pub fn bind(&mut self, binding: &Binding) -> Result<(), JournalError> {
        let unsettled = self.open_transactions()?;
        self.write(true, |connection, path| {
            let sql = |error| sqlite_error(path, error);
            let Binding { proof_chain, announcer, operator } = *binding;
            let mut is_another = false;
            if let Some(found) = read_binding(connection).map_err(sql)? {
                if (found.proof_chain, found.announcer) != (proof_chain, announcer) {
                    return Err(JournalError::OtherChain {
                        found_chain: found.proof_chain,
                        found_announcer: found.announcer,
                        chain: proof_chain,
                        announcer,
                    });
                }
                if let (Some(found), Some(operator)) = (found.operator, operator)
                    && found != operator
                {
                    if unsettled > 0 {
                        return Err(JournalError::OtherOperator { found, operator, unsettled });
                    }
                    is_another = true;
                }
            }
            connection
                .execute(
                    "INSERT INTO binding (only, proof_chain, announcer, operator) VALUES (1, ?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET operator = coalesce(excluded.operator, operator)",
                    params![proof_chain, announcer.as_slice(), operator.as_ref().map(|operator| operator.as_slice())],
                )
                .map_err(sql)?;
            begin_whole(connection, is_another).map_err(sql)
        })
    }

    /// The binding of the journal, once it was bound.
    pub fn binding(&self) -> Result<Option<Binding>, JournalError> {
        read_binding(&self.connection).map_err(|error| self.error(error))
    }

    /// Runs `write` as one transaction: all of it is in the file, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        durable: bool,
        write: impl FnOnce(&Connection, &Path) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        if self.identity.is_some() && identity(&self.path) != self.identity {
            return Err(JournalError::Moved { path: self.path.clone() });
        }
        let sql = |error| sqlite_error(&self.path, error);
        // With NORMAL a commit is in the file but the disk may not have it yet. FULL waits, and for all earlier commits too.
        if durable {
            self.connection.execute_batch("PRAGMA synchronous = FULL").map_err(sql)?;
        }
        let written = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql).and_then(
            |transaction| {
                let written = write(&transaction, &self.path)?;
                transaction.commit().map_err(sql)?;
                Ok(written)
            },
        );
        if durable {
            self.connection.execute_batch("PRAGMA synchronous = NORMAL").map_err(sql)?;
        }
        if written.is_ok() && self.identity.is_none() {
            self.identity = identity(&self.path);
        }
        written
    }

    pub(crate) fn error(&self, error: rusqlite::Error) -> JournalError {
        sqlite_error(&self.path, error)
    }
}

/// The nearest number that a column can hold: no item, block or time is beyond it.
pub(crate) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Device and inode of the file that is at the path now. It is not opened: closing it would give up the locks that SQLite has on it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn read_binding(connection: &Connection) -> rusqlite::Result<Option<Binding>> {
    connection
        .query_row("SELECT proof_chain, announcer, operator FROM binding", [], |row| {
            Ok(Binding {
                proof_chain: row.get(0)?,
                announcer: row.get::<_, [u8; 20]>(1)?.into(),
                operator: row.get::<_, Option<[u8; 20]>>(2)?.map(Address::from),
            })
        })
        .optional()
}

/// True when the disk of the journal has room for one more page.
fn has_room(path: &Path) -> bool {
    let probe = path.with_extension("probe");
    let mut options = refiner_permissions::options();
    let written = options.write(true).create(true).truncate(true).open(&probe).and_then(|mut file| {
        file.write_all(&[0xa5; PAGE_BYTES])?;
        file.sync_all()
    });
    // What is left of it is overwritten by the next probe.
    let _ = fs::remove_file(&probe);
    !written.is_err_and(|error| is_full(error.kind()))
}

/// True of what the system answers where the disk, or what the user may use of it, is full.
pub(crate) const fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// An error of SQLite, by what a person has to do about it.
pub(crate) fn sqlite_error(path: &Path, error: rusqlite::Error) -> JournalError {
    use rusqlite::ErrorCode;
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::DiskFull { path },
        // Only ENOSPC has a code of its own; a quota and the index of the write-ahead log come as failed writes, and files that cannot be
        // made beside the journal as one that cannot be opened.
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if !has_room(&path) => JournalError::DiskFull { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Held { path },
        Some(ErrorCode::NotADatabase) => JournalError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => {
            let losses = open::losses(&path);
            JournalError::Corrupt { findings: vec![error.to_string()], path, losses }
        }
        _ => JournalError::Sqlite { path, source: error },
    }
}
