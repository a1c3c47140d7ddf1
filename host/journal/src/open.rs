//! From a path to a connection that can be relied on.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use refiner_permissions::{private_directory, private_file, tighten};
use rusqlite::{Connection, OpenFlags};

use crate::{
    JournalError, Losses, SCHEMA_VERSION,
    journal::{is_full, sqlite_error},
    schema::{APPLICATION_ID, migrate},
    tally_table,
};

/// Findings of the check that are kept; the first is the most telling, a destroyed file has millions.
const FINDINGS_MAX: usize = 10;
/// The time for which a write waits for a person's query that holds the file: longer than any sensible one.
const BUSY: Duration = Duration::from_secs(10);
/// Digits of the largest process id.
const PID_DIGITS_MAX: u64 = 10;

/// Takes the right to write, for as long as the returned file is open.
pub(crate) fn lock(path: &Path) -> Result<File, JournalError> {
    let lock_path = beside(path, ".lock");
    let refuse = |source| file_error(&lock_path, source);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        private_directory(directory).map_err(|source| file_error(directory, source))?;
    }
    let mut file = private_file(&lock_path).map_err(refuse)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The process that holds it may be about to write its name.
            let _ = (&mut file).take(PID_DIGITS_MAX).read_to_string(&mut text);
            return Err(JournalError::Locked { path: path.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(refuse(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(refuse)?;
    Ok(file)
}

fn file_error(path: &Path, source: io::Error) -> JournalError {
    let path = path.to_owned();
    if is_full(source.kind()) { JournalError::DiskFull { path } } else { JournalError::File { path, source } }
}

/// Makes a missing file with mode 0600; SQLite gives the same permissions to the files that it makes beside it.
pub(crate) fn make(path: &Path) -> Result<(), JournalError> {
    if path.exists() {
        return Ok(());
    }
    private_file(path).map(drop).map_err(|source| file_error(path, source))
}

/// Takes the access of others away from the files of a journal that an earlier build made.
pub(crate) fn keep_private(path: &Path) -> Result<(), JournalError> {
    let besides = ["-wal", "-shm", "-journal"].map(|ending| beside(path, ending));
    for path in besides.into_iter().chain([path.to_owned()]) {
        tighten(&path).map_err(|source| JournalError::File { path, source })?;
    }
    Ok(())
}

/// Opens the file after looking at every page of it without being able to write. The caller holds the [`lock`].
pub(crate) fn checked(path: &Path) -> Result<Connection, JournalError> {
    roll_back(path).map_err(|error| sqlite_error(path, error))?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        check(path)?;
    }
    let sql = |error| sqlite_error(path, error);
    let mut connection = Connection::open(path).map_err(sql)?;
    connection.busy_timeout(BUSY).map_err(sql)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(sql)?;
    connection.pragma_update(None, "synchronous", "normal").map_err(sql)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(64);
    migrate(&mut connection).map_err(sql)?;
    tally_table::begin(&connection).map_err(sql)?;
    Ok(connection)
}

/// Undoes what a killed process left half done while it created the file, before the file had a write-ahead log: SQLite does so
/// at the first read, of a connection that may write.
fn roll_back(path: &Path) -> rusqlite::Result<()> {
    if !beside(path, "-journal").exists() || !path.exists() {
        return Ok(());
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u64>(0)).map(drop)
}

/// Opens a file of this version for reading.
pub(crate) fn reading(path: &Path) -> Result<Connection, JournalError> {
    let connection = read_only(path).map_err(|error| sqlite_error(path, error))?;
    match version(path, &connection)? {
        Some(SCHEMA_VERSION) => Ok(connection),
        Some(found) => Err(JournalError::Older { path: path.to_owned(), found }),
        None => Err(JournalError::Foreign { path: path.to_owned() }),
    }
}

/// Checks every page of a journal of this version, and counts its items.
pub(crate) fn intact(path: &Path) -> Result<u64, JournalError> {
    check(path)?;
    reading(path)?
        .query_row("SELECT count(*) FROM item", [], |row| row.get(0))
        .map_err(|error| sqlite_error(path, error))
}

fn check(path: &Path) -> Result<(), JournalError> {
    let sql = |error| sqlite_error(path, error);
    let connection = read_only(path).map_err(sql)?;
    if version(path, &connection)?.is_none() {
        return Ok(());
    }
    let findings = findings(&connection).map_err(sql)?;
    if findings.is_empty() {
        return Ok(());
    }
    Err(JournalError::Corrupt { path: path.to_owned(), findings, losses: losses(path) })
}

/// Version of a journal that we can read; `None` for a file that holds nothing.
fn version(path: &Path, connection: &Connection) -> Result<Option<i64>, JournalError> {
    let sql = |error| sqlite_error(path, error);
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(sql);
    let (application, version) = (number("application_id")?, number("user_version")?);
    // A process killed at its very first write leaves a file that holds nothing.
    let empty = application == 0 && version == 0 && {
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u64>(0));
        tables.map_err(sql)? == 0
    };
    if empty {
        return Ok(None);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(JournalError::Foreign { path: path.to_owned() });
    }
    if version > SCHEMA_VERSION {
        return Err(JournalError::Newer { path: path.to_owned(), found: version });
    }
    Ok(Some(version))
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    let rows = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut findings = Vec::new();
    for row in rows {
        let row = row?;
        // Header lines name the database and carry no finding.
        findings.extend(row.lines().filter(|line| *line != "ok" && !line.starts_with("***")).map(str::to_owned));
    }
    findings.truncate(FINDINGS_MAX);
    Ok(findings)
}

/// Rows that can still be read, one by one.
pub(crate) fn losses(path: &Path) -> Losses {
    let Ok(connection) = read_only(path) else {
        return Losses { items: None, transactions: None, cursor: false };
    };
    let readable = |query: &str| -> rusqlite::Result<u64> {
        let mut statement = connection.prepare(query)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    Losses {
        items: readable("SELECT id, state, due_ms FROM item NOT INDEXED").ok(),
        transactions: readable("SELECT hash, raw, open FROM proof_transaction NOT INDEXED").ok(),
        cursor: readable("SELECT number, hash FROM checkpoint").is_ok_and(|count| count > 0),
    }
}

/// A connection that leaves the file as it is, also when it is closed.
fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
