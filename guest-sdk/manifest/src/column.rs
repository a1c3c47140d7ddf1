//! Columns of an output whose rows are newline-delimited JSON: names, types, and what must hold between them.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::{ManifestError, sql};

/// Most columns of one output. A row reader keeps the columns that it has seen in 128 bits; the widest built-in output has 23.
pub const COLUMNS_MAX: usize = 128;
/// Longest name of a column: what PostgreSQL keeps of an identifier.
pub const COLUMN_NAME_BYTES_MAX: usize = 63;
/// Longest key of a row that a column is read from.
pub const COLUMN_FIELD_BYTES_MAX: usize = 255;
/// End of the name of the column of doubles that goes beside a `u256` or `i256` column in a table.
pub const DOUBLE_SUFFIX: &str = "_f64";

/// A column of an output: one `[[outputs.columns]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in tables: one that SQL takes without quotes.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// True where a row may have null, or no such key.
    #[serde(default)]
    pub nullable: bool,
    /// True for a column that identifies a row, together with the other keys.
    #[serde(default)]
    pub key: bool,
    /// Key in the rule's rows, where it is another than `name`.
    pub field: Option<String>,
    /// Meaning and unit of the values, in one line.
    pub doc: Option<String>,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// One value.
    One(Scalar),
    /// An array of values, `list<T>`. Arrays of arrays there are none.
    List(Scalar),
}

/// The type of one value, and the JSON that a rule writes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A number below 2^8.
    U8,
    /// A number below 2^16.
    U16,
    /// A number below 2^32.
    U32,
    /// A number below 2^64.
    U64,
    /// A number from -2^63 to 2^63 - 1.
    I64,
    /// `true` or `false`.
    Bool,
    /// Text.
    String,
    /// Any number of bytes: text of `0x` and two lower-case digits a byte.
    Bytes,
    /// 20 bytes, written as `bytes` is.
    Address,
    /// 32 bytes, written as `bytes` is.
    Hash,
    /// A number below 2^256: a number below 2^64, or text of decimal digits or of `0x` and hexadecimal digits.
    U256,
    /// A number from -2^255 to 2^255 - 1: a number of 64 bits, or text of decimal digits.
    I256,
    /// A point in time: a number of seconds since 1970.
    Time,
    /// Any JSON, kept as text.
    Json,
}

impl Column {
    /// The key of a row that its value stands under.
    pub fn field(&self) -> &str {
        self.field.as_deref().unwrap_or(&self.name)
    }
}

impl Scalar {
    /// Every type, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I64,
        Self::Bool,
        Self::String,
        Self::Bytes,
        Self::Address,
        Self::Hash,
        Self::U256,
        Self::I256,
        Self::Time,
        Self::Json,
    ];

    /// The name of the type, `"u256"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Address => "address",
            Self::Hash => "hash",
            Self::U256 => "u256",
            Self::I256 => "i256",
            Self::Time => "time",
            Self::Json => "json",
        }
    }

    /// True for numbers that no machine word holds.
    pub const fn is_wide(self) -> bool {
        matches!(self, Self::U256 | Self::I256)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scalar| scalar.as_str() == name)
    }
}

impl ColumnType {
    /// The type with this name, `"u64"` or `"list<address>"`.
    pub fn named(name: &str) -> Option<Self> {
        match name.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            Some(item) => Scalar::named(item).map(Self::List),
            None => Scalar::named(name).map(Self::One),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(scalar) => scalar.fmt(f),
            Self::List(item) => f.pad(&format!("list<{item}>")),
        }
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let names = Scalar::ALL.map(Scalar::as_str).join(", ");
            de::Error::custom(format_args!("{name:?} is no type of a column; there are {names}, and list<T> of each"))
        })
    }
}

/// Checks the columns of one output with this media type.
pub(crate) fn check(output: &str, media_type: &str, columns: &[Column]) -> Result<(), ManifestError> {
    let fault = |column: &str, fault| {
        Err(ManifestError::Column { output: output.to_owned(), column: column.to_owned(), fault })
    };
    let Some(first) = columns.first() else {
        return Ok(());
    };
    if media_type != NDJSON {
        return fault(&first.name, ColumnFault::NotRows);
    }
    if columns.len() > COLUMNS_MAX {
        let (field, found) = ("outputs.columns", columns.len());
        return Err(ManifestError::TooMany { field, found, allowed: COLUMNS_MAX });
    }
    for (position, column) in columns.iter().enumerate() {
        if let Some(found) = column_fault(column, &columns[..position]) {
            return fault(&column.name, found);
        }
    }
    let doubles = columns.iter().filter(|column| matches!(column.kind, ColumnType::One(scalar) if scalar.is_wide()));
    for wide in doubles {
        let double = format!("{}{DOUBLE_SUFFIX}", wide.name);
        if columns.iter().any(|column| column.name == double) {
            return fault(&double, ColumnFault::NameOfDoubles { name: wide.name.clone() });
        }
    }
    Ok(())
}

/// The media type of outputs that can have columns.
const NDJSON: &str = "application/x-ndjson";

fn column_fault(column: &Column, earlier: &[Column]) -> Option<ColumnFault> {
    let Column { name, kind, nullable: _, key, field, doc } = column;
    let field = field.as_deref().unwrap_or(name);
    if !sql::is_plain_name(name) {
        return Some(ColumnFault::Name);
    }
    if sql::is_reserved_word(name) {
        return Some(ColumnFault::Reserved);
    }
    if field.is_empty() || field.len() > COLUMN_FIELD_BYTES_MAX || field.chars().any(char::is_control) {
        return Some(ColumnFault::Field);
    }
    if doc.as_deref().is_some_and(|doc| !crate::label::is_note(doc)) {
        return Some(ColumnFault::Doc);
    }
    if *key && matches!(kind, ColumnType::List(_) | ColumnType::One(Scalar::Json)) {
        return Some(ColumnFault::TypeOfKey);
    }
    if earlier.iter().any(|other| other.name == *name) {
        return Some(ColumnFault::NameTwice);
    }
    earlier.iter().any(|other| other.field() == field).then_some(ColumnFault::FieldTwice)
}

/// A fault of one column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnFault {
    /// A name of other characters.
    #[error(
        "SQL takes this name only in quotes; expected 1 to {COLUMN_NAME_BYTES_MAX} characters of a-z, 0-9 and '_', starting with a letter"
    )]
    Name,
    /// A name that SQL keeps for itself.
    #[error("the name is a reserved word of SQL; take another, such as from_address for from")]
    Reserved,
    /// Two columns of one name.
    #[error("the name is there twice")]
    NameTwice,
    /// A name that tables give to the doubles of another column.
    #[error("the doubles of the u256 or i256 column {name:?} have this name in tables; take another")]
    NameOfDoubles {
        /// Name of the other column.
        name: String,
    },
    /// A key of rows that is none.
    #[error("field is not a key of 1 to {COLUMN_FIELD_BYTES_MAX} bytes without control characters")]
    Field,
    /// Two columns that are read from one key.
    #[error("another column is read from the same key of a row")]
    FieldTwice,
    /// A description of several lines or none.
    #[error("doc is not a line of 1 to 1,024 bytes")]
    Doc,
    /// A key that cannot be compared.
    #[error("a key has a value that can be compared, no list and no json")]
    TypeOfKey,
    /// Columns of what has no rows.
    #[error("only outputs with the media type {NDJSON} have rows and columns")]
    NotRows,
}
