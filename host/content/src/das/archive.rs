//! The entries of an archive as its bytes come.

use bytes::{Buf, Bytes, BytesMut};

use super::NODE_BYTES_MAX;
use crate::{
    CarError, ContentId,
    car::{HEADER_BYTES_MAX, read_header},
    varint,
};

/// Longest number that can be the length of an entry.
const LENGTH_BYTES_MAX: usize = 10;
/// Room for the id before a block.
const ID_BYTES_MAX: usize = 64;

/// A reader of an archive of DAS blocks, which holds no more of it than one entry and what was pushed last.
#[derive(Debug, Default)]
pub(crate) struct ArchiveReader {
    buffer: BytesMut,
    /// Bytes of the entries that were read.
    at: usize,
}

impl ArchiveReader {
    /// Adds bytes to the end.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next block, when all of it came. It is not checked against its id.
    pub(crate) fn next(&mut self) -> Result<Option<(ContentId, Bytes)>, CarError> {
        if self.at == 0 {
            match self.entry(HEADER_BYTES_MAX)? {
                Some(header) => read_header(&header)?,
                None => return Ok(None),
            }
        }
        let at = self.at;
        let Some(entry) = self.entry(NODE_BYTES_MAX + ID_BYTES_MAX)? else { return Ok(None) };
        let mut block = &entry[..];
        let id = ContentId::read(&mut block).map_err(|source| CarError::Id { at, source })?;
        Ok(Some((id, entry.slice_ref(block))))
    }

    /// Ends the archive, which must not end within an entry.
    pub(crate) fn end(&self) -> Result<(), CarError> {
        if self.buffer.is_empty() { Ok(()) } else { Err(CarError::Truncated { at: self.at }) }
    }

    fn entry(&mut self, limit: usize) -> Result<Option<Bytes>, CarError> {
        let mut ahead = &self.buffer[..];
        let Some(stated) = varint::read(&mut ahead) else {
            let is_whole = self.buffer.len() >= LENGTH_BYTES_MAX;
            return if is_whole { Err(CarError::Truncated { at: self.at }) } else { Ok(None) };
        };
        let length = usize::try_from(stated).unwrap_or(usize::MAX);
        if length > limit {
            return Err(if self.at == 0 {
                CarError::Header
            } else {
                CarError::BlockTooLarge { bytes: stated, limit_bytes: limit }
            });
        }
        if ahead.len() < length {
            return Ok(None);
        }
        let before = self.buffer.len() - ahead.len();
        self.buffer.advance(before);
        self.at += before + length;
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}
