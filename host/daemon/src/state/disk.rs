//! The start on a disk without room, which is waited for as in the middle of the work.

use std::{io, path::Path, thread, time::Duration};

use refiner_content::{CONTENT_BYTES_MAX, LocalStore, OpenError};
use refiner_diagnostics::Diagnostic as _;
use refiner_journal::{Journal, JournalError};
use tokio_util::sync::CancellationToken;

use crate::{error::RunError, state::journal_handle::ROOM_AGAIN};

/// Opens the journal in `data`, and makes sure that the content store beside it can be opened. `None` where `stop` came before the disk had
/// room. Blocks.
pub fn open(data: &Path, stop: &CancellationToken) -> Result<Option<Journal>, RunError> {
    let mut waited = Duration::ZERO;
    loop {
        match attempt(data) {
            Err(error) if is_full(&error) => {
                if waited.is_zero() {
                    let hint = error.hint().map(|hint| hint.to_string()).unwrap_or_default();
                    tracing::error!(%error, hint, "nothing can be kept in --data, the start waits for room");
                }
                if stop.is_cancelled() {
                    return Ok(None);
                }
                thread::sleep(ROOM_AGAIN);
                waited += ROOM_AGAIN;
            }
            opened => {
                if opened.is_ok() && !waited.is_zero() {
                    tracing::info!(?waited, "disk has room, the start resumes");
                }
                return opened.map(Some);
            }
        }
    }
}

fn attempt(data: &Path) -> Result<Journal, RunError> {
    let journal = Journal::open(&data.join("journal.sqlite"))?;
    // Its own files are few and small, and are made here rather than after the first questions to the chain.
    LocalStore::open(data.join("content"), CONTENT_BYTES_MAX)?;
    Ok(journal)
}

fn is_full(error: &RunError) -> bool {
    match error {
        RunError::Journal(error) => matches!(error, JournalError::DiskFull { .. }),
        RunError::Store(OpenError::File { source, .. }) => {
            matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        }
        _ => false,
    }
}
