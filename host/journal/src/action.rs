//! Changes that an operator makes to items by hand.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::{
    ItemId, Journal, JournalError, State, Step,
    journal::{column, sqlite_error},
    step::{state_of, write_step},
    whole_from::drop_nonces,
};

/// Items left as they are whose reasons are reported one by one.
const KEPT_SHOWN: usize = 20;
/// The least number of blocks under the position of the scan whose items stay: twice the default `--scan-window`.
const SCANNED_AGAIN_BLOCKS_MIN: u64 = 256;
/// Ratio of the blocks that may be scanned again, without being asked for, to the window: a process that starts reads the window of the
/// one before too.
const SCANNED_AGAIN_WINDOWS: u64 = 2;
/// Name of the fact that holds the window of the scan.
const SCAN_WINDOW: &str = "scan-window";
/// The reason of an item that an operator skipped.
const BY_OPERATOR: &str = "skipped by the operator";

/// Items that an operator selects: those with the numbers, or else all that fit the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// By number.
    pub items: Vec<ItemId>,
    /// From one height to another, both included.
    pub heights: Option<(u64, u64)>,
    /// In one state.
    pub state: Option<State>,
}

/// Change that is made to each selected item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Another try: from the beginning for what was quarantined or skipped, at once for what pauses.
    Retry,
    /// Back to a state, from where everything is done once more.
    Rewind {
        /// The state.
        to: State,
    },
    /// Out of the pipeline, with its history.
    Skip,
    /// Out of the journal.
    Forget,
}

/// The outcome of an [`Action`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Items that were changed.
    pub changed: u64,
    /// Items that were left as they are.
    pub kept: u64,
    /// The first of these, with the reasons.
    pub reasons: Vec<Kept>,
}

/// An item that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its number.
    pub item: ItemId,
    /// The reason.
    pub reason: String,
}

impl Journal {
    /// Keeps the number of newest blocks that every scan reads again, for [`Action::Forget`].
    pub fn set_scan_window(&mut self, blocks: u64) -> Result<(), JournalError> {
        self.replace_fact(SCAN_WINDOW, &blocks.to_string()).map(drop)
    }

    /// Does `action` to every item of `selection` to which it applies, all in one transaction.
    pub fn apply(&mut self, selection: &Selection, action: Action, now_ms: u64) -> Result<Applied, JournalError> {
        self.write(false, |connection, path| {
            let apply = || -> rusqlite::Result<Applied> {
                let mut applied = Applied::default();
                for item in selected(connection, selection)? {
                    match apply_to(connection, item, action, now_ms)? {
                        Ok(()) => applied.changed += 1,
                        Err(reason) => {
                            applied.kept += 1;
                            if applied.reasons.len() < KEPT_SHOWN {
                                applied.reasons.push(Kept { item, reason });
                            }
                        }
                    }
                }
                Ok(applied)
            };
            apply().map_err(|error| sqlite_error(path, error))
        })
    }
}

fn selected(connection: &Connection, selection: &Selection) -> rusqlite::Result<Vec<ItemId>> {
    let Selection { items, heights, state } = selection;
    if !items.is_empty() {
        return Ok(items.clone());
    }
    let (from, to) = heights.map_or((None, None), |(from, to)| (Some(column(from)), Some(column(to))));
    let mut query = connection.prepare_cached(
        "SELECT id FROM item WHERE (?1 IS NULL OR height BETWEEN ?1 AND ?2) AND (?3 IS NULL OR state = ?3) ORDER BY id",
    )?;
    let rows = query.query_map(params![from, to, state], |row| row.get(0).map(ItemId))?;
    rows.collect()
}

/// The inner error is the reason for which the action does not apply.
fn apply_to(
    connection: &Connection,
    item: ItemId,
    action: Action,
    now_ms: u64,
) -> rusqlite::Result<Result<(), String>> {
    let Some(from) = state_of(connection, item)? else { return Ok(Err("there is no such item".into())) };
    match action {
        Action::Retry if matches!(from, State::Quarantined | State::Skipped) => {
            write_step(connection, item, &Step::Again, now_ms)?;
        }
        Action::Retry => {
            let mut retry = connection.prepare_cached("UPDATE item SET due_ms = 0 WHERE id = ?1 AND due_ms > 0")?;
            if retry.execute([item.0])? == 0 {
                return Ok(Err(format!("it is {from}, and waits for no further try")));
            }
        }
        Action::Rewind { to } => return rewind(connection, item, from, to, now_ms),
        Action::Skip if from.can_be_withdrawn() || from == State::Quarantined => {
            write_step(connection, item, &Step::Skipped { reason: BY_OPERATOR.into() }, now_ms)?;
        }
        Action::Skip => return Ok(Err(format!("it is {from}, and cannot be skipped"))),
        Action::Forget => return forget(connection, item, from),
    }
    Ok(Ok(()))
}

fn rewind(
    connection: &Connection,
    item: ItemId,
    from: State,
    to: State,
    now_ms: u64,
) -> rusqlite::Result<Result<(), String>> {
    if !from.rewinds_to().contains(&to) {
        return Ok(Err(format!("it is {from}, and cannot go back to {to}")));
    }
    let needs = match to {
        State::Fetched => "SELECT 1 FROM item WHERE id = ?1 AND specimen_cid IS NOT NULL",
        State::Produced | State::Pinned => "SELECT 1 FROM artifact WHERE item = ?1",
        _ => "SELECT 1",
    };
    let mut query = connection.prepare_cached(needs)?;
    let has = if query.parameter_count() == 0 { query.exists([])? } else { query.exists([item.0])? };
    if !has {
        return Ok(Err(format!("it never was {to}")));
    }
    // What the state brought is there already, so it is entered without its step. A basis is of a result.
    connection
        .prepare_cached(
            "UPDATE item SET state = ?2, state_ms = ?3, reason = NULL, reason_class = NULL, attempts = 0, due_ms = 0,
             last_error = NULL, awaits = NULL, basis = CASE WHEN ?2 IN ('produced', 'pinned') THEN basis END WHERE id = ?1",
        )?
        .execute(params![item.0, to, now_ms])?;
    Ok(Ok(()))
}

/// The newest settled nonce stays: a node that lags behind would have it used twice.
pub(crate) fn forget(connection: &Connection, item: ItemId, from: State) -> rusqlite::Result<Result<(), String>> {
    if matches!(from, State::Signed | State::Broadcast | State::Mined | State::Reverted | State::Replaced) {
        return Ok(Err(format!("it is {from}: its transaction is not settled")));
    }
    let newest =
        "SELECT 1 FROM proof_transaction WHERE item = ?1 AND nonce = (SELECT max(nonce) FROM proof_transaction)";
    if connection.prepare_cached(newest)?.exists([item.0])? {
        return Ok(Err("it holds the operator's newest nonce".into()));
    }
    // The next scan would announce it anew.
    let recent = "SELECT announced_in, (SELECT max(number) FROM checkpoint) FROM item
         WHERE id = ?1 AND announced_in + ?2 > (SELECT max(number) FROM checkpoint)";
    let scanned_again = scanned_again_blocks(connection)?;
    let mut recent = connection.prepare_cached(recent)?;
    let mut rows = recent.query(params![item.0, scanned_again])?;
    if from != State::Withdrawn
        && let Some(row) = rows.next()?
    {
        let (announced, position): (u64, u64) = (row.get(0)?, row.get(1)?);
        return Ok(Err(format!(
            "it was announced in block {announced}, which is scanned again until block {}, and the position is {position}; \
             `refiner journal skip` keeps it from being worked on",
            announced.saturating_add(scanned_again)
        )));
    }
    drop_nonces(connection, item)?;
    for delete in [
        "DELETE FROM artifact WHERE item = ?1",
        "DELETE FROM proof_transaction WHERE item = ?1",
        "DELETE FROM item WHERE id = ?1",
    ] {
        connection.prepare_cached(delete)?.execute([item.0])?;
    }
    Ok(Ok(()))
}

/// Blocks under the position of the scan that may be scanned again without being asked for.
fn scanned_again_blocks(connection: &Connection) -> rusqlite::Result<u64> {
    let mut query = connection.prepare_cached("SELECT value FROM fact WHERE name = ?1")?;
    let window: Option<String> = query.query_row([SCAN_WINDOW], |row| row.get(0)).optional()?;
    let window = window.and_then(|blocks| blocks.parse::<u64>().ok()).unwrap_or_default();
    Ok(window.saturating_mul(SCANNED_AGAIN_WINDOWS).max(SCANNED_AGAIN_BLOCKS_MIN))
}
