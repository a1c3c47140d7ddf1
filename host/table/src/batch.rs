//! Rows of one piece, as arrays.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use refiner_manifest::{ColumnType, Scalar};
use refiner_rows::{RowSink, Value};
use refiner_text::UntrustedText;

use crate::{
    Layout, PIECE_BYTES_MAX, TableError, WideNumbers,
    cells::{Cells, MoreDigits, Room},
    layout::{has_doubles, item_field},
};

/// Rows that fit a [`Layout`].
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) arrays: RecordBatch,
    /// Length of the rows as the rule wrote them.
    pub(crate) source_bytes: usize,
}

impl Batch {
    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.arrays.num_rows() as u64
    }

    /// The arrays, for who takes Arrow data in memory.
    pub const fn arrays(&self) -> &RecordBatch {
        &self.arrays
    }
}

impl Layout {
    /// The rows in these bytes, ready to be [appended](crate::Table::append) by another thread.
    ///
    /// # Errors
    ///
    /// [`TableError::Row`] and [`TableError::MoreDigits`] with the first row that does not fit, [`TableError::TooLarge`].
    pub fn batch(&self, ndjson: &[u8]) -> Result<Batch, TableError> {
        read(self, ndjson)
    }

    /// True for rows that have more cells than bytes: their keys are missing, and nulls stand in a batch instead. The time of a batch is
    /// not in proportion to such bytes.
    pub fn is_sparse(&self, ndjson: &[u8]) -> bool {
        rows_at_most(ndjson).saturating_mul(self.inner.schema.fields().len()) > ndjson.len()
    }
}

/// Rows that there are, if each fits: the last may lack its end.
fn rows_at_most(ndjson: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', ndjson).count() + 1
}

fn read(layout: &Layout, ndjson: &[u8]) -> Result<Batch, TableError> {
    if ndjson.len() > PIECE_BYTES_MAX {
        return Err(TableError::TooLarge { bytes: ndjson.len() });
    }
    let mut columns = Columns::of(layout, Room { rows: rows_at_most(ndjson), source_bytes: ndjson.len() });
    let rows = layout.inner.reader.read(ndjson, &mut columns)?;
    if let Some((row, column, found)) = columns.more_digits {
        let name = layout.inner.columns[column].name.as_str().into();
        return Err(TableError::MoreDigits { row, name, found });
    }
    let arrays: Vec<_> = columns.columns.iter_mut().flat_map(ColumnCells::finish).collect();
    let options = RecordBatchOptions::new().with_row_count(usize::try_from(rows).ok());
    let schema = Arc::clone(&layout.inner.schema);
    let arrays = RecordBatch::try_new_with_options(schema, arrays, &options).map_err(TableError::Arrow)?;
    Ok(Batch { arrays, source_bytes: ndjson.len() })
}

/// Every column of the rule, and the first number that has too many digits.
struct Columns {
    columns: Vec<ColumnCells>,
    row: u64,
    more_digits: Option<(u64, usize, UntrustedText)>,
}

enum ColumnCells {
    One { cells: Cells, doubles: Option<Cells> },
    List { items: Cells, item: Scalar, wide: WideNumbers, count: usize, lengths: Vec<usize>, valid: Vec<bool> },
}

impl Columns {
    fn of(layout: &Layout, room: Room) -> Self {
        let wide = layout.inner.options.wide;
        let room = Room { source_bytes: 2 * room.source_bytes / layout.inner.columns.len().max(1), ..room };
        let columns = layout.inner.columns.iter().map(|column| match column.kind {
            ColumnType::One(scalar) => {
                let doubles = has_doubles(column, wide).then(|| Cells::doubles(room));
                ColumnCells::One { cells: Cells::new(scalar, wide, room), doubles }
            }
            ColumnType::List(item) => {
                let items = Cells::new(item, wide, room);
                ColumnCells::List { items, item, wide, count: 0, lengths: Vec::new(), valid: Vec::new() }
            }
        });
        Self { columns: columns.collect(), row: 1, more_digits: None }
    }

    fn note(&mut self, column: usize, value: Value<'_>, pushed: Result<(), MoreDigits>) {
        if let (Err(MoreDigits), Value::Text(digits), None) = (pushed, value, &self.more_digits) {
            self.more_digits = Some((self.row, column, UntrustedText::new(digits)));
        }
    }
}

impl RowSink for Columns {
    fn value(&mut self, column: usize, value: Value<'_>) {
        let pushed = match &mut self.columns[column] {
            ColumnCells::One { cells, doubles } => {
                let pushed = cells.push(value);
                doubles.as_mut().map_or(pushed, |doubles| doubles.push(value))
            }
            // Null: a list ends otherwise.
            ColumnCells::List { lengths, valid, .. } => {
                lengths.push(0);
                valid.push(false);
                Ok(())
            }
        };
        self.note(column, value, pushed);
    }

    fn item(&mut self, column: usize, value: Value<'_>) {
        let pushed = match &mut self.columns[column] {
            ColumnCells::One { .. } => Ok(()),
            ColumnCells::List { items, count, .. } => {
                *count += 1;
                items.push(value)
            }
        };
        self.note(column, value, pushed);
    }

    fn end_list(&mut self, column: usize) {
        if let ColumnCells::List { count, lengths, valid, .. } = &mut self.columns[column] {
            lengths.push(std::mem::take(count));
            valid.push(true);
        }
    }

    fn end_row(&mut self) {
        self.row += 1;
    }
}

impl ColumnCells {
    fn finish(&mut self) -> Vec<ArrayRef> {
        match self {
            Self::One { cells, doubles } => {
                let mut arrays = vec![cells.finish()];
                arrays.extend(doubles.as_mut().map(Cells::finish));
                arrays
            }
            Self::List { items, item, wide, lengths, valid, .. } => {
                let offsets = OffsetBuffer::from_lengths(lengths.drain(..));
                let nulls = NullBuffer::from(std::mem::take(valid));
                let nulls = (nulls.null_count() > 0).then_some(nulls);
                let list = ListArray::new(item_field(*item, *wide), offsets, items.finish(), nulls);
                vec![Arc::new(list)]
            }
        }
    }
}
