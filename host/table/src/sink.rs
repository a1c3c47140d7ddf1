//! The receiver of a table's bytes.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use crate::TableError;

/// A receiver that remembers its first error: the encoders hand it on as text of theirs.
#[derive(Debug)]
pub(crate) struct Sink<W> {
    inner: W,
    failure: Failure,
}

/// The first error of a receiver. Shared with the encoder that owns it; one thread uses both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<io::Error>>>);

impl<W> Sink<W> {
    pub(crate) fn new(inner: W) -> (Self, Failure) {
        let failure = Failure::default();
        (Self { inner, failure: failure.clone() }, failure)
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }
}

impl Failure {
    /// The receiver's error, or else the encoder's.
    pub(crate) fn or(&self, otherwise: TableError) -> TableError {
        let error = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or(otherwise, TableError::Write)
    }

    fn keep(&self, error: io::Error) -> io::Error {
        let copy = io::Error::from(error.kind());
        if error.kind() != io::ErrorKind::Interrupted {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        copy
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes).map_err(|error| self.failure.keep(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(|error| self.failure.keep(error))
    }
}
