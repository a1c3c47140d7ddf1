//! Avro's binary encoding: varints, lengths, unions. Knows nothing of what they mean.

use alloy_primitives::Bytes;

use super::error::{Fault, FieldError, Read};
use crate::Layout;

/// A varint of 64 bits has at most this many bytes, seven bits each.
const VARINT_MAX_BYTES: usize = 10;

/// A place in the input, and the layout by which it is read.
pub(super) struct Wire<'a> {
    rest: &'a [u8],
    total_bytes: usize,
    pub(super) layout: Layout,
    /// The whole input, when what is decoded may share it.
    pub(super) shared: Option<&'a Bytes>,
}

/// The bytes and the value of a field in an item before this one.
pub(super) struct Before<'a, T>(Option<(&'a [u8], T)>);

impl<T> Default for Before<'_, T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8], layout: Layout) -> Self {
        Self { rest: bytes, total_bytes: bytes.len(), layout, shared: None }
    }

    /// A wire whose text may stay where it is.
    pub(super) fn sharing(bytes: &'a Bytes, layout: Layout) -> Self {
        Self { shared: Some(bytes), ..Self::new(bytes, layout) }
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
        Err(self.wrong(FieldError::VarintTooLong))
    }

    /// The content of an Avro `string` or `bytes`.
    #[inline]
    pub(super) fn text(&mut self) -> Read<&'a [u8]> {
        let start = self.offset();
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Fault::new(start, FieldError::NegativeLength(length))),
        }
    }

    pub(super) fn boolean(&mut self) -> Read<bool> {
        let start = self.offset();
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            other => Err(Fault::new(start, FieldError::NotBoolean(other[0]))),
        }
    }

    /// An Avro `double`: IEEE 754, little-endian. Infinities and NaN are refused: no version is one.
    pub(super) fn double(&mut self) -> Read<f64> {
        let start = self.offset();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        let number = f64::from_le_bytes(bytes);
        if number.is_finite() { Ok(number) } else { Err(Fault::new(start, FieldError::NotFinite)) }
    }

    /// The value of the next N bytes. `None` reads nothing: another spelling or a wrong one, which the fields'
    /// own readers tell apart.
    #[inline(always)]
    pub(super) fn plain<const N: usize, T>(&mut self, read: impl FnOnce(&[u8; N]) -> Option<T>) -> Option<T> {
        let (text, rest) = self.rest.split_first_chunk()?;
        let value = read(text)?;
        self.rest = rest;
        Some(value)
    }

    /// A field that often stands as it stood `before`, and then need not be read again.
    #[inline]
    pub(super) fn repeated<T: Copy>(
        &mut self,
        before: &mut Before<'a, T>,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        if let Some((text, value)) = before.0
            && let Some(rest) = self.rest.strip_prefix(text)
        {
            self.rest = rest;
            return Ok(value);
        }
        let text = self.rest;
        let value = read(self)?;
        before.0 = Some((&text[..text.len() - self.rest.len()], value));
        Ok(value)
    }

    /// A union of null and something.
    #[inline]
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        let start = self.offset();
        match self.varint()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            branch => Err(Fault::new(start, FieldError::UnknownBranch(branch))),
        }
    }

    #[cold]
    fn truncated(&self, needed_bytes: u64) -> Box<Fault> {
        self.wrong(FieldError::Truncated { needed_bytes, left_bytes: self.rest.len() })
    }

    #[cold]
    pub(super) fn wrong(&self, wrong: FieldError) -> Box<Fault> {
        Fault::new(self.offset(), wrong)
    }
}

#[inline]
const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_field_is_read_where_it_stands_whatever_stood_before() {
        let bytes = b"\x02a\x02a\x02b\x04ab\x02a";
        let mut wire = Wire::new(bytes, Layout::V0_38);
        let mut before = Before::default();
        for (expected, offset) in [("a", 2), ("a", 4), ("b", 6), ("ab", 9), ("a", 11)] {
            let text = wire.repeated(&mut before, Wire::text).unwrap();
            assert_eq!((text, wire.offset()), (expected.as_bytes(), offset));
        }
        assert!(wire.repeated(&mut before, Wire::text).is_err());
    }
}
