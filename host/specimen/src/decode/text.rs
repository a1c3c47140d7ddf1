//! Text that stands for bytes: hex for hashes and addresses, base64 for Go's byte slices.

use std::ops::Range;

use alloy_primitives::{Address, B256, Bytes, FixedBytes};
use base64_simd::STANDARD;

use super::{
    error::{Fault, FieldError, Read},
    hex,
    wire::Wire,
};

/// Bytes of a hash on the wire: a two-byte length, `0x`, 64 digits.
pub(super) const HASH_BYTES: usize = 68;
/// Bytes of an address on the wire: a one-byte length, `0x`, 40 digits.
pub(super) const ADDRESS_BYTES: usize = 43;
/// The length of 66 and the prefix, before the digits of a hash.
const HASH_HEAD: &[u8; 4] = b"\x84\x01\x30x";
/// The length of 42 and the prefix, before the digits of an address.
const ADDRESS_HEAD: &[u8; 3] = b"\x54\x30x";
/// The least that hex text takes: a one-byte length and `0x`.
pub(super) const HEX_MIN_BYTES: usize = 3;

/// The status of every successful transaction, which then needs no allocation.
const ONE_BASE64: &[u8] = b"AQ==";

#[inline(always)]
fn hash_digits(text: &[u8; HASH_BYTES]) -> Option<&[u8; hex::HASH_DIGITS]> {
    let (head, digits) = text.split_first_chunk()?;
    if head == HASH_HEAD { digits.first_chunk() } else { None }
}

#[inline(always)]
fn address_digits(text: &[u8; ADDRESS_BYTES]) -> Option<&[u8; hex::ADDRESS_DIGITS]> {
    let (head, digits) = text.split_first_chunk()?;
    if head == ADDRESS_HEAD { digits.first_chunk() } else { None }
}

impl<'a> Wire<'a> {
    #[inline]
    pub(super) fn hash(&mut self) -> Read<B256> {
        match self.plain_hash() {
            Some(bytes) => Ok(FixedBytes(bytes)),
            None => self.fixed_hex().map(FixedBytes),
        }
    }

    #[inline]
    pub(super) fn address(&mut self) -> Read<Address> {
        match self.plain(|text| hex::address(address_digits(text)?)) {
            Some(bytes) => Ok(Address(FixedBytes(bytes))),
            None => self.fixed_hex().map(|bytes| Address(FixedBytes(bytes))),
        }
    }

    /// 32 bytes as the producer writes them.
    #[inline]
    pub(super) fn plain_hash(&mut self) -> Option<[u8; 32]> {
        self.plain(|text| hex::hash(hash_digits(text)?))
    }

    /// The digits after `0x`, and their offset.
    #[inline]
    pub(super) fn hex_digits(&mut self) -> Read<&'a [u8]> {
        let text = self.text()?;
        match text {
            [b'0', b'x', digits @ ..] => Ok(digits),
            _ => Err(Fault::new(self.offset() - text.len(), FieldError::NoHexPrefix)),
        }
    }

    /// Any spelling, and what is wrong with the ones that are none.
    #[cold]
    fn fixed_hex<const N: usize>(&mut self) -> Read<[u8; N]> {
        let digits = self.hex_digits()?;
        if digits.len() != 2 * N {
            let wrong = FieldError::WrongLength { expected: 2 * N + 2, found: digits.len() + 2 };
            return Err(Fault::new(self.offset() - digits.len() - 2, wrong));
        }
        const_hex::decode_to_array(digits).map_err(|_| self.not_hex(digits))
    }

    /// Hex text of any number of whole bytes.
    pub(super) fn hex_bytes(&mut self) -> Read<Bytes> {
        let digits = self.hex_digits()?;
        if !digits.len().is_multiple_of(2) {
            return Err(Fault::new(self.offset() - digits.len(), FieldError::HalfByte(digits.len())));
        }
        let mut bytes = vec![0; digits.len() / 2];
        const_hex::decode_to_slice(digits, &mut bytes).map_err(|_| self.not_hex(digits))?;
        Ok(bytes.into())
    }

    /// Standard base64 with padding, decoded.
    #[inline]
    pub(super) fn base64(&mut self) -> Read<Bytes> {
        let text = self.text()?;
        if text == ONE_BASE64 {
            return Ok(Bytes::from_static(&[1]));
        }
        // An allocation for each is no slower than slices of a shared one, whose memory would have to be zeroed first.
        let bytes = STANDARD.decode_to_vec(text).map_err(|_| self.not_base64(text))?;
        Ok(bytes.into())
    }

    /// Where text is that should be base64.
    #[inline]
    pub(super) fn base64_text(&mut self) -> Read<Range<usize>> {
        let text = self.text()?;
        Ok(self.offset() - text.len()..self.offset())
    }

    /// Text that is UTF-8, unchanged.
    pub(super) fn string(&mut self) -> Read<String> {
        let text = self.text()?;
        match std::str::from_utf8(text) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(Fault::new(self.offset() - text.len() + error.valid_up_to(), FieldError::NotUtf8)),
        }
    }

    /// Points at the first character that is no hex digit, in digits that end here.
    #[cold]
    pub(super) fn not_hex(&self, digits: &[u8]) -> Box<Fault> {
        let start = self.offset() - digits.len();
        match digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
            Some(position) => Fault::new(start + position, FieldError::NotHexDigit(digits[position])),
            // const-hex skips a second `0x` and then misses its digits, but `x` is no digit and is found above.
            None => Fault::new(start, FieldError::HalfByte(digits.len())),
        }
    }

    /// Points at the first character outside the alphabet, or at the end where only the padding can be wrong.
    #[cold]
    fn not_base64(&self, text: &[u8]) -> Box<Fault> {
        let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let position = text.iter().position(|byte| !in_alphabet(byte)).unwrap_or(text.len());
        Fault::new(self.offset() - text.len() + position, FieldError::NotBase64)
    }
}
