//! Choices that decide the bytes of a table.

use std::fmt;

/// Choices that decide the bytes of a table, beside columns and format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The form of numbers of 256 bits.
    pub wide: WideNumbers,
    /// Names and values kept in a Parquet or Arrow file beside its rows, in this order: the identity of a rule, for instance.
    pub metadata: Vec<(String, String)>,
}

/// The form of numbers of 256 bits in a table. Decimals of 256 bits are not among them: DuckDB reads them as doubles, and Polars not
/// at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WideNumbers {
    /// A column of decimal digits, which are exact, and beside it one of doubles, whose name ends with `_f64`.
    #[default]
    Both,
    /// Decimal digits alone.
    Text,
    /// Doubles alone, under the column's own name.
    Double,
    /// Decimals of 38 digits. A number with more is an error.
    Decimal38,
    /// 32 bytes, the most significant first; for `i256` in two's complement.
    Bytes,
}

impl WideNumbers {
    /// Every form.
    pub const ALL: [Self; 5] = [Self::Both, Self::Text, Self::Double, Self::Decimal38, Self::Bytes];

    /// The name of the form, `"decimal38"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "string+f64",
            Self::Text => "string",
            Self::Double => "f64",
            Self::Decimal38 => "decimal38",
            Self::Bytes => "bytes",
        }
    }

    /// The form of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }
}

impl fmt::Display for WideNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
