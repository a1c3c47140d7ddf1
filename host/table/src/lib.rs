//! Rows of rules as tables: Parquet, CSV and Arrow files, with every digit right.
//!
//! ```
//! use refiner_manifest::{Column, ColumnType, Scalar};
//! use refiner_table::{Format, Layout, Options, Table};
//!
//! let kind = ColumnType::One(Scalar::U256);
//! let amount = Column { name: "amount".into(), kind, nullable: false, key: false, field: None, doc: None };
//! let layout = Layout::new(&[amount], Options::default());
//! let mut table = Table::begin(Format::Csv, &layout, Vec::new())?;
//! table.append_ndjson(b"{\"amount\":\"36893488147419103232\"}\n")?;
//! let done = table.finish()?;
//! assert_eq!(done.sink, b"amount,amount_f64\n36893488147419103232,3.6893488147419103e19\n");
//! # Ok::<(), refiner_table::TableError>(())
//! ```
//!
//! * **Inputs**: the columns of an output, the rows that a rule wrote as newline-delimited JSON, and choices for numbers of 256 bits.
//! * **Outputs**: the bytes of one file, which is complete without rows too; or a [`TableError`] that names the row and the column.
//! * **Invariants**: the same columns, choices and rows, in the same pieces, give the same bytes; memory is bounded by one piece and
//!   one row group. Opens no file, and knows neither rules nor specimens.

mod arrays;
mod batch;
mod cells;
mod csv;
mod error;
mod format;
mod ipc;
mod layout;
mod names;
mod number;
mod options;
mod parquet;
mod sink;
mod table;

pub use arrays::{Arrays, NoColumn};
pub use batch::Batch;
pub use error::TableError;
pub use format::Format;
pub use layout::Layout;
pub use names::table_names;
pub use options::{Options, WideNumbers};
pub use table::{Finished, Table};

/// Most rows of a row group: a reader that looks for one row reads no more.
pub const ROW_GROUP_ROWS_MAX: usize = 128 << 10;
/// Most bytes of a row group before it is written, as it stands in memory.
pub const ROW_GROUP_BYTES_MAX: usize = 128 << 20;
/// Rows after which a batch of an Arrow file is written: many small ones make it slow to open.
pub const ARROW_BATCH_ROWS: usize = 64 << 10;
/// Bytes of rows, as the rule wrote them, after which it is written too.
pub const ARROW_BATCH_BYTES: usize = 64 << 20;
/// Most bytes of rows that are appended at once: positions in a column of text have 31 bits.
pub const PIECE_BYTES_MAX: usize = i32::MAX as usize;
