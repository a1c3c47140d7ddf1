//! Achievements of a stage, and their place in the file.

use alloy_primitives::{B256, Bytes};
use rusqlite::{Connection, params};

use crate::{
    Artifact, ItemId, JournalError, State,
    journal::{Journal, sqlite_error},
    nonce::{check_nonce, reopen},
};

/// An achievement of a stage. Each brings what its state needs, so no state stands in the file without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bytes that the store had are gone, or are not wanted: from the beginning.
    Again,
    /// No source has the specimen. A further failure of an item that waits already is this step too.
    Waiting {
        /// The cause, in full.
        reason: String,
        /// Sources that could not be reached, one a line: each wakes the item when it comes back.
        awaits: Option<String>,
        /// When it is looked at again, milliseconds since 1970.
        due_ms: u64,
    },
    /// The specimen is in the store.
    Fetched {
        /// Content id of the specimen.
        cid: String,
        /// Length of the specimen in bytes.
        bytes: u64,
    },
    /// The rule came to a verdict other than "produced".
    Refused {
        /// The verdict and its message.
        reason: String,
        /// Class of the reason, where it has one.
        class: Option<&'static str>,
    },
    /// The rule's artifacts are in the local store.
    Produced {
        /// In the rule's order.
        artifacts: Vec<Artifact>,
        /// Their basis, for a rule that asks for an execution.
        basis: Option<&'static str>,
    },
    /// The artifacts are to be kept once more: the chain did not take their URL.
    PinAgain,
    /// The artifacts are where the network finds them.
    Pinned,
    /// A proof is to be submitted.
    ProofIntent,
    /// A transaction is signed. On the disk when the call returns.
    Signed(SignedTransaction),
    /// A node has it; also when a reorganisation put it back among the waiting.
    Broadcast,
    /// It is in a block.
    Mined {
        /// Hash of the transaction.
        hash: B256,
        /// Number of the block.
        block: u64,
    },
    /// That block is deep enough.
    Final,
    /// It was mined and failed.
    Reverted {
        /// The reason, in words.
        reason: String,
    },
    /// Another transaction took its nonce.
    Replaced {
        /// The other transaction, as far as it is known.
        reason: String,
    },
    /// No proof is needed or possible.
    Skipped {
        /// The reason, in words.
        reason: String,
    },
    /// A person has to look.
    Quarantined {
        /// The reason, in words.
        reason: String,
    },
}

/// A transaction with everything that sending it again takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Hash of the transaction.
    pub hash: B256,
    /// Its nonce, from [`Journal::next_nonce`] or the one it replaces.
    pub nonce: u64,
    /// Bytes of the signed transaction.
    pub raw: Bytes,
    /// Wei per gas, at most.
    pub max_fee: u128,
    /// Of it, wei per gas for the block's author.
    pub priority_fee: u128,
}

impl Step {
    /// The state it leads to.
    pub const fn to(&self) -> State {
        match self {
            Self::Again => State::Announced,
            Self::Waiting { .. } => State::Waiting,
            Self::Fetched { .. } => State::Fetched,
            Self::Refused { .. } => State::Refused,
            Self::Produced { .. } | Self::PinAgain => State::Produced,
            Self::Pinned => State::Pinned,
            Self::ProofIntent => State::ProofIntent,
            Self::Signed(_) => State::Signed,
            Self::Broadcast => State::Broadcast,
            Self::Mined { .. } => State::Mined,
            Self::Final => State::Final,
            Self::Reverted { .. } => State::Reverted,
            Self::Replaced { .. } => State::Replaced,
            Self::Skipped { .. } => State::Skipped,
            Self::Quarantined { .. } => State::Quarantined,
        }
    }

    /// Whether it is on the disk when the call that writes it returns: what is signed may be sent.
    pub const fn is_durable(&self) -> bool {
        matches!(self, Self::Signed(_))
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Waiting { reason, .. }
            | Self::Refused { reason, .. }
            | Self::Reverted { reason }
            | Self::Replaced { reason }
            | Self::Skipped { reason }
            | Self::Quarantined { reason } => Some(reason),
            _ => None,
        }
    }

    const fn class(&self) -> Option<&'static str> {
        match self {
            Self::Refused { class, .. } => *class,
            _ => None,
        }
    }

    /// `from` is not only followed by the step's state but by this very step.
    fn can_leave(&self, from: State) -> bool {
        let fits = match self {
            Self::PinAgain => from == State::ProofIntent,
            Self::Produced { .. } => from == State::Fetched,
            Self::Again => !matches!(from, State::Skipped | State::Quarantined | State::Withdrawn),
            _ => true,
        };
        fits && from.may_become(self.to())
    }
}

impl Journal {
    /// Writes down what a stage achieved for an item. Attempts and errors of the former state are forgotten.
    ///
    /// # Errors
    ///
    /// [`JournalError::Illegal`] when the item is not where the step begins, [`JournalError::NonceTaken`] and
    /// [`JournalError::NonceChanged`] for a transaction that would break the order of nonces. Then nothing was written.
    pub fn advance(&mut self, item: ItemId, step: &Step, now_ms: u64) -> Result<(), JournalError> {
        self.advance_all(&[(item, step.clone())], now_ms)
    }

    /// The same for several at once: all or none, and one wait for the disk.
    pub fn advance_all(&mut self, steps: &[(ItemId, Step)], now_ms: u64) -> Result<(), JournalError> {
        let durable = steps.iter().any(|(_, step)| step.is_durable());
        self.write(durable, |connection, path| {
            for (item, step) in steps {
                let sql = |error| sqlite_error(path, error);
                let from = state_of(connection, *item).map_err(sql)?.ok_or(JournalError::NoItem(*item))?;
                if !step.can_leave(from) {
                    return Err(JournalError::Illegal { item: *item, from, to: step.to() });
                }
                if let Step::Signed(signed) = step {
                    check_nonce(connection, Some(*item), signed.nonce).map_err(sql)??;
                }
                if let (State::Final, Step::Broadcast) = (from, step) {
                    reopen(connection, *item).map_err(sql)??;
                }
                if let Step::Mined { hash, .. } = step {
                    let known = has_transaction(connection, *item, *hash).map_err(sql)?;
                    known.then_some(()).ok_or(JournalError::NoTransaction { item: *item, hash: *hash })?;
                }
                write_step(connection, *item, step, now_ms).map_err(sql)?;
            }
            Ok(())
        })
    }

    /// Writes down that a stage failed for an item that stays in `state`, and when to try again.
    ///
    /// Returns the failures since it came to that state.
    ///
    /// # Errors
    ///
    /// [`JournalError::Illegal`] when the item is no longer in `state`.
    pub fn failed(&mut self, item: ItemId, state: State, error: &str, due_ms: u64) -> Result<u32, JournalError> {
        self.write(false, |connection, path| {
            let sql = |error| sqlite_error(path, error);
            let from = state_of(connection, item).map_err(sql)?.ok_or(JournalError::NoItem(item))?;
            if from != state {
                return Err(JournalError::Illegal { item, from, to: state });
            }
            connection
                .prepare_cached(
                    "UPDATE item SET attempts = attempts + 1, last_error = ?2, due_ms = ?3 WHERE id = ?1 RETURNING attempts",
                )
                .and_then(|mut update| update.query_row(params![item.0, error, due_ms], |row| row.get(0)))
                .map_err(sql)
        })
    }
}

pub(crate) fn state_of(connection: &Connection, item: ItemId) -> rusqlite::Result<Option<State>> {
    use rusqlite::OptionalExtension as _;
    let mut query = connection.prepare_cached("SELECT state FROM item WHERE id = ?1")?;
    query.query_row([item.0], |row| row.get(0)).optional()
}

fn has_transaction(connection: &Connection, item: ItemId, hash: B256) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached("SELECT 1 FROM proof_transaction WHERE hash = ?1 AND item = ?2")?;
    query.exists(params![hash.as_slice(), item.0])
}

pub(crate) fn write_step(connection: &Connection, item: ItemId, step: &Step, now_ms: u64) -> rusqlite::Result<()> {
    if let Step::Waiting { reason, awaits, due_ms } = step {
        return write_waiting(connection, item, reason, awaits.as_deref(), *due_ms, now_ms);
    }
    connection
        .prepare_cached(
            "UPDATE item SET state = ?2, state_ms = ?3, reason = ?4, reason_class = ?5, attempts = 0, due_ms = 0, awaits = NULL,
             last_error = CASE WHEN ?2 = 'quarantined' THEN last_error END WHERE id = ?1",
        )?
        .execute(params![item.0, step.to(), now_ms, step.reason(), step.class()])?;
    match step {
        Step::Fetched { cid, bytes } => {
            connection
                .prepare_cached("UPDATE item SET specimen_cid = ?2, specimen_bytes = ?3 WHERE id = ?1")?
                .execute(params![item.0, cid, bytes])?;
        }
        Step::Produced { artifacts, basis } => {
            write_artifacts(connection, item, artifacts)?;
            write_basis(connection, item, *basis)?;
        }
        Step::Again => write_basis(connection, item, None)?,
        Step::Signed(signed) => write_signed(connection, item, signed, now_ms)?,
        Step::Mined { hash, block } => {
            connection
                .prepare_cached("UPDATE item SET mined_block = ?2, mined_tx = ?3 WHERE id = ?1")?
                .execute(params![item.0, block, hash.as_slice()])?;
        }
        Step::Broadcast => {
            connection
                .prepare_cached("UPDATE item SET mined_block = NULL, mined_tx = NULL WHERE id = ?1")?
                .execute([item.0])?;
        }
        Step::Final | Step::Reverted { .. } | Step::Replaced { .. } => {
            connection.prepare_cached("UPDATE proof_transaction SET open = 0 WHERE item = ?1")?.execute([item.0])?;
        }
        Step::Waiting { .. }
        | Step::Refused { .. }
        | Step::PinAgain
        | Step::Pinned
        | Step::ProofIntent
        | Step::Skipped { .. }
        | Step::Quarantined { .. } => {}
    }
    Ok(())
}

/// Looks are counted from the first on, and the time of waiting begins with it.
fn write_waiting(
    connection: &Connection,
    item: ItemId,
    reason: &str,
    awaits: Option<&str>,
    due_ms: u64,
    now_ms: u64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE item SET state = 'waiting', state_ms = CASE WHEN state = 'waiting' THEN state_ms ELSE ?5 END,
             attempts = CASE WHEN state = 'waiting' THEN attempts + 1 ELSE 1 END,
             reason = ?2, reason_class = NULL, last_error = ?2, awaits = ?3, due_ms = ?4 WHERE id = ?1",
        )?
        .execute(params![item.0, reason, awaits, due_ms, now_ms])?;
    Ok(())
}

fn write_basis(connection: &Connection, item: ItemId, basis: Option<&str>) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE item SET basis = ?2 WHERE id = ?1")?.execute(params![item.0, basis])?;
    Ok(())
}

fn write_artifacts(connection: &Connection, item: ItemId, artifacts: &[Artifact]) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM artifact WHERE item = ?1")?.execute([item.0])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO artifact (item, position, name, media_type, sha256, bytes, cid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (position, artifact) in artifacts.iter().enumerate() {
        let Artifact { name, media_type, sha256, bytes, cid } = artifact;
        insert.execute(params![item.0, position, name, media_type, sha256.as_slice(), bytes, cid])?;
    }
    Ok(())
}

/// The time tells which was signed last, also of those of one millisecond.
fn write_signed(
    connection: &Connection,
    item: ItemId,
    signed: &SignedTransaction,
    now_ms: u64,
) -> rusqlite::Result<()> {
    let SignedTransaction { hash, nonce, raw, max_fee, priority_fee } = signed;
    connection
        .prepare_cached(
            "INSERT INTO proof_transaction (hash, item, nonce, raw, max_fee, priority_fee, signed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7 + (SELECT count(*) FROM proof_transaction
                WHERE item = ?2 AND signed_ms BETWEEN ?7 AND ?7 + 1000)) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            hash.as_slice(),
            item.0,
            nonce,
            raw.as_ref(),
            max_fee.to_string(),
            priority_fee.to_string(),
            now_ms
        ])?;
    Ok(())
}
