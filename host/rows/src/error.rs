//! Rows that do not fit their columns.

use std::fmt;

use refiner_manifest::ColumnType;
use refiner_text::UntrustedText;

use crate::JSON_NESTING_MAX;

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
    /// A whole number, in digits.
    Number(UntrustedText),
    /// A number with a fraction or an exponent, whose digits are not kept.
    Fraction,
    /// A number above 64 bits, whose digits are not kept.
    Large,
    /// A number beyond a double, whose digits are not kept.
    OutOfRange,
    /// Text, shortened.
    Text(UntrustedText),
    /// An array.
    Array,
    /// An object.
    Object,
    /// More arrays and objects inside each other than readers of tables take.
    DeepNesting,
    /// Half of a pair of UTF-16, which no text has.
    LoneSurrogate(u16),
}

impl Found {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(quoted(text))
    }

    /// A number that was read as a double, because it is no whole one of 64 bits.
    pub(crate) fn double(number: f64) -> Self {
        // 2^64; between -2^63 and this, every whole number without an exponent is read as one, but for -0.
        const WHOLE_END: f64 = 18_446_744_073_709_551_616.0;
        if number == 0.0 && number.is_sign_negative() {
            Self::number("-0")
        } else if number >= WHOLE_END || number <= -WHOLE_END / 2.0 {
            Self::Large
        } else {
            Self::Fraction
        }
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
            Self::Fraction => f.write_str("a number with a fraction or an exponent"),
            Self::Large => f.write_str("a number above 64 bits, which is written as text"),
            Self::OutOfRange => f.write_str("a number out of range, above 10^308"),
            Self::Text(text) => write!(f, "the text \"{text}\""),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
            Self::DeepNesting => write!(f, "more than {JSON_NESTING_MAX} arrays and objects inside each other"),
            Self::LoneSurrogate(unit) => write!(f, "a text with the lone surrogate \\u{unit:04x}"),
        }
    }
}
