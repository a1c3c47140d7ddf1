//! Rows in memory: batches of about the same size, whatever the pieces were.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use refiner_text::UntrustedText;

use crate::{ARROW_BATCH_BYTES, ARROW_BATCH_ROWS, Batch, Layout, TableError};

/// Rows that wait until there are enough for a batch.
#[derive(Debug)]
pub struct Arrays {
    schema: SchemaRef,
    /// Positions of the columns that are kept; all without it.
    selected: Option<Vec<usize>>,
    waiting: Vec<RecordBatch>,
    rows: usize,
    source_bytes: usize,
}

/// A column that a table does not have.
#[derive(Debug, thiserror::Error)]
#[error("no column {name}; there are: {}", .layout.names().collect::<Vec<_>>().join(", "))]
pub struct NoColumn {
    name: UntrustedText,
    layout: Layout,
}

impl Arrays {
    /// Every column of a layout.
    pub fn of(layout: &Layout) -> Self {
        Self::of_schema(layout.inner.schema.clone())
    }

    /// Some columns of a layout, in the order that is given. The others are read, checked and dropped.
    ///
    /// # Errors
    ///
    /// The layout has no column of a name.
    pub fn of_columns(layout: &Layout, names: &[String]) -> Result<Self, NoColumn> {
        let schema = &layout.inner.schema;
        let position = |name: &String| {
            schema.index_of(name).map_err(|_| NoColumn { name: UntrustedText::new(name), layout: layout.clone() })
        };
        let selected: Vec<_> = names.iter().map(position).collect::<Result<_, _>>()?;
        let fields: Vec<_> = selected.iter().map(|position| schema.fields()[*position].clone()).collect();
        let schema = arrow_schema::Schema::new_with_metadata(fields, schema.metadata.clone());
        Ok(Self { selected: Some(selected), ..Self::of_schema(schema.into()) })
    }

    pub(crate) fn of_schema(schema: SchemaRef) -> Self {
        Self { schema, selected: None, waiting: Vec::new(), rows: 0, source_bytes: 0 }
    }

    /// The schema of the batches.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes rows, and gives a batch where there are enough for one.
    ///
    /// # Errors
    ///
    /// The batch cannot be made: positions in a column of text have 31 bits.
    pub fn append(&mut self, batch: &Batch) -> Result<Option<RecordBatch>, TableError> {
        self.gather(batch).map_err(TableError::Arrow)
    }

    /// The rows that wait for more.
    ///
    /// # Errors
    ///
    /// Those of [`Arrays::append`].
    pub fn rest(&mut self) -> Result<Option<RecordBatch>, TableError> {
        self.take().map_err(TableError::Arrow)
    }

    pub(crate) fn gather(&mut self, batch: &Batch) -> Result<Option<RecordBatch>, ArrowError> {
        if batch.rows() == 0 {
            return Ok(None);
        }
        self.waiting.push(match &self.selected {
            Some(selected) => batch.arrays.project(selected)?,
            None => batch.arrays.clone(),
        });
        self.rows += batch.arrays.num_rows();
        self.source_bytes += batch.source_bytes;
        if self.rows >= ARROW_BATCH_ROWS || self.source_bytes >= ARROW_BATCH_BYTES { self.take() } else { Ok(None) }
    }

    pub(crate) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        (self.rows, self.source_bytes) = (0, 0);
        match waiting.len() {
            0 | 1 => Ok(waiting.pop()),
            _ => concat_batches(&self.schema, &waiting).map(Some),
        }
    }
}
