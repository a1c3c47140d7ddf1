//! The next nonce, and the transactions that wait.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{Item, ItemId, Journal, JournalError, Transaction, journal::column, whole_from::WHOLE_FROM};

/// Nonces of transactions that may still be mined.
const OPEN_NONCES: &str =
    "SELECT nonce FROM proof_transaction WHERE open = 1 UNION SELECT nonce FROM side_transaction WHERE open = 1";

/// The nonces of the journal's transactions, as far as they tell those of another user of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownNonces {
    /// The highest that was ever signed with.
    pub highest: u64,
    /// From this one on the journal dropped no transaction.
    pub whole_from: u64,
    /// Nonces from there on that were used, because later ones are settled, and by none of the journal's transactions.
    pub foreign: u64,
}

impl Journal {
    /// The smallest nonce that neither the chain nor a waiting transaction has used up.
    ///
    /// `chain_count` is the operator's transaction count in the newest block; a node that lags behind does no harm, because nonces
    /// of settled transactions are known here. A gap that a vanished transaction of another sender left is filled.
    pub fn next_nonce(&self, chain_count: u64) -> Result<u64, JournalError> {
        Ok(self.next_nonces(chain_count, 1)?.pop().unwrap_or(chain_count))
    }

    /// The `count` smallest such nonces, ascending.
    pub fn next_nonces(&self, chain_count: u64, count: usize) -> Result<Vec<u64>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let settled: Option<u64> = self
                .connection
                .prepare_cached(
                    "SELECT max(nonce) FROM proof_transaction JOIN item ON item.id = item
                     WHERE proof_transaction.hash = mined_tx AND open = 0",
                )?
                .query_row([], |row| row.get(0))?;
            let aside: Option<u64> = self
                .connection
                .prepare_cached("SELECT max(nonce) FROM side_transaction WHERE mined = 1 AND open = 0")?
                .query_row([], |row| row.get(0))?;
            let settled = settled.max(aside);
            let base = settled.map_or(chain_count, |settled| chain_count.max(settled + 1));
            let mut taken = self.connection.prepare_cached(
                "SELECT nonce FROM proof_transaction WHERE open = 1 AND nonce >= ?1
                 UNION SELECT nonce FROM side_transaction WHERE open = 1 AND nonce >= ?1",
            )?;
            let taken: BTreeSet<u64> =
                taken.query_map(params![base], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok((base..).filter(|nonce| !taken.contains(nonce)).take(count).collect())
        };
        read().map_err(|error| self.error(error))
    }

    /// The highest nonce that this journal ever signed with.
    pub fn highest_nonce(&self) -> Result<Option<u64>, JournalError> {
        let highest =
            "SELECT max(nonce) FROM (SELECT nonce FROM proof_transaction UNION SELECT nonce FROM side_transaction)";
        let read = || self.connection.query_row(highest, [], |row| row.get(0));
        read().map_err(|error| self.error(error))
    }

    /// The nonces that are known; `None` before the first transaction.
    pub fn known_nonces(&self) -> Result<Option<KnownNonces>, JournalError> {
        let Some(highest) = self.highest_nonce()? else { return Ok(None) };
        let read = || -> rusqlite::Result<KnownNonces> {
            let from: Option<String> = self
                .connection
                .query_row("SELECT value FROM fact WHERE name = ?1", [WHOLE_FROM], |row| row.get(0))
                .optional()?;
            // Of a journal that no daemon of this version has had, nothing is known.
            let from = from.and_then(|from| from.parse().ok()).unwrap_or_else(|| highest.saturating_add(1));
            // What another transaction took is known as well: an item or a side transaction has its nonce.
            let (first, last, count): (Option<u64>, Option<u64>, u64) = self.connection.query_row(
                "WITH known AS (SELECT nonce, open FROM proof_transaction UNION ALL SELECT nonce, open FROM side_transaction),
                 settled AS (SELECT max(nonce) AS last FROM known WHERE open = 0)
                 SELECT min(nonce), max(nonce), count(DISTINCT nonce) FROM known, settled WHERE nonce BETWEEN ?1 AND last",
                [column(from)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let used = first.zip(last).map_or(0, |(first, last)| last - first + 1);
            Ok(KnownNonces { highest, whole_from: first.unwrap_or(from), foreign: used - count })
        };
        read().map(Some).map_err(|error| self.error(error))
    }

    /// An item's transactions, the last signed first.
    pub fn transactions(&self, item: ItemId) -> Result<Vec<Transaction>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(&format!(
                "SELECT {} FROM proof_transaction WHERE item = ?1 ORDER BY signed_ms DESC, length(max_fee) DESC, max_fee DESC",
                Transaction::COLUMNS
            ))?;
            let rows = query.query_map([item.0], Transaction::read)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Items whose transaction is signed or sent and not mined yet, in the order of their nonces: the order to send in.
    pub fn outbox(&self) -> Result<Vec<Item>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(&format!(
                "SELECT {} FROM item WHERE state IN ('signed', 'broadcast')
                 ORDER BY (SELECT min(nonce) FROM proof_transaction WHERE item = item.id AND open = 1)",
                Item::COLUMNS
            ))?;
            let rows = query.query_map([], Item::read)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Transactions whose nonce is not known to be used up.
    pub fn open_transactions(&self) -> Result<u64, JournalError> {
        self.connection
            .query_row(&format!("SELECT count(*) FROM ({OPEN_NONCES})"), [], |row| row.get(0))
            .map_err(|error| self.error(error))
    }

    /// The smallest nonce that is not known to be used up.
    pub fn lowest_open_nonce(&self) -> Result<Option<u64>, JournalError> {
        self.connection
            .query_row(&format!("SELECT min(nonce) FROM ({OPEN_NONCES})"), [], |row| row.get(0))
            .map_err(|error| self.error(error))
    }
}

/// One nonce for one item at a time, and one item keeps its nonce until it is used up.
/// `None` for a transaction that is no proof.
pub(crate) fn check_nonce(
    connection: &Connection,
    item: Option<ItemId>,
    nonce: u64,
) -> rusqlite::Result<Result<(), JournalError>> {
    let mut holder = connection.prepare_cached(
        "SELECT item FROM proof_transaction WHERE nonce = ?1 AND item IS NOT ?2 AND open = 1 LIMIT 1",
    )?;
    if let Some(holder) = holder.query_row(params![nonce, item.map(|item| item.0)], |row| row.get(0)).optional()? {
        return Ok(Err(JournalError::NonceTaken { nonce, holder: ItemId(holder) }));
    }
    let Some(item) = item else { return Ok(Ok(())) };
    let mut side = connection.prepare_cached("SELECT 1 FROM side_transaction WHERE nonce = ?1 AND open = 1")?;
    if side.exists([nonce])? {
        return Ok(Err(JournalError::NonceTakenAside { nonce }));
    }
    let mut held = connection
        .prepare_cached("SELECT nonce FROM proof_transaction WHERE item = ?1 AND open = 1 AND nonce <> ?2")?;
    let held = held.query_row(params![item.0, nonce], |row| row.get(0)).optional()?;
    Ok(held.map_or(Ok(()), |held| Err(JournalError::NonceChanged { item, held, nonce })))
}

/// Transactions of the nonce that a final proof's transaction had can be mined again.
pub(crate) fn reopen(connection: &Connection, item: ItemId) -> rusqlite::Result<Result<(), JournalError>> {
    let nonce: Option<u64> = connection
        .prepare_cached(
            "SELECT nonce FROM proof_transaction JOIN item ON item.id = item WHERE item = ?1 AND proof_transaction.hash = mined_tx",
        )?
        .query_row([item.0], |row| row.get(0))
        .optional()?;
    let Some(nonce) = nonce else { return Ok(Ok(())) };
    if let Err(error) = check_nonce(connection, Some(item), nonce)? {
        return Ok(Err(error));
    }
    connection
        .prepare_cached("UPDATE proof_transaction SET open = 1, paid = NULL WHERE item = ?1 AND nonce = ?2")?
        .execute(params![item.0, nonce])?;
    Ok(Ok(()))
}
