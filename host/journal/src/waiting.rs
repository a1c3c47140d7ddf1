//! Items that no source has, and what wakes them.

use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use crate::{Journal, JournalError, journal::sqlite_error};

/// Items that wait, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The number of items.
    pub items: u64,
    /// Since when the oldest waits, milliseconds since 1970.
    pub oldest_ms: Option<u64>,
    /// When the next is looked at again, milliseconds since 1970; 0 for at once.
    pub next_ms: Option<u64>,
}

/// Items whose pause ended early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Of those that waited for a source.
    pub waiting: u64,
    /// Of those that had failed and were to be tried again.
    pub failed: u64,
}

impl Journal {
    /// Items that wait, in numbers.
    pub fn waiting(&self) -> Result<Waiting, JournalError> {
        self.connection
            .prepare_cached("SELECT count(*), min(state_ms), min(due_ms) FROM item WHERE state = 'waiting'")
            .and_then(|mut query| {
                query.query_row([], |row| {
                    Ok(Waiting { items: row.get(0)?, oldest_ms: row.get(1)?, next_ms: row.get(2)? })
                })
            })
            .map_err(|error| self.error(error))
    }

    /// Ends the pauses of what waits for `source`, or of everything that waits, and of what failed to be fetched or kept.
    pub fn wake(&mut self, source: Option<&str>) -> Result<Woken, JournalError> {
        self.write(false, |connection, path| {
            let wake = || -> rusqlite::Result<_> {
                let waiting = connection.execute(
                    "UPDATE item SET due_ms = 0 WHERE state = 'waiting' AND due_ms > 0
                     AND (?1 IS NULL OR instr(char(10) || awaits || char(10), char(10) || ?1 || char(10)) > 0)",
                    params![source],
                )?;
                let failed = connection.execute(
                    "UPDATE item SET due_ms = 0 WHERE state IN ('announced', 'produced') AND due_ms > 0",
                    [],
                )?;
                Ok(Woken { waiting: waiting as u64, failed: failed as u64 })
            };
            wake().map_err(|error| sqlite_error(path, error))
        })
    }

    /// Keeps a fact about this start. Returns whether it is another than that of the start before, which there was.
    pub fn replace_fact(&mut self, name: &str, value: &str) -> Result<bool, JournalError> {
        self.write(false, |connection, path| {
            let replace = || -> rusqlite::Result<_> {
                let before: Option<String> = connection
                    .query_row("SELECT value FROM fact WHERE name = ?1", [name], |row| row.get(0))
                    .optional()?;
                connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", [name, value])?;
                Ok(before.is_some_and(|before| before != value))
            };
            replace().map_err(|error| sqlite_error(path, error))
        })
    }
}
