//! Finished items that are dropped when there are too many or they are too old.

use rusqlite::{Connection, params};

use crate::{ItemId, Journal, JournalError, State, action::forget, journal::sqlite_error};

/// Age under which an item with a transaction stays: its costs count for a day, and for so long its proof is looked at again.
const SETTLED_MS: u64 = 2 * 86_400_000;

/// A part of the journal to look through for items that can go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneStep {
    /// Only items with greater numbers than this.
    pub after: Option<ItemId>,
    /// Finished items above the number that is kept: so many of the oldest go, however young.
    pub surplus: u64,
    /// Those that finished by this time go, milliseconds since 1970.
    pub finished_by_ms: u64,
}

/// The outcome of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Items that were dropped.
    pub dropped: u64,
    /// Content ids of theirs that no other item has.
    pub unneeded: Vec<String>,
    /// The last item that was looked at; `None` after the last of all.
    pub last: Option<ItemId>,
}

struct Candidate {
    item: ItemId,
    state: State,
    proves: bool,
    state_ms: u64,
    chain: u64,
    height: u64,
    specimen_hash: [u8; 32],
    specimen_cid: Option<String>,
}

impl Journal {
    /// Number of finished items: those that no stage and no person has anything to do with.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn finished(&self) -> Result<u64, JournalError> {
        let states = State::ALL.into_iter().filter(|state| is_finished(*state, true));
        let states = states.map(|state| format!("'{state}'")).collect::<Vec<_>>().join(", ");
        let count = format!(
            "SELECT (SELECT count(*) FROM item WHERE state IN ({states}))
                  + (SELECT count(*) FROM item WHERE state = 'pinned' AND proves = 0)"
        );
        self.connection.query_row(&count, [], |row| row.get(0)).map_err(|error| self.error(error))
    }

    /// Looks at `most` items and drops the finished ones that are beyond what is kept.
    ///
    /// One stays whatever its age: with a transaction that is not final or of the last two days, with the newest nonce, or that the
    /// next scan would announce anew.
    ///
    /// # Errors
    ///
    /// The file's.
    pub fn prune(&mut self, step: &PruneStep, now_ms: u64, most: usize) -> Result<Pruned, JournalError> {
        self.write(false, |connection, path| {
            prune(connection, step, now_ms, most).map_err(|error| sqlite_error(path, error))
        })
    }
}

/// Nothing is left to be done: not by a stage, nor by a person.
const fn is_finished(state: State, proves: bool) -> bool {
    match state {
        State::Final | State::Refused | State::Skipped | State::Withdrawn => true,
        State::Pinned => !proves,
        State::Announced
        | State::Waiting
        | State::Fetched
        | State::Produced
        | State::ProofIntent
        | State::Signed
        | State::Broadcast
        | State::Mined
        | State::Reverted
        | State::Replaced
        | State::Quarantined => false,
    }
}

fn prune(connection: &Connection, step: &PruneStep, now_ms: u64, most: usize) -> rusqlite::Result<Pruned> {
    let candidates = candidates(connection, step.after, most)?;
    let mut pruned = Pruned::default();
    if candidates.len() == most {
        pruned.last = candidates.last().map(|candidate| candidate.item);
    }
    let settled_by_ms = now_ms.saturating_sub(SETTLED_MS);
    for candidate in candidates {
        let Candidate { item, state, proves, state_ms, chain, height, .. } = candidate;
        let is_beyond = pruned.dropped < step.surplus || state_ms <= step.finished_by_ms;
        let is_settled = state != State::Final || state_ms <= settled_by_ms;
        if !is_finished(state, proves) || !is_beyond || !is_settled || has_young(connection, item, settled_by_ms)? {
            continue;
        }
        let artifacts = artifacts(connection, item)?;
        if forget(connection, item, state)?.is_err() {
            continue;
        }
        connection
            .prepare_cached("DELETE FROM result_session WHERE chain = ?1 AND height = ?2 AND outcome IS NOT NULL")?
            .execute(params![chain, height])?;
        pruned.dropped += 1;
        unneeded(connection, &candidate, artifacts, &mut pruned.unneeded)?;
    }
    Ok(pruned)
}

fn candidates(connection: &Connection, after: Option<ItemId>, most: usize) -> rusqlite::Result<Vec<Candidate>> {
    let mut query = connection.prepare_cached(
        "SELECT id, state, proves, state_ms, chain, height, specimen_hash, specimen_cid FROM item WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = query.query_map(params![after.map_or(0, |item| item.0), most], |row| {
        Ok(Candidate {
            item: ItemId(row.get(0)?),
            state: row.get(1)?,
            proves: row.get(2)?,
            state_ms: row.get(3)?,
            chain: row.get(4)?,
            height: row.get(5)?,
            specimen_hash: row.get(6)?,
            specimen_cid: row.get(7)?,
        })
    })?;
    rows.collect()
}

/// True where the item has a transaction that may be mined or counts as a cost of today.
fn has_young(connection: &Connection, item: ItemId, settled_by_ms: u64) -> rusqlite::Result<bool> {
    let mut query = connection
        .prepare_cached("SELECT 1 FROM proof_transaction WHERE item = ?1 AND (open = 1 OR signed_ms > ?2)")?;
    query.exists(params![item.0, settled_by_ms])
}

fn artifacts(connection: &Connection, item: ItemId) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare_cached("SELECT cid FROM artifact WHERE item = ?1")?;
    let rows = query.query_map([item.0], |row| row.get(0))?;
    rows.collect()
}

/// Adds the content that only this item had. Other rules' items are of the same specimen, and results can be equal.
fn unneeded(
    connection: &Connection,
    item: &Candidate,
    artifacts: Vec<String>,
    unneeded: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let mut of_specimen =
        connection.prepare_cached("SELECT 1 FROM item WHERE chain = ?1 AND specimen_hash = ?2 LIMIT 1")?;
    let has_others = of_specimen.exists(params![item.chain, item.specimen_hash])?;
    let mut of_artifact = connection.prepare_cached("SELECT 1 FROM artifact WHERE cid = ?1 LIMIT 1")?;
    for cid in artifacts.into_iter().chain(item.specimen_cid.clone()) {
        let is_specimen = Some(&cid) == item.specimen_cid.as_ref();
        let is_needed = (is_specimen && has_others) || of_artifact.exists([&cid])?;
        if !is_needed && !unneeded.contains(&cid) {
            unneeded.push(cid);
        }
    }
    Ok(())
}
