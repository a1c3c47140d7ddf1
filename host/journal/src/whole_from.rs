//! The nonce from which on the journal has every transaction.

use rusqlite::{Connection, params};

use crate::ItemId;

/// Name of the fact that holds the nonce from which on the journal has every transaction that was signed with it. Written when the
/// journal is bound, and raised when items are dropped with their transactions.
pub(crate) const WHOLE_FROM: &str = "nonces-whole-from";

/// Takes what the journal holds as the beginning, where that is not written down: earlier nonces may have been dropped, or be of
/// `another` operator.
pub(crate) fn begin_whole(connection: &Connection, another: bool) -> rusqlite::Result<()> {
    let conflict = if another { "DO UPDATE SET value = excluded.value" } else { "DO NOTHING" };
    let write = format!(
        "INSERT INTO fact (name, value) SELECT ?1, CAST(coalesce(max(nonce) + 1, 0) AS TEXT) FROM
         (SELECT nonce FROM proof_transaction UNION ALL SELECT nonce FROM side_transaction) WHERE true ON CONFLICT {conflict}"
    );
    connection.execute(&write, [WHOLE_FROM]).map(drop)
}

/// Takes note that an item's transactions are dropped.
pub(crate) fn drop_nonces(connection: &Connection, item: ItemId) -> rusqlite::Result<()> {
    let mut raise = connection.prepare_cached(
        "UPDATE fact SET value = CAST(dropped.next AS TEXT)
         FROM (SELECT max(nonce) + 1 AS next FROM proof_transaction WHERE item = ?2) AS dropped
         WHERE name = ?1 AND CAST(value AS INTEGER) < dropped.next",
    )?;
    raise.execute(params![WHOLE_FROM, item.0]).map(drop)
}
