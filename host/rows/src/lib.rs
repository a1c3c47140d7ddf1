//! Rows of newline-delimited JSON, checked by the columns that a rule's manifest names.
//!
//! ```
//! use refiner_manifest::{Column, ColumnType, Scalar};
//! use refiner_rows::RowReader;
//!
//! let kind = ColumnType::One(Scalar::U256);
//! let amount = Column { name: "amount".into(), kind, nullable: false, key: false, field: None, doc: None };
//! let reader = RowReader::new(&[amount]);
//! assert_eq!(reader.check(b"{\"amount\":\"17\"}\n{\"amount\":0}\n"), Ok(2));
//! let error = reader.check(b"{\"amount\":\"17\"}\n{\"amount\":-1}\n").unwrap_err();
//! assert_eq!(error.to_string(), "row 2, key \"amount\": expected u256, found the number -1");
//! ```
//!
//! * **Inputs**: the columns of an output, and the bytes that a rule wrote under its name.
//! * **Outputs**: each value in the order of its row, or a [`RowError`] with the number of the first row that does not fit; a JSON
//!   Schema of the rows. [`RowCollector`] is the port by which a run hands its rows to a reader that keeps them.
//! * **Invariants**: an answer follows from columns and bytes alone, so that it is the same on every machine; time and memory are
//!   linear in the bytes, whatever is in them. Knows neither files nor formats of tables.

mod error;
mod reader;
mod schema;
mod value;
mod wide;

pub use error::{Found, RowError, RowFault};
pub use reader::{RowCollector, RowReader, RowSink};
pub use schema::{described, json_schema};
pub use value::Value;

/// The last second of the year 9999, which is as far as readers of tables count.
pub const TIME_SECONDS_MAX: u64 = 253_402_300_799;

/// Arrays and objects inside each other in a value of a `json` column: what recursive readers of JSON take at least.
pub const JSON_NESTING_MAX: usize = 128;
