//! Tables that could not be made.

use std::io;

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use refiner_rows::RowError;
use refiner_text::UntrustedText;

use crate::PIECE_BYTES_MAX;

/// Reasons for which there is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A row that does not fit its columns.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A number that has no place in the form that was chosen.
    #[error("row {row}, column {name}: expected at most 38 decimal digits, found {found}")]
    MoreDigits {
        /// Number of the row among those that were appended together, counted from 1.
        row: u64,
        /// Name of the column.
        name: Box<str>,
        /// The number.
        found: UntrustedText,
    },
    /// More rows than are appended at once.
    #[error("{bytes} bytes of rows at once, and {PIECE_BYTES_MAX} are the most")]
    TooLarge {
        /// Length of the rows in bytes.
        bytes: usize,
    },
    /// The receiver of the bytes did not take them.
    #[error("the table cannot be written")]
    Write(#[source] io::Error),
    /// The library of Arrow refused what it was given.
    #[error("the Arrow encoder refused the rows")]
    Arrow(#[source] ArrowError),
    /// The library of Parquet did.
    #[error("the Parquet encoder refused the rows")]
    Parquet(#[source] ParquetError),
}
