//! Costs of the operator's transactions, for bounds that hold across restarts.

use alloy_primitives::{B256, Bytes};
use rusqlite::params;

use crate::{Journal, JournalError, item::optional_decimal, journal::sqlite_error};

/// A transaction as far as its cost goes. Of those with one nonce at most one is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expense {
    /// The nonce.
    pub nonce: u64,
    /// The signed bytes: they hold the most that it can cost.
    pub raw: Bytes,
    /// Whether it may still be mined.
    pub open: bool,
    /// Whether it is the one that was mined.
    pub mined: bool,
    /// Wei that it cost, where that is known.
    pub paid: Option<u128>,
}

impl Journal {
    /// Every transaction signed at `since_ms` or later, by nonce.
    pub fn expenses(&self, since_ms: u64) -> Result<Vec<Expense>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(
                "SELECT nonce, raw, open, proof_transaction.hash IS mined_tx, paid
                 FROM proof_transaction JOIN item ON item.id = item WHERE signed_ms >= ?1
                 UNION ALL
                 SELECT nonce, raw, open, mined, paid FROM side_transaction WHERE signed_ms >= ?1
                 ORDER BY 1",
            )?;
            let rows = query.query_map([since_ms], |row| {
                Ok(Expense {
                    nonce: row.get(0)?,
                    raw: row.get::<_, Vec<u8>>(1)?.into(),
                    open: row.get(2)?,
                    mined: row.get(3)?,
                    paid: optional_decimal(row, 4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Writes down the cost of a proof's mined transaction.
    pub fn paid(&mut self, transaction: B256, wei: u128) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            connection
                .prepare_cached("UPDATE proof_transaction SET paid = ?2 WHERE hash = ?1")
                .and_then(|mut update| update.execute(params![transaction.as_slice(), wei.to_string()]))
                .map(drop)
                .map_err(|error| sqlite_error(path, error))
        })
    }
}
