//! Avro's arrays: blocks of items, each after a count or after a negative count and a byte size.

use super::{
    error::{Fault, FieldError, Read},
    wire::Wire,
};
use crate::PathSegment;

impl Wire<'_> {
    /// An array, in any number of blocks, of items that take at least `item_min_bytes` each.
    ///
    /// Room is made only for as many items as the remaining input can hold.
    #[inline]
    pub(super) fn array<T>(&mut self, item_min_bytes: usize, read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.limited_array(item_min_bytes, usize::MAX, read)
    }

    /// An array of at most `limit` items, for items that take much more memory than input.
    #[inline]
    pub(super) fn limited_array<T>(
        &mut self,
        item_min_bytes: usize,
        limit: usize,
        mut read: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let start = self.offset();
        let mut items: Vec<T> = Vec::new();
        while let Some(block) = self.array_block(item_min_bytes)? {
            let count = items.len() + block.count;
            if count > limit {
                return Err(Fault::new(start, FieldError::OverLimit { count: count as u64, limit }));
            }
            if items.is_empty() {
                items.reserve_exact(block.count);
            } else {
                // Amortised: an input of many one-item blocks must not move its items each time.
                items.reserve(block.count);
            }
            for _ in 0..block.count {
                match read(self) {
                    Ok(item) => items.push(item),
                    Err(fault) => return Err(fault.within(PathSegment::Index(items.len()))),
                }
            }
            self.end_block(&block)?;
        }
        Ok(items)
    }

    /// An array with a known number of one-byte numbers in it, such as a bloom.
    pub(super) fn byte_array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let start = self.offset();
        let mut bytes = [0; N];
        let mut filled = 0;
        while let Some(block) = self.array_block(1)? {
            let found = filled + block.count;
            let Some(slots) = bytes.get_mut(filled..found) else {
                return Err(Fault::new(start, FieldError::WrongCount { expected: N, found: found as u64 }));
            };
            for (index, slot) in slots.iter_mut().enumerate() {
                *slot = self.byte().map_err(|fault| fault.within(PathSegment::Index(filled + index)))?;
            }
            self.end_block(&block)?;
            filled = found;
        }
        if filled == N {
            Ok(bytes)
        } else {
            Err(Fault::new(start, FieldError::WrongCount { expected: N, found: filled as u64 }))
        }
    }

    fn byte(&mut self) -> Read<u8> {
        let start = self.offset();
        let number = self.varint()?;
        match u8::try_from(number) {
            Ok(byte) => Ok(byte),
            Err(_) if number < 0 => Err(Fault::new(start, FieldError::Negative(number))),
            Err(_) => Err(Fault::new(start, FieldError::OutOfRange { limit_bits: u8::BITS })),
        }
    }

    /// Moves to the first item of an array. False when there is none.
    pub(super) fn enters_array(&mut self) -> Read<bool> {
        Ok(self.array_block(1)?.is_some())
    }

    /// The head of the next array block: a count, or a negative count with a byte size. `None` ends the array.
    #[inline]
    fn array_block(&mut self, item_min_bytes: usize) -> Read<Option<ArrayBlock>> {
        let start = self.offset();
        let count = self.varint()?;
        if count == 0 {
            return Ok(None);
        }
        let stated_bytes = if count < 0 { Some(self.block_size()?) } else { None };
        let possible = self.left_bytes() / item_min_bytes;
        match usize::try_from(count.unsigned_abs()) {
            Ok(count) if count <= possible => Ok(Some(ArrayBlock { count, stated_bytes, start: self.offset() })),
            _ => {
                let left_bytes = self.left_bytes();
                Err(Fault::new(start, FieldError::TooManyItems { count: count.unsigned_abs(), left_bytes }))
            }
        }
    }

    fn block_size(&mut self) -> Read<u64> {
        let start = self.offset();
        let size = self.varint()?;
        u64::try_from(size).map_err(|_| Fault::new(start, FieldError::NegativeLength(size)))
    }

    fn end_block(&self, block: &ArrayBlock) -> Read<()> {
        let used_bytes = (self.offset() - block.start) as u64;
        match block.stated_bytes {
            Some(stated_bytes) if stated_bytes != used_bytes => {
                Err(Fault::new(block.start, FieldError::BlockSize { stated_bytes, used_bytes }))
            }
            _ => Ok(()),
        }
    }
}

/// The head of a block, and where its items begin.
struct ArrayBlock {
    count: usize,
    stated_bytes: Option<u64>,
    start: usize,
}
