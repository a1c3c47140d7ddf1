//! Wire bytes in the making: records are their fields one after the other, in the order in which they are written.

use alloy_primitives::U256;
use base64_simd::STANDARD;

use super::error::{EncodeObstacle, Encoded, FieldObstacle, Locate};
use crate::{Layout, PathSegment, double};

/// Bytes by one layout.
pub(super) struct Writer {
    pub(super) layout: Layout,
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) const fn new(layout: Layout) -> Self {
        Self { layout, bytes: Vec::new() }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// An Avro `int` or `long`: zigzag, seven bits a byte, the lowest first.
    pub(super) fn integer(&mut self, number: i64) {
        let mut rest = (number << 1 ^ number >> 63).cast_unsigned();
        while rest >= 0x80 {
            self.bytes.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest.to_le_bytes()[0]);
    }

    /// An Avro `long` of a number without a sign.
    pub(super) fn long(&mut self, number: u64) -> Encoded<()> {
        let number =
            i64::try_from(number).map_err(|_| FieldObstacle::new(EncodeObstacle::OutOfRange { limit_bits: 63 }))?;
        self.integer(number);
        Ok(())
    }

    /// The length of text or bytes, or the number of an array's items.
    fn length(&mut self, length: usize) {
        // No slice has more.
        self.integer(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// An Avro `string` or `bytes`, which are alike.
    pub(super) fn text(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.length(text.len());
        self.bytes.extend_from_slice(text);
    }

    /// Hex text of whole bytes: a hash, an address, a part of a blob.
    pub(super) fn hex(&mut self, data: impl AsRef<[u8]>) {
        let data = data.as_ref();
        self.length(2 + 2 * data.len());
        self.bytes.extend_from_slice(b"0x");
        let start = self.bytes.len();
        self.bytes.resize(start + 2 * data.len(), 0);
        // The slice has twice the bytes, which is all that could be wrong.
        let _ = const_hex::encode_to_slice(data, &mut self.bytes[start..]);
    }

    /// Padded base64 text of a byte slice.
    pub(super) fn base64(&mut self, data: impl AsRef<[u8]>) {
        let data = data.as_ref();
        self.length(STANDARD.encoded_length(data.len()));
        STANDARD.encode_append(data, &mut self.bytes);
    }

    /// Hex text of a number; zero is `0x0`.
    pub(super) fn number(&mut self, number: U256) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = number.bit_len().div_ceil(4).max(1);
        self.length(2 + digits);
        self.bytes.extend_from_slice(b"0x");
        let limbs = number.as_limbs();
        for position in (0..digits).rev() {
            let digit = limbs[position / 16] >> (position % 16 * 4) & 0xf;
            self.bytes.push(DIGITS[usize::from(digit.to_le_bytes()[0])]);
        }
    }

    /// An Avro `double`. Decoding refuses what is not finite, so encoding does.
    pub(super) fn double(&mut self, number: f64) -> Encoded<()> {
        if !number.is_finite() {
            return Err(FieldObstacle::new(EncodeObstacle::NotFinite));
        }
        self.bytes.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }

    /// A whole number as an Avro `double`, which not every one can be.
    pub(super) fn whole_double(&mut self, number: U256) -> Encoded<()> {
        let nearest = double::nearest(number);
        if double::whole(nearest) == Some(number) {
            self.double(nearest)
        } else {
            Err(FieldObstacle::new(EncodeObstacle::Inexact))
        }
    }

    /// Hex text, in 0.2 a double.
    pub(super) fn number_or_double(&mut self, number: U256) -> Encoded<()> {
        if self.layout == Layout::V0_2 {
            return self.whole_double(number);
        }
        self.number(number);
        Ok(())
    }

    /// Hex text, in 0.2 a `long`.
    pub(super) fn number_or_long(&mut self, number: impl Into<u128>) -> Encoded<()> {
        let number = number.into();
        if self.layout == Layout::V0_2 {
            // What does not fit in 64 bits fits in 63 even less.
            return self.long(u64::try_from(number).unwrap_or(u64::MAX));
        }
        self.number(U256::from(number));
        Ok(())
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.bytes.push(value.into());
    }

    /// The second branch of a union with null, or null.
    pub(super) fn optional<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> Encoded<()>,
    ) -> Encoded<()> {
        self.integer(value.is_some().into());
        value.map_or(Ok(()), |value| write(self, value))
    }

    /// An array of what `write` writes for each item: their number, the items, and a zero.
    pub(super) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
        write: impl Fn(&mut Self, T) -> Encoded<()>,
    ) -> Encoded<()> {
        let items = items.into_iter();
        if items.len() > 0 {
            self.length(items.len());
        }
        for (index, item) in items.enumerate() {
            write(self, item).map_err(|unsaid| unsaid.within(PathSegment::Index(index)))?;
        }
        self.integer(0);
        Ok(())
    }

    /// An array of hashes, addresses or the like.
    pub(super) fn hexes<T: AsRef<[u8]>>(&mut self, items: &[T]) -> Encoded<()> {
        self.array(items, |out, item| {
            out.hex(item);
            Ok(())
        })
    }

    /// A field of newer layouts that may be null. An older layout refuses a value, unless it is empty
    /// (`says_nothing`): the producer fills some fields of some transactions with zeros that no reader misses.
    pub(super) fn since<T>(
        &mut self,
        since: Layout,
        name: &'static str,
        value: Option<T>,
        says_nothing: impl FnOnce(&T) -> bool,
        write: impl FnOnce(&mut Self, T) -> Encoded<()>,
    ) -> Encoded<()> {
        if self.layout >= since {
            return self.optional(value, write).at(name);
        }
        match value {
            Some(value) if !says_nothing(&value) => Err(FieldObstacle::new(EncodeObstacle::NoSuchField)).at(name),
            _ => Ok(()),
        }
    }
}
