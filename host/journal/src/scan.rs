//! The position of the scan, and the undoing of a reorganisation.

use rusqlite::params;

use crate::{Announcement, Checkpoint, Journal, JournalError, State, Target, item::hash, journal::sqlite_error};

/// Checkpoints that are kept, the newest of those given. The scanner remembers 64, ever sparser with age.
pub const CHECKPOINTS_MAX: usize = 256;

/// The outcome of recording announcements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Items that were not known.
    pub new: u64,
    /// Items that a reorganisation had withdrawn and that are announced once more.
    pub again: u64,
    /// Items that were known.
    pub known: u64,
}

/// The outcome for items whose announcement was reorganised away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewound {
    /// Withdrawn: nothing of them is on chain.
    pub withdrawn: u64,
    /// Left alone, because a transaction of theirs is signed and may be mined: the contract decides about them.
    pub kept: u64,
}

impl Journal {
    /// Writes down the announcements of a range of blocks together with its last block, so that none is seen twice or never.
    ///
    /// Every announcement becomes an item for each of `targets`. `checkpoints`, in ascending order, take the place of those that
    /// were known; the last is the range's last block and the new cursor.
    pub fn scanned(
        &mut self,
        announcements: &[Announcement],
        targets: &[Target],
        checkpoints: &[Checkpoint],
        now_ms: u64,
    ) -> Result<Scanned, JournalError> {
        self.write(false, |connection, path| {
            let write = || {
                let scanned = keep_announcements(connection, announcements, targets, now_ms)?;
                keep_checkpoints(connection, checkpoints)?;
                Ok(scanned)
            };
            write().map_err(|error| sqlite_error(path, error))
        })
    }

    /// Writes down announcements of blocks that were scanned before; items that are known stay as they are. The cursor stays.
    pub fn scanned_again(
        &mut self,
        announcements: &[Announcement],
        targets: &[Target],
        now_ms: u64,
    ) -> Result<Scanned, JournalError> {
        self.write(false, |connection, path| {
            keep_announcements(connection, announcements, targets, now_ms).map_err(|error| sqlite_error(path, error))
        })
    }

    /// The announcements that no rule has an item of, but for withdrawn ones. What was announced before a rule was configured is
    /// not among them.
    pub fn unknown(&self, announcements: &[Announcement]) -> Result<Vec<Announcement>, JournalError> {
        let read = || -> rusqlite::Result<Vec<Announcement>> {
            let mut query = self.connection.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM item WHERE chain = ?1 AND specimen_hash = ?2 AND state <> 'withdrawn')",
            )?;
            let mut unknown = Vec::new();
            for announcement in announcements {
                let known: bool = query
                    .query_row(params![announcement.chain, announcement.specimen_hash.as_slice()], |row| row.get(0))?;
                if !known {
                    unknown.push(*announcement);
                }
            }
            Ok(unknown)
        };
        read().map_err(|error| self.error(error))
    }

    /// Goes back to `ancestor`, the newest block that the proof chain still has, and undoes what was announced above it.
    pub fn rewind(&mut self, ancestor: Checkpoint, now_ms: u64) -> Result<Rewound, JournalError> {
        self.write(false, |connection, path| {
            let mut rewound = Rewound::default();
            let mut write = || -> rusqlite::Result<()> {
                for state in State::ALL {
                    if state.can_be_withdrawn() {
                        let changed = connection
                            .prepare_cached(
                                "UPDATE item SET state = 'withdrawn', state_ms = ?3 WHERE announced_in > ?1 AND state = ?2",
                            )?
                            .execute(params![ancestor.number, state, now_ms])?;
                        rewound.withdrawn += changed as u64;
                    } else if !state.is_end() {
                        rewound.kept += connection
                            .prepare_cached("SELECT count(*) FROM item WHERE announced_in > ?1 AND state = ?2")?
                            .query_row(params![ancestor.number, state], |row| row.get::<_, u64>(0))?;
                    }
                }
                let above = connection.execute("DELETE FROM checkpoint WHERE number > ?1", params![ancestor.number]);
                above.and_then(|_| keep_checkpoint(connection, ancestor))
            };
            write().map_err(|error| sqlite_error(path, error))?;
            Ok(rewound)
        })
    }

    /// The last block whose announcements are in the journal.
    pub fn cursor(&self) -> Result<Option<Checkpoint>, JournalError> {
        Ok(self.checkpoints()?.first().copied())
    }

    /// The cursor and blocks before it, newest first, at most [`CHECKPOINTS_MAX`].
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query =
                self.connection.prepare_cached("SELECT number, hash FROM checkpoint ORDER BY number DESC")?;
            let rows = query.query_map([], |row| Ok(Checkpoint { number: row.get(0)?, hash: hash(row, 1)? }))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }
}

fn keep_announcements(
    connection: &rusqlite::Connection,
    announcements: &[Announcement],
    targets: &[Target],
    now_ms: u64,
) -> rusqlite::Result<Scanned> {
    let mut scanned = Scanned::default();
    let mut insert = connection.prepare_cached(
        "INSERT INTO item (chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in, announced_ms,
         state, state_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'announced', ?9) ON CONFLICT DO NOTHING",
    )?;
    // The rule may have been proved when it was withdrawn and not be now, or the reverse.
    let mut revive = connection.prepare_cached(
        "UPDATE item SET state = 'announced', state_ms = ?6, height = ?4, block_hash = ?5, announced_in = ?7, proves = ?8,
         reason = NULL, reason_class = NULL, attempts = 0, due_ms = 0, last_error = NULL, awaits = NULL, basis = NULL
         WHERE chain = ?1 AND specimen_hash = ?2 AND rule = ?3 AND state = 'withdrawn'",
    )?;
    for announcement in announcements {
        let Announcement { chain, height, block_hash, specimen_hash, announced_in } = announcement;
        let (block_hash, specimen_hash) = (block_hash.as_slice(), specimen_hash.as_slice());
        for Target { rule, name, proves } in targets {
            let rule = rule.as_slice();
            let inserted = insert.execute(params![
                chain,
                height,
                block_hash,
                specimen_hash,
                rule,
                name,
                proves,
                announced_in,
                now_ms
            ])?;
            if inserted == 1 {
                scanned.new += 1;
                continue;
            }
            let revived = revive.execute(params![
                chain,
                specimen_hash,
                rule,
                height,
                block_hash,
                now_ms,
                announced_in,
                proves
            ])?;
            *(if revived == 1 { &mut scanned.again } else { &mut scanned.known }) += 1;
        }
    }
    Ok(scanned)
}

fn keep_checkpoints(connection: &rusqlite::Connection, checkpoints: &[Checkpoint]) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM checkpoint")?.execute([])?;
    let newest = checkpoints.len().saturating_sub(CHECKPOINTS_MAX);
    checkpoints.iter().skip(newest).try_for_each(|checkpoint| keep_checkpoint(connection, *checkpoint))
}

fn keep_checkpoint(connection: &rusqlite::Connection, checkpoint: Checkpoint) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO checkpoint (number, hash) VALUES (?1, ?2)")?
        .execute(params![checkpoint.number, checkpoint.hash.as_slice()])?;
    Ok(())
}
