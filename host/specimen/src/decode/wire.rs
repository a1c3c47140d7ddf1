//! Avro's binary encoding: varints, lengths, unions, arrays. Knows nothing of what they mean.

use super::{
    arena::Arena,
    error::{Fault, Read, Wrong},
};
use crate::{Layout, PathSegment};

/// A varint of 64 bits has at most this many bytes, seven bits each.
const VARINT_MAX_BYTES: usize = 10;

/// A place in the input, the layout by which it is read, and where decoded payloads go.
pub(super) struct Wire<'a> {
    rest: &'a [u8],
    total_bytes: usize,
    pub(super) layout: Layout,
    pub(super) arena: Arena,
}

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8], layout: Layout) -> Self {
        Self { rest: bytes, total_bytes: bytes.len(), layout, arena: Arena::default() }
    }

    /// Bytes consumed so far.
    pub(super) const fn offset(&self) -> usize {
        self.total_bytes - self.rest.len()
    }

    pub(super) const fn left_bytes(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.truncated(count as u64)),
        }
    }

    /// An Avro `int` or `long`: zigzag, seven bits a byte, least significant first.
    #[inline]
    pub(super) fn varint(&mut self) -> Read<i64> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(unzigzag(u64::from(*byte)))
            }
            [low, high, rest @ ..] if *high < 0x80 => {
                self.rest = rest;
                Ok(unzigzag(u64::from(*low & 0x7f) | u64::from(*high) << 7))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Read<i64> {
        let mut number: u64 = 0;
        for (position, &byte) in self.rest.iter().take(VARINT_MAX_BYTES).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // Nine bytes carry 63 bits, so the tenth has room for one more.
            if position == VARINT_MAX_BYTES - 1 && bits > 1 {
                break;
            }
            number |= bits << (7 * position);
            if byte < 0x80 {
                self.rest = &self.rest[position + 1..];
                return Ok(unzigzag(number));
            }
        }
        if self.rest.len() < VARINT_MAX_BYTES {
            return Err(self.truncated(self.rest.len() as u64 + 1));
        }
        Err(self.wrong(Wrong::VarintTooLong))
    }

    /// The content of an Avro `string` or `bytes`.
    #[inline]
    pub(super) fn text(&mut self) -> Read<&'a [u8]> {
        let start = self.offset();
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Fault::new(start, Wrong::NegativeLength(length))),
        }
    }

    pub(super) fn boolean(&mut self) -> Read<bool> {
        let start = self.offset();
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => Err(Fault::new(start, Wrong::NotBoolean(other[0]))),
        }
    }

    /// An Avro `double`: IEEE 754, little-endian. Infinities and NaN are refused: no version is one.
    pub(super) fn double(&mut self) -> Read<f64> {
        let start = self.offset();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        let number = f64::from_le_bytes(bytes);
        if number.is_finite() { Ok(number) } else { Err(Fault::new(start, Wrong::NotFinite)) }
    }

    /// A union of null and something.
    #[inline]
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        let start = self.offset();
        match self.varint()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            branch => Err(Fault::new(start, Wrong::UnknownBranch(branch))),
        }
    }

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
                return Err(Fault::new(start, Wrong::OverLimit { count: count as u64, limit }));
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
                return Err(Fault::new(start, Wrong::WrongCount { expected: N, found: found as u64 }));
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
            Err(Fault::new(start, Wrong::WrongCount { expected: N, found: filled as u64 }))
        }
    }

    fn byte(&mut self) -> Read<u8> {
        let start = self.offset();
        let number = self.varint()?;
        match u8::try_from(number) {
            Ok(byte) => Ok(byte),
            Err(_) if number < 0 => Err(Fault::new(start, Wrong::Negative(number))),
            Err(_) => Err(Fault::new(start, Wrong::OutOfRange { limit_bits: u8::BITS })),
        }
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
        let possible = self.rest.len() / item_min_bytes;
        match usize::try_from(count.unsigned_abs()) {
            Ok(count) if count <= possible => Ok(Some(ArrayBlock { count, stated_bytes, start: self.offset() })),
            _ => {
                let left_bytes = self.rest.len();
                Err(Fault::new(start, Wrong::TooManyItems { count: count.unsigned_abs(), left_bytes }))
            }
        }
    }

    fn block_size(&mut self) -> Read<u64> {
        let start = self.offset();
        let size = self.varint()?;
        u64::try_from(size).map_err(|_| Fault::new(start, Wrong::NegativeLength(size)))
    }

    fn end_block(&self, block: &ArrayBlock) -> Read<()> {
        let used_bytes = (self.offset() - block.start) as u64;
        match block.stated_bytes {
            Some(stated_bytes) if stated_bytes != used_bytes => {
                Err(Fault::new(block.start, Wrong::BlockSize { stated_bytes, used_bytes }))
            }
            _ => Ok(()),
        }
    }

    #[cold]
    fn truncated(&self, needed_bytes: u64) -> Box<Fault> {
        self.wrong(Wrong::Truncated { needed_bytes, left_bytes: self.rest.len() })
    }

    #[cold]
    pub(super) fn wrong(&self, wrong: Wrong) -> Box<Fault> {
        Fault::new(self.offset(), wrong)
    }
}

struct ArrayBlock {
    count: usize,
    stated_bytes: Option<u64>,
    start: usize,
}

#[inline]
const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}
