//! Numbers, texts and lists as bytes. Integers are big-endian; a text is its length (u32) and UTF-8.

use alloy_primitives::B256;

use super::ProtocolError;

/// Builds the payload of a frame.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn bytes<const N: usize>(&mut self, value: &[u8; N]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn b256(&mut self, value: &B256) -> &mut Self {
        self.0.extend_from_slice(value.as_slice());
        self
    }

    /// The number of entries that follow. A count past u32 makes a frame past its limit, which is refused when it is written.
    pub(super) fn count(&mut self, count: usize) -> &mut Self {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// One byte, 0 or 1, and the text if there is one.
    pub(super) fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.u8(0),
            Some(text) => self.u8(1).text(text),
        }
    }

    /// One byte, 0 or 1, and the hash if there is one.
    pub(super) fn optional_b256(&mut self, value: Option<&B256>) -> &mut Self {
        match value {
            None => self.u8(0),
            Some(value) => self.u8(1).b256(value),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes the payload of a frame apart. Allocates no more than the payload is long.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], ProtocolError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(ProtocolError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ProtocolError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, ProtocolError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        self.array()
    }

    pub(super) fn b256(&mut self) -> Result<B256, ProtocolError> {
        self.array().map(B256::from)
    }

    /// The number of entries that follow: never more than bytes are left, so a loop over it ends.
    pub(super) fn count(&mut self) -> Result<usize, ProtocolError> {
        let count = self.u32()? as usize;
        if count > self.0.len() { Err(ProtocolError::Truncated) } else { Ok(count) }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, ProtocolError> {
        let bytes = self.count()?;
        str::from_utf8(self.take(bytes)?).map_err(|_| ProtocolError::Text)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'a str>, ProtocolError> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            found => Err(ProtocolError::Tag { of: "optional text", found }),
        }
    }

    pub(super) fn optional_b256(&mut self) -> Result<Option<B256>, ProtocolError> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.b256().map(Some),
            found => Err(ProtocolError::Tag { of: "optional hash", found }),
        }
    }

    /// Holds the payload to be used up.
    pub(super) fn finish(self) -> Result<(), ProtocolError> {
        if self.0.is_empty() { Ok(()) } else { Err(ProtocolError::Trailing { bytes: self.0.len() }) }
    }
}
