//! Arrow files and streams: batches of about the same size, whatever the pieces were.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};

use crate::{Arrays, Batch, sink::Sink};

/// A file or a stream.
pub(crate) enum Messages<W: Write> {
    File(FileWriter<Sink<W>>),
    Stream(StreamWriter<Sink<W>>),
}

/// An Arrow file or stream whose batches are gathered first.
pub(crate) struct Gathered<W: Write> {
    arrays: Arrays,
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
        Ok(Self { arrays: Arrays::of_schema(schema), out })
    }

    pub(crate) fn stream(schema: SchemaRef, sink: Sink<W>) -> Result<Self, ArrowError> {
        let out = Messages::Stream(StreamWriter::try_new(sink, &schema)?);
        Ok(Self { arrays: Arrays::of_schema(schema), out })
    }

    pub(crate) fn append(&mut self, batch: &Batch) -> Result<(), ArrowError> {
        self.arrays.gather(batch)?.map_or(Ok(()), |complete| self.out.write(&complete))
    }

    pub(crate) fn finish(mut self) -> Result<Sink<W>, ArrowError> {
        if let Some(rest) = self.arrays.take()? {
            self.out.write(&rest)?;
        }
        self.out.into_inner()
    }
}
