//! Rows that do not fit their columns.

use std::fmt;

use refiner_manifest::ColumnType;
use refiner_text::UntrustedText;

/// Bytes of a text in a row that an error quotes.
const QUOTED_BYTES: usize = 64;

/// The first row that does not fit its columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}{fault}")]
pub struct RowError {
    /// Number of the row, counted from 1.
    pub row: u64,
    /// The fault of the row.
    pub fault: RowFault,
}

/// A fault of a row. Its text goes on after the row's number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// A line that is something else.
    #[error(": expected one JSON object, and there is none from byte {byte} of the line on")]
    NotAnObject {
        /// Position of the fault in the line, counted from 1.
        byte: usize,
    },
    /// A value that is not of its column's type.
    #[error(", key \"{key}\": expected {expected}{}, found {found}", if *nullable { " or null" } else { "" })]
    Misfit {
        /// Key of the value.
        key: UntrustedText,
        /// The type of the column.
        expected: ColumnType,
        /// Whether null fits as well.
        nullable: bool,
        /// The value in the row.
        found: Found,
    },
    /// A column without a value.
    #[error(", key \"{key}\": expected {expected}, and the row has no such key")]
    Missing {
        /// Key of the column.
        key: UntrustedText,
        /// The type of the column.
        expected: ColumnType,
    },
    /// A value without a column.
    #[error(", key \"{key}\": no column is read from it")]
    Unknown {
        /// Key of the value.
        key: UntrustedText,
    },
    /// A key that is there twice.
    #[error(", key \"{key}\": it is there twice")]
    Twice {
        /// Key of both values.
        key: UntrustedText,
    },
}

/// A value as it was found, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, in digits.
    Number(UntrustedText),
    /// Text, shortened.
    Text(UntrustedText),
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Found {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(quoted(text))
    }

    pub(crate) fn number(number: impl fmt::Display) -> Self {
        Self::Number(quoted(&number.to_string()))
    }
}

/// Text of a row, short enough to be shown.
pub(crate) fn quoted(text: &str) -> UntrustedText {
    UntrustedText::at_most(text, QUOTED_BYTES)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Text(text) => write!(f, "the text \"{text}\""),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}
