//! Transactions of the operator that are no proofs. They share the account's nonces with the proofs.

use alloy_primitives::B256;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    ItemId, Journal, JournalError, SessionKey, SignedTransaction, Transaction, journal::sqlite_error,
    nonce::check_nonce,
};

/// The purpose of a transaction that is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Uses up a nonce that nothing else does and that later ones wait for.
    Gap,
    /// Finalizes a session.
    Finalize(SessionKey),
}

/// A transaction that is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideTransaction {
    /// The purpose.
    pub purpose: Purpose,
    /// The transaction.
    pub transaction: Transaction,
}

/// The owner of a settled nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A proof.
    Item(ItemId),
    /// A transaction that is none.
    Side,
}

impl Purpose {
    const fn columns(self) -> (&'static str, Option<u64>, Option<u64>) {
        match self {
            Self::Gap => ("gap", None, None),
            Self::Finalize(SessionKey { chain, height }) => ("finalize", Some(chain), Some(height)),
        }
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let word: String = row.get("purpose")?;
        match word.as_str() {
            "gap" => Ok(Self::Gap),
            "finalize" => Ok(Self::Finalize(SessionKey { chain: row.get("chain")?, height: row.get("height")? })),
            _ => Err(rusqlite::Error::InvalidColumnType(0, "purpose".to_owned(), rusqlite::types::Type::Text)),
        }
    }
}

impl Journal {
    /// Writes a transaction down before it is sent. On the disk when the call returns.
    ///
    /// # Errors
    ///
    /// [`JournalError::NonceTaken`] while a proof holds the nonce.
    pub fn sign_side(&mut self, purpose: Purpose, signed: &SignedTransaction, now_ms: u64) -> Result<(), JournalError> {
        self.write(true, |connection, path| {
            let sql = |error| sqlite_error(path, error);
            check_nonce(connection, None, signed.nonce).map_err(sql)??;
            insert(connection, purpose, signed, now_ms).map_err(sql)
        })
    }

    /// Those whose nonce is not known to be used up, in the order of their nonces, of one nonce the last signed first.
    pub fn open_side(&self) -> Result<Vec<SideTransaction>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self.connection.prepare_cached(&format!(
                "SELECT {}, purpose, chain, height FROM side_transaction WHERE open = 1
                 ORDER BY nonce, signed_ms DESC, length(max_fee) DESC, max_fee DESC",
                Transaction::COLUMNS
            ))?;
            let rows = query.query_map([], |row| {
                Ok(SideTransaction { purpose: Purpose::read(row)?, transaction: Transaction::read(row)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.error(error))
    }

    /// Writes down that a nonce is used up: by the transaction `mined`, or by another's where there is none.
    pub fn close_side(&mut self, nonce: u64, mined: Option<(B256, Option<u128>)>) -> Result<(), JournalError> {
        self.write(false, |connection, path| {
            let close = || -> rusqlite::Result<()> {
                connection.execute("UPDATE side_transaction SET open = 0 WHERE nonce = ?1", [nonce])?;
                if let Some((hash, paid)) = mined {
                    connection.execute(
                        "UPDATE side_transaction SET mined = 1, paid = ?2 WHERE hash = ?1",
                        params![hash.as_slice(), paid.map(|wei| wei.to_string())],
                    )?;
                }
                Ok(())
            };
            close().map_err(|error| sqlite_error(path, error))
        })
    }

    /// Writes down that a reorganisation gave the nonce of a settled transaction back, so that it is sent again.
    ///
    /// # Errors
    ///
    /// [`JournalError::NonceTaken`] while a proof holds the nonce.
    pub fn reopen_side(&mut self, nonce: u64) -> Result<(), JournalError> {
        self.write(true, |connection, path| {
            let sql = |error| sqlite_error(path, error);
            check_nonce(connection, None, nonce).map_err(sql)??;
            connection
                .execute("UPDATE side_transaction SET open = 1, mined = 0, paid = NULL WHERE nonce = ?1", [nonce])
                .map_err(sql)?;
            Ok(())
        })
    }

    /// The owner of the transaction that was mined with this nonce, as far as the journal knows.
    pub fn settled_holder(&self, nonce: u64) -> Result<Option<Holder>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let item = self
                .connection
                .prepare_cached(
                    "SELECT item FROM proof_transaction JOIN item ON item.id = item
                     WHERE nonce = ?1 AND proof_transaction.hash = mined_tx AND open = 0 AND state = 'final'",
                )?
                .query_row([nonce], |row| row.get(0).map(ItemId))
                .optional()?;
            let mut side =
                self.connection.prepare_cached("SELECT 1 FROM side_transaction WHERE nonce = ?1 AND mined = 1")?;
            Ok(match item {
                Some(item) => Some(Holder::Item(item)),
                None => side.exists([nonce])?.then_some(Holder::Side),
            })
        };
        read().map_err(|error| self.error(error))
    }
}

fn insert(connection: &Connection, purpose: Purpose, signed: &SignedTransaction, now_ms: u64) -> rusqlite::Result<()> {
    let (purpose, chain, height) = purpose.columns();
    let SignedTransaction { hash, nonce, raw, max_fee, priority_fee } = signed;
    connection
        .prepare_cached(
            "INSERT INTO side_transaction (hash, purpose, chain, height, nonce, raw, max_fee, priority_fee, signed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            hash.as_slice(),
            purpose,
            chain,
            height,
            nonce,
            raw.as_ref(),
            max_fee.to_string(),
            priority_fee.to_string(),
            now_ms
        ])?;
    Ok(())
}
