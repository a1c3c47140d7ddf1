//! Arrow files and streams: batches of about the same size, whatever the pieces were.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::{ARROW_BATCH_BYTES, ARROW_BATCH_ROWS, Batch, sink::Sink};

/// A file or a stream.
pub(crate) enum Messages<W: Write> {
    File(FileWriter<Sink<W>>),
    Stream(StreamWriter<Sink<W>>),
}

/// Rows that wait until there are enough for a batch.
pub(crate) struct Gathered<W: Write> {
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    rows: usize,
    source_bytes: usize,
    out: Messages<W>,
}

impl<W: Write> Messages<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Self::File(writer) => writer.write(batch),
            Self::Stream(writer) => writer.write(batch),
        }
    }

    fn into_inner(self) -> Result<Sink<W>, ArrowError> {
        match self {
            Self::File(writer) => writer.into_inner(),
            Self::Stream(writer) => writer.into_inner(),
        }
    }
}

impl<W: Write> Gathered<W> {
    pub(crate) fn file(schema: SchemaRef, sink: Sink<W>) -> Result<Self, ArrowError> {
        let out = Messages::File(FileWriter::try_new(sink, &schema)?);
        Ok(Self { schema, waiting: Vec::new(), rows: 0, source_bytes: 0, out })
    }

    pub(crate) fn stream(schema: SchemaRef, sink: Sink<W>) -> Result<Self, ArrowError> {
        let out = Messages::Stream(StreamWriter::try_new(sink, &schema)?);
        Ok(Self { schema, waiting: Vec::new(), rows: 0, source_bytes: 0, out })
    }

    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), ArrowError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.waiting.push(batch.arrays.clone());
        self.rows += batch.arrays.num_rows();
        self.source_bytes += batch.source_bytes;
        if self.rows >= ARROW_BATCH_ROWS || self.source_bytes >= ARROW_BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Sink<W>, ArrowError> {
        self.write()?;
        self.out.into_inner()
    }

    fn write(&mut self) -> Result<(), ArrowError> {
        let waiting = std::mem::take(&mut self.waiting);
        (self.rows, self.source_bytes) = (0, 0);
        match waiting.as_slice() {
            [] => Ok(()),
            [one] => self.out.write(one),
            several => self.out.write(&concat_batches(&self.schema, several)?),
        }
    }
}
