//! What was fetched as a whole and is needed again: first for its height, then for its run.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{error::ReadFault, limits::SPOOL_BYTES_MAX};

/// A file without a name, which ends with the program.
#[derive(Debug, Default)]
pub(crate) struct Spool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    end: u64,
}

/// Where something lies in the spool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    offset: u64,
    pub bytes: u64,
}

impl Spool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps bytes.
    pub fn put(&self, bytes: &[u8]) -> Result<Span, ReadFault> {
        let mut state = self.lock();
        let place = Span { offset: state.end, bytes: bytes.len() as u64 };
        let end = state.end.saturating_add(place.bytes);
        if end > SPOOL_BYTES_MAX {
            return Err(ReadFault::SpoolFull);
        }
        if state.file.is_none() {
            state.file = Some(tempfile::tempfile().map_err(ReadFault::Spool)?);
        }
        let file = state.file.as_ref().ok_or_else(|| ReadFault::Spool(io::Error::from(io::ErrorKind::NotFound)))?;
        file.write_all_at(bytes, place.offset).map_err(ReadFault::Spool)?;
        state.end = end;
        Ok(place)
    }

    /// Reads at most `limit` bytes of what was kept.
    pub fn get(&self, place: Span, limit: u64) -> Result<Vec<u8>, ReadFault> {
        let state = self.lock();
        let file = state.file.as_ref().ok_or_else(|| ReadFault::Spool(io::Error::from(io::ErrorKind::NotFound)))?;
        let length =
            usize::try_from(place.bytes.min(limit)).map_err(|error| ReadFault::Spool(io::Error::other(error)))?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, place.offset).map_err(ReadFault::Spool)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_bytes_are_read_again_from_where_they_lie() {
        let spool = Spool::default();
        let places = [&b"first"[..], b"", b"second"].map(|bytes| spool.put(bytes).unwrap());
        assert_eq!(spool.get(places[0], 99).unwrap(), b"first");
        assert_eq!(spool.get(places[1], 99).unwrap(), b"");
        assert_eq!(spool.get(places[2], 3).unwrap(), b"sec");
    }
}
