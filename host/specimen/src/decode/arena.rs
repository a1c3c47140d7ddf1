//! Where decoded payloads live: many slices in few allocations.

use alloy_primitives::{Bytes, bytes::BytesMut};

/// Size of one chunk. Small enough to be in cache when it is zeroed and then filled, large enough that a block's
/// hundreds of pieces of code and call data take a few dozen allocations.
const CHUNK_BYTES: usize = 64 << 10;

/// Gives out pieces of shared chunks.
///
/// Never holds more than the pieces asked for, rounded up: a piece that does not fit the current chunk starts a new one,
/// and one of more than half a chunk has its own allocation, so at most half of any chunk is unused.
#[derive(Default)]
pub(super) struct Arena {
    chunk: BytesMut,
}

impl Arena {
    /// Fills a piece of `length` bytes by `fill`, which may refuse.
    pub(super) fn piece<E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Bytes, E> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let mut piece = if length > CHUNK_BYTES / 2 {
            BytesMut::zeroed(length)
        } else {
            if length > self.chunk.len() {
                self.chunk = BytesMut::zeroed(CHUNK_BYTES);
            }
            self.chunk.split_to(length)
        };
        fill(&mut piece)?;
        Ok(Bytes(piece.freeze()))
    }
}
