//! Specimens that an earlier refiner knew, taken over with what became of them.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{Announcement, Journal, JournalError, Target, journal::sqlite_error};

/// Class of the reason of an item that ended before it was taken over.
const CLASS: &str = "imported";
/// Name of the fact that holds the block from which a journal without a position is scanned.
const START: &str = "start";

/// Where an earlier refiner left a specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EarlierOutcome {
    /// It was found and not finished.
    Open,
    /// The session was closed when the earlier refiner came to it.
    Closed,
    /// The earlier refiner gave it up.
    GivenUp,
    /// A node took the transaction with the proof. Its receipt was not looked at.
    Sent,
}

impl EarlierOutcome {
    /// The reason of an item that ended.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Closed => Some("imported: the session was closed when the earlier refiner came to it"),
            Self::GivenUp => Some("imported: the earlier refiner gave it up"),
            Self::Sent => Some("imported: the earlier refiner sent its proof"),
        }
    }
}

/// The outcome of taking specimens over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New items that will be worked on.
    pub begun: u64,
    /// New items that ended with the earlier refiner, and are skipped.
    pub ended: u64,
    /// Items that were known and stay as they are.
    pub known: u64,
}

impl Journal {
    /// Takes specimens over as items for each of `targets`, all or none. Items that are known stay as they are.
    ///
    /// The block of an announcement is not known to an earlier refiner; with 0 no reorganisation withdraws the item.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn import<'a>(
        &mut self,
        specimens: impl IntoIterator<Item = (&'a Announcement, EarlierOutcome)>,
        targets: &[Target],
        now_ms: u64,
    ) -> Result<Imported, JournalError> {
        self.write(true, |connection, path| {
            let mut imported = Imported::default();
            let write = || -> rusqlite::Result<()> {
                for (announcement, outcome) in specimens {
                    for target in targets {
                        let is_new = insert(connection, announcement, target, outcome, now_ms)?;
                        let count = match (is_new, outcome) {
                            (false, _) => &mut imported.known,
                            (true, EarlierOutcome::Open) => &mut imported.begun,
                            (true, _) => &mut imported.ended,
                        };
                        *count += 1;
                    }
                }
                Ok(())
            };
            write().map_err(|error| sqlite_error(path, error))?;
            Ok(imported)
        })
    }

    /// Keeps the first block that is to be scanned, for a journal that has no position yet. Returns whether it was kept.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn set_start(&mut self, block: u64) -> Result<bool, JournalError> {
        if self.cursor()?.is_some() {
            return Ok(false);
        }
        self.replace_fact(START, &block.to_string())?;
        Ok(true)
    }

    /// The first block that is to be scanned, where an import set one and there is no position yet.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn start(&self) -> Result<Option<u64>, JournalError> {
        if self.cursor()?.is_some() {
            return Ok(None);
        }
        let value: Option<String> = self
            .connection
            .query_row("SELECT value FROM fact WHERE name = ?1", [START], |row| row.get(0))
            .optional()
            .map_err(|error| self.error(error))?;
        Ok(value.and_then(|block| block.parse().ok()))
    }
}

fn insert(
    connection: &Connection,
    announcement: &Announcement,
    target: &Target,
    outcome: EarlierOutcome,
    now_ms: u64,
) -> rusqlite::Result<bool> {
    let Announcement { chain, height, block_hash, specimen_hash, announced_in } = announcement;
    let reason = outcome.reason();
    let (state, class) = if reason.is_some() { ("skipped", Some(CLASS)) } else { ("announced", None) };
    let inserted = connection
        .prepare_cached(
            "INSERT INTO item (chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in, announced_ms,
             state, state_ms, reason, reason_class) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?11, ?12)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            chain,
            height,
            block_hash.as_slice(),
            specimen_hash.as_slice(),
            target.rule.as_slice(),
            target.name,
            target.proves,
            announced_in,
            now_ms,
            state,
            reason,
            class
        ])?;
    Ok(inserted == 1)
}
