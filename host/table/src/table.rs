//! A table that is being written.

use std::io::Write;

use parquet::arrow::ArrowWriter;

use crate::{
    Batch, Format, Layout, TableError, csv,
    ipc::Gathered,
    parquet as parquet_file,
    sink::{Failure, Sink},
};

/// A table that is being written. It is complete when [`Table::finish`] has returned.
pub struct Table<W: Write + Send> {
    layout: Layout,
    failure: Failure,
    rows: u64,
    writer: Writer<W>,
}

enum Writer<W: Write + Send> {
    Parquet(Box<ArrowWriter<Sink<W>>>),
    Csv(Sink<W>),
    Arrow(Box<Gathered<W>>),
}

/// A table that is complete.
#[derive(Debug)]
pub struct Finished<W> {
    /// The receiver of its bytes, which was flushed.
    pub sink: W,
    /// The number of its rows.
    pub rows: u64,
}

impl<W: Write + Send> Table<W> {
    /// Begins a table. Bytes are written in pieces of any size: a sink that is a file wants a buffer.
    ///
    /// # Errors
    ///
    /// [`TableError::Write`] where the sink does not take what a file begins with.
    pub fn begin(format: Format, layout: &Layout, sink: W) -> Result<Self, TableError> {
        let (mut sink, failure) = Sink::new(sink);
        let schema = layout.inner.schema.clone();
        let arrow = |error| failure.or(TableError::Arrow(error));
        let writer = match format {
            Format::Parquet => {
                Writer::Parquet(Box::new(parquet_file::begin(layout, sink).map_err(|error| failure.or(error))?))
            }
            Format::Csv => {
                csv::names(&schema, &mut sink).map_err(|error| failure.or(TableError::Write(error)))?;
                Writer::Csv(sink)
            }
            Format::ArrowFile => Writer::Arrow(Box::new(Gathered::file(schema, sink).map_err(arrow)?)),
            Format::ArrowStream => Writer::Arrow(Box::new(Gathered::stream(schema, sink).map_err(arrow)?)),
        };
        Ok(Self { layout: layout.clone(), failure, rows: 0, writer })
    }

    /// Appends the rows of one artifact: all of them, or none where one does not fit. Gives their number.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::batch`], after which the table is as before, and those of [`Table::append`].
    pub fn append_ndjson(&mut self, ndjson: &[u8]) -> Result<u64, TableError> {
        let batch = self.layout.batch(ndjson)?;
        self.append(&batch)?;
        Ok(batch.rows())
    }

    /// Appends rows of this table's layout.
    ///
    /// # Errors
    ///
    /// [`TableError::Write`], after which the table is of no use.
    pub fn append(&mut self, batch: &Batch) -> Result<(), TableError> {
        let failure = &self.failure;
        match &mut self.writer {
            Writer::Parquet(writer) => {
                writer.write(&batch.arrays).map_err(|error| failure.or(TableError::Parquet(error)))?;
            }
            Writer::Csv(sink) => {
                csv::rows(&batch.arrays, sink).map_err(|error| failure.or(TableError::Write(error)))?;
            }
            Writer::Arrow(writer) => {
                writer.append(batch).map_err(|error| failure.or(TableError::Arrow(error)))?;
            }
        }
        self.rows += batch.rows();
        Ok(())
    }

    /// Number of rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what a file ends with, and flushes the sink.
    ///
    /// # Errors
    ///
    /// [`TableError::Write`].
    pub fn finish(self) -> Result<Finished<W>, TableError> {
        let Self { failure, rows, writer, .. } = self;
        let mut sink = match writer {
            Writer::Parquet(writer) => writer.into_inner().map_err(|error| failure.or(TableError::Parquet(error)))?,
            Writer::Csv(sink) => sink,
            Writer::Arrow(writer) => writer.finish().map_err(|error| failure.or(TableError::Arrow(error)))?,
        };
        sink.flush().map_err(|error| failure.or(TableError::Write(error)))?;
        Ok(Finished { sink: sink.into_inner(), rows })
    }
}
