//! One specimen for one rule, as it stands in the file.

use std::{fmt, str::FromStr};

use alloy_primitives::{B256, Bytes};
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::State;

/// Version of the form that items, artifacts and transactions have in JSON, written beside them as `schemaVersion`.
pub const JSON_SCHEMA_VERSION: u32 = 2;

/// Number of an item, in the order of announcement. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemId(pub(crate) i64);

/// One specimen for one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The number of the item.
    pub id: ItemId,
    /// Chain the specimen is of.
    pub chain: u64,
    /// Number of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// sha256 of the quoted base64 of its bytes.
    pub specimen_hash: B256,
    /// Identity of the rule.
    pub rule: B256,
    /// Name of the rule.
    pub rule_name: String,
    /// Whether the result is proved on chain.
    pub proves: bool,
    /// Block of the proof chain that holds the announcement.
    pub announced_in: u64,
    /// When it was announced to us, milliseconds since 1970.
    pub announced_ms: u64,
    /// State of the item.
    pub state: State,
    /// Since when, milliseconds since 1970.
    pub state_ms: u64,
    /// The reason, for the states that have one.
    pub reason: Option<String>,
    /// Content id of the specimen, once it was fetched.
    pub specimen_cid: Option<String>,
    /// Length of the specimen in bytes.
    pub specimen_bytes: Option<u64>,
    /// Block of the proof chain with the transaction, once mined.
    pub mined_block: Option<u64>,
    /// The transaction that was mined, of those that shared the nonce.
    pub mined_tx: Option<B256>,
    /// Failures since it came to this state.
    pub attempts: u32,
    /// Text of the last failure.
    pub last_error: Option<String>,
    /// When it may be tried again, milliseconds since 1970; 0 for at once.
    pub due_ms: u64,
    /// The basis of its result, `execution` or `receipts`, for a rule that asks for an execution.
    pub basis: Option<String>,
    /// Class of the reason, `noState`, where it has one.
    pub reason_class: Option<String>,
    /// Sources that could not be reached at the last look, one a line, for an item that waits.
    pub awaits: Option<String>,
}

impl Item {
    /// The columns that [`Item::read`] expects, in order.
    pub(crate) const COLUMNS: &'static str = "id, chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in, \
         announced_ms, state, state_ms, reason, specimen_cid, specimen_bytes, mined_block, mined_tx, attempts, last_error, due_ms, basis, reason_class, awaits";

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: ItemId(row.get(0)?),
            chain: row.get(1)?,
            height: row.get(2)?,
            block_hash: hash(row, 3)?,
            specimen_hash: hash(row, 4)?,
            rule: hash(row, 5)?,
            rule_name: row.get(6)?,
            proves: row.get(7)?,
            announced_in: row.get(8)?,
            announced_ms: row.get(9)?,
            state: row.get(10)?,
            state_ms: row.get(11)?,
            reason: row.get(12)?,
            specimen_cid: row.get(13)?,
            specimen_bytes: row.get(14)?,
            mined_block: row.get(15)?,
            mined_tx: row.get::<_, Option<[u8; 32]>>(16)?.map(B256::from),
            attempts: row.get(17)?,
            last_error: row.get(18)?,
            due_ms: row.get(19)?,
            basis: row.get(20)?,
            reason_class: row.get(21)?,
            awaits: row.get(22)?,
        })
    }

    /// The key under which earlier refiners spoke of the specimen: `<chain>_<height>_<block hash>_<specimen hash>`.
    pub fn key(&self) -> String {
        format!("{}_{}_{:x}_{:x}", self.chain, self.height, self.block_hash, self.specimen_hash)
    }
}

/// An artifact that a rule produced; its bytes are in the content store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Name, unique within the run.
    pub name: String,
    /// Media type the rule gave.
    pub media_type: String,
    /// sha256 of the bytes.
    pub sha256: B256,
    /// The number of bytes.
    pub bytes: u64,
    /// Content id of the bytes.
    pub cid: String,
}

/// A transaction that was signed for an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Hash of the transaction.
    pub hash: B256,
    /// Nonce of the transaction.
    pub nonce: u64,
    /// The signed bytes, to be sent as they are.
    pub raw: Bytes,
    /// Wei per gas, at most.
    pub max_fee: u128,
    /// Of it, wei per gas for the block's author.
    pub priority_fee: u128,
    /// When it was signed, milliseconds since 1970.
    pub signed_ms: u64,
    /// Whether the nonce may still be used up by it.
    pub open: bool,
}

impl Transaction {
    /// The columns that [`Transaction::read`] expects, in order.
    pub(crate) const COLUMNS: &'static str = "hash, nonce, raw, max_fee, priority_fee, signed_ms, open";

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            hash: hash(row, 0)?,
            nonce: row.get(1)?,
            raw: row.get::<_, Vec<u8>>(2)?.into(),
            max_fee: decimal(row, 3)?,
            priority_fee: decimal(row, 4)?,
            signed_ms: row.get(5)?,
            open: row.get(6)?,
        })
    }
}

pub(crate) fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<B256> {
    row.get::<_, [u8; 32]>(column).map(B256::from)
}

/// Decimal text, or nothing.
pub(crate) fn optional_decimal(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u128>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => decimal(row, column).map(Some),
    }
}

fn decimal(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_word(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| D::Error::custom(format_args!("unknown state {word:?}")))
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ItemId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
