//! Queries for due work and for reports.

use std::io::Write;

use alloy_primitives::B256;
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

use crate::{
    Artifact, Item, ItemId, Journal, JournalError, State, Transaction,
    item::{JSON_SCHEMA_VERSION, hash},
    journal::{column, sqlite_error},
};

/// Age up to which ended work moves with the clock: its costs count for a day, and for so long it is looked at again.
const RECENT_MS: u64 = 2 * 86_400_000;

/// Items in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The state that is counted.
    pub state: State,
    /// Number of them in the journal.
    pub items: u64,
    /// Since when the oldest is there, milliseconds since 1970.
    pub oldest_ms: u64,
}

/// A selection of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state only.
    pub state: Option<State>,
    /// Of this height only.
    pub height: Option<u64>,
    /// With greater numbers than this.
    pub after: Option<ItemId>,
}

/// Everything about one item, as exported.
#[derive(Serialize)]
struct Exported {
    #[serde(rename = "schemaVersion")]
    schema_version: u32,
    #[serde(flatten)]
    item: Item,
    artifacts: Vec<Artifact>,
    transactions: Vec<Transaction>,
}

impl Journal {
    /// Items in `state` whose time has come, oldest first, at most `limit`. Of the pinned only those that are to be proved.
    pub fn due(&self, state: State, now_ms: u64, limit: usize) -> Result<Vec<Item>, JournalError> {
        self.due_but(state, now_ms, limit, |_| false)
    }

    /// The same without those that are at work already, which are the oldest as a rule and are not read whole.
    pub fn due_but(
        &self,
        state: State,
        now_ms: u64,
        limit: usize,
        at_work: impl Fn(ItemId) -> bool,
    ) -> Result<Vec<Item>, JournalError> {
        // Of what waits the longest overdue, and found by an index that holds nothing else.
        let order = if state == State::Waiting { "due_ms, id" } else { "id" };
        let query = format!("SELECT {} FROM {} ORDER BY {order}", Item::COLUMNS, due(state));
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(&query)?;
            let mut rows = query.query([now_ms])?;
            let mut items = Vec::new();
            while items.len() < limit
                && let Some(row) = rows.next()?
            {
                if !at_work(ItemId(row.get(0)?)) {
                    items.push(Item::read(row)?);
                }
            }
            Ok(items)
        };
        read().map_err(|error| self.error(error))
    }

    /// Number of due items, counted up to `most`.
    pub fn count_due(&self, state: State, now_ms: u64, most: usize) -> Result<usize, JournalError> {
        let query = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?2)", due(state));
        self.connection
            .prepare_cached(&query)
            .and_then(|mut query| query.query_row(params![now_ms, most], |row| row.get(0)))
            .map_err(|error| self.error(error))
    }

    /// Items that became final at `since_ms` or later and were not looked at again for a while, at most `limit`. `first_ms` is how
    /// long they are left alone at first. A time to come counts as now: a clock may have been wrong.
    pub fn finals(&self, since_ms: u64, now_ms: u64, first_ms: u64, limit: usize) -> Result<Vec<Item>, JournalError> {
        let query = format!(
            "SELECT {} FROM item WHERE state = 'final' AND state_ms >= ?1 AND due_ms <= ?2 AND (state_ms + ?3 <= ?2 OR state_ms > ?2)
             ORDER BY state_ms LIMIT ?4",
            Item::COLUMNS
        );
        self.items(&query, params![since_ms, now_ms, first_ms, limit])
    }

    /// Writes down when a final item is looked at again.
    pub fn looked_at(&mut self, item: ItemId, due_ms: u64) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            connection
                .prepare_cached("UPDATE item SET due_ms = ?2 WHERE id = ?1 AND state = 'final'")
                .and_then(|mut update| update.execute(params![item.0, due_ms]))
                .map(drop)
                .map_err(|error| sqlite_error(path, error))
        })
    }

    /// Makes items due that a clock that was wrong put off for longer than anything is put off. Returns how many.
    pub fn due_by(&mut self, now_ms: u64, longest_ms: u64) -> Result<usize, JournalError> {
        self.write(false, |connection, path| {
            connection
                .prepare_cached("UPDATE item SET due_ms = ?1 WHERE due_ms > ?1 + ?2 AND state <> 'final'")
                .and_then(|mut update| update.execute(params![now_ms, longest_ms]))
                .map_err(|error| sqlite_error(path, error))
        })
    }

    /// Moves the times of unfinished and recent work by as much as the clock was set at `now_ms`, so that every pause, age and limit
    /// stays as it is. What ended long ago keeps its times.
    pub fn move_times(&mut self, now_ms: u64, by_ms: i64) -> Result<(), JournalError> {
        let recent_ms = now_ms.saturating_sub(RECENT_MS);
        let ended = State::ALL.into_iter().filter(|state| state.is_end()).map(|state| format!("'{state}'"));
        let ended = ended.collect::<Vec<_>>().join(", ");
        self.write(false, |connection, path| {
            let moves = [
                "UPDATE item SET due_ms = max(1, due_ms + ?2) WHERE due_ms >= ?1".to_owned(),
                format!(
                    "UPDATE item SET state_ms = max(0, state_ms + ?2) WHERE state_ms >= ?1 OR state NOT IN ({ended})"
                ),
                "UPDATE proof_transaction SET signed_ms = max(0, signed_ms + ?2) WHERE signed_ms >= ?1".to_owned(),
                "UPDATE side_transaction SET signed_ms = max(0, signed_ms + ?2) WHERE signed_ms >= ?1".to_owned(),
            ];
            let update = |sql: &String| connection.execute(sql, params![recent_ms, by_ms]).map(drop);
            moves.iter().try_for_each(update).map_err(|error| sqlite_error(path, error))
        })
    }

    /// Items that match, by number, at most `limit`.
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Item>, JournalError> {
        // A condition that may be none is answered by no index, and the status asks for states that few items are in.
        let of_state = if filter.state.is_some() { "state = ?2" } else { "?2 IS NULL" };
        let query = format!(
            "SELECT {} FROM item WHERE id > ?1 AND {of_state} AND (?3 IS NULL OR height = ?3) ORDER BY id LIMIT ?4",
            Item::COLUMNS
        );
        let after = filter.after.map_or(0, |id| id.0);
        self.items(&query, params![after, filter.state, filter.height.map(column), limit])
    }

    /// Items with a reason or a last failure, the newest first, at most `limit`.
    pub fn failures(&self, limit: usize) -> Result<Vec<Item>, JournalError> {
        let query = format!(
            "SELECT {} FROM item WHERE reason IS NOT NULL OR last_error IS NOT NULL ORDER BY id DESC LIMIT ?1",
            Item::COLUMNS
        );
        self.items(&query, [limit])
    }

    /// One item.
    pub fn item(&self, item: ItemId) -> Result<Option<Item>, JournalError> {
        let query = format!("SELECT {} FROM item WHERE id = ?1", Item::COLUMNS);
        self.connection
            .prepare_cached(&query)
            .and_then(|mut query| query.query_row([item.0], Item::read).optional())
            .map_err(|error| self.error(error))
    }

    /// The item of a rule, by its identity, on a specimen.
    pub fn of_specimen(&self, chain: u64, specimen: B256, rule: B256) -> Result<Option<Item>, JournalError> {
        let query = format!("SELECT {} FROM item WHERE chain = ?1 AND specimen_hash = ?2 AND rule = ?3", Item::COLUMNS);
        self.connection
            .prepare_cached(&query)
            .and_then(|mut query| {
                query.query_row(params![chain, specimen.as_slice(), rule.as_slice()], Item::read).optional()
            })
            .map_err(|error| self.error(error))
    }

    /// The artifacts of an item, in the rule's order.
    pub fn artifacts(&self, item: ItemId) -> Result<Vec<Artifact>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(
                "SELECT name, media_type, sha256, bytes, cid FROM artifact WHERE item = ?1 ORDER BY position",
            )?;
            let rows = query.query_map([item.0], |row| {
                Ok(Artifact {
                    name: row.get(0)?,
                    media_type: row.get(1)?,
                    sha256: hash(row, 2)?,
                    bytes: row.get(3)?,
                    cid: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Number of items in each state that has any.
    pub fn counts(&self) -> Result<Vec<Count>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query =
                self.connection.prepare_cached("SELECT state, count(*), min(state_ms) FROM item GROUP BY state")?;
            let rows = query
                .query_map([], |row| Ok(Count { state: row.get(0)?, items: row.get(1)?, oldest_ms: row.get(2)? }))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Since when the oldest item that is neither at its end nor waits for a source is in its state, milliseconds since 1970. Results
    /// that are not to be proved are at their end when they are pinned.
    pub fn oldest_unfinished_ms(&self) -> Result<Option<u64>, JournalError> {
        let is_open = |state: &State| !state.is_end() && !matches!(state, State::Waiting | State::Pinned);
        let open: Vec<_> = State::ALL.into_iter().filter(is_open).map(|state| format!("'{state}'")).collect();
        let query = format!(
            "SELECT min(state_ms) FROM (SELECT state_ms FROM item WHERE state IN ({})
             UNION ALL SELECT state_ms FROM item WHERE state = 'pinned' AND proves = 1)",
            open.join(", ")
        );
        self.connection
            .prepare_cached(&query)
            .and_then(|mut query| query.query_row([], |row| row.get(0)))
            .map_err(|error| self.error(error))
    }

    /// Items that wait to be fetched, run or pinned: what holds the scanner back when it grows. What no source has is none of them.
    pub fn unfinished(&self) -> Result<u64, JournalError> {
        self.connection
            .prepare_cached("SELECT count(*) FROM item WHERE state IN ('announced', 'fetched', 'produced')")
            .and_then(|mut query| query.query_row([], |row| row.get(0)))
            .map_err(|error| self.error(error))
    }

    /// Writes every item that matches with its artifacts and transactions, one JSON object a line. Returns how many.
    ///
    /// # Errors
    ///
    /// [`JournalError::Export`] when `out` takes no more.
    pub fn export(&self, filter: &Filter, out: &mut impl Write) -> Result<u64, JournalError> {
        const PAGE: usize = 500;
        let mut filter = *filter;
        let mut written = 0;
        loop {
            let items = self.list(&filter, PAGE)?;
            let Some(last) = items.last() else { return Ok(written) };
            filter.after = Some(last.id);
            for item in items {
                let artifacts = self.artifacts(item.id)?;
                let transactions = self.transactions(item.id)?;
                let exported = Exported { schema_version: JSON_SCHEMA_VERSION, item, artifacts, transactions };
                serde_json::to_writer(&mut *out, &exported).map_err(|error| JournalError::Export(error.into()))?;
                out.write_all(b"\n").map_err(JournalError::Export)?;
                written += 1;
            }
        }
    }

    fn items(&self, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<Item>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(query)?;
            let rows = query.query_map(parameters, Item::read)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }
}

/// Where items in `state` are whose time has come by `?1`.
fn due(state: State) -> String {
    let condition = if state == State::Pinned { "AND proves = 1" } else { "" };
    format!("item WHERE state = '{state}' {condition} AND due_ms <= ?1")
}
