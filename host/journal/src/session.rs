//! Sessions to finalize.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::{
    Journal, JournalError,
    journal::{column, sqlite_error},
};

/// A session, by what its specimens are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey {
    /// Chain of the specimens.
    pub chain: u64,
    /// Number of the block.
    pub height: u64,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionOutcome {
    /// Our transaction finalized it.
    Finalized,
    /// Another did.
    Ended,
    /// The contract knows none.
    Unknown,
}

impl SessionOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Finalized => "finalized",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }
}

impl Journal {
    /// Sessions of proofs that became final at `since_ms` or later and are not followed yet, with the block of the proof.
    pub fn sessions_of_proofs(&self, since_ms: u64) -> Result<Vec<(SessionKey, u64)>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(
                "SELECT chain, height, max(mined_block) FROM item
                 WHERE state = 'final' AND state_ms >= ?1 AND mined_block IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM result_session WHERE result_session.chain = item.chain AND result_session.height = item.height)
                 GROUP BY chain, height",
            )?;
            let rows = query.query_map([since_ms], |row| {
                Ok((SessionKey { chain: row.get(0)?, height: row.get(1)? }, row.get(2)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Follows sessions from the given blocks on. One that is followed already stays as it is.
    pub fn follow_sessions(&mut self, sessions: &[(SessionKey, u64)]) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            let follow = || -> rusqlite::Result<()> {
                let mut insert = connection.prepare_cached(
                    "INSERT INTO result_session (chain, height, due_block) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?;
                for (SessionKey { chain, height }, due_block) in sessions {
                    insert.execute(params![chain, height, column(*due_block)])?;
                }
                Ok(())
            };
            follow().map_err(|error| sqlite_error(path, error))
        })
    }

    /// Sessions that are to be asked for at this block, at most `limit`. Those with a transaction under way are left out.
    pub fn sessions_due(&self, block: u64, limit: usize) -> Result<Vec<SessionKey>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(
                "SELECT chain, height FROM result_session WHERE outcome IS NULL AND due_block <= ?1 AND NOT EXISTS
                 (SELECT 1 FROM side_transaction WHERE open = 1 AND side_transaction.chain = result_session.chain
                  AND side_transaction.height = result_session.height)
                 ORDER BY due_block LIMIT ?2",
            )?;
            let rows = query.query_map(params![column(block), limit], |row| {
                Ok(SessionKey { chain: row.get(0)?, height: row.get(1)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Writes down from which block on a session is asked for again.
    pub fn put_session_off(&mut self, session: SessionKey, due_block: u64) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            connection
                .execute(
                    "UPDATE result_session SET due_block = ?3 WHERE chain = ?1 AND height = ?2",
                    params![session.chain, session.height, column(due_block)],
                )
                .map(drop)
                .map_err(|error| sqlite_error(path, error))
        })
    }

    /// Writes down that a session ended, or, by `None`, that it did not after all.
    pub fn end_session(&mut self, session: SessionKey, outcome: Option<SessionOutcome>) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            connection
                .execute(
                    "UPDATE result_session SET outcome = ?3 WHERE chain = ?1 AND height = ?2",
                    params![session.chain, session.height, outcome.map(SessionOutcome::as_str)],
                )
                .map(drop)
                .map_err(|error| sqlite_error(path, error))
        })
    }

    /// The number of sessions that wait or ended, by the words of the view `sessions`.
    pub fn session_counts(&self) -> Result<BTreeMap<String, u64>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query =
                self.connection.prepare_cached("SELECT outcome, count(*) FROM sessions GROUP BY outcome")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.error(error))
    }
}
