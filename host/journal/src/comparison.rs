//! Differences in a row from other operators' results: kept, so that a restart does not count anew.

use alloy_primitives::B256;
use rusqlite::{OptionalExtension as _, params};

use crate::{Journal, JournalError, journal::sqlite_error};

impl Journal {
    /// The results of a rule in a row that differed from what others proved.
    pub fn differences(&self, rule: B256) -> Result<u64, JournalError> {
        self.connection
            .prepare_cached("SELECT differences FROM comparison WHERE rule = ?1")
            .and_then(|mut query| query.query_row([rule.as_slice()], |row| row.get(0)).optional())
            .map(Option::unwrap_or_default)
            .map_err(|error| self.error(error))
    }

    /// Writes that number down.
    pub fn set_differences(&mut self, rule: B256, differences: u64) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            connection
                .prepare_cached(
                    "INSERT INTO comparison (rule, differences) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET differences = excluded.differences",
                )
                .and_then(|mut write| write.execute(params![rule.as_slice(), differences]))
                .map(drop)
                .map_err(|error| sqlite_error(path, error))
        })
    }
}
