//! The part of DAG-CBOR that DAS blocks and the headers of archives are written in, read strictly.
//!
//! Every length has its shortest form and is definite, keys stand in their one order, and nothing follows. Source:
//! <https://ipld.io/specs/codecs/dag-cbor/spec/>.

use crate::{Codec, ContentId, IdError};

const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
/// The tag of a link: a byte string with the identity multibase and a binary id.
const LINK_TAG: u64 = 42;
const IDENTITY_MULTIBASE: u8 = 0;

/// Reasons for which bytes are not the DAG-CBOR value that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The bytes end within a value.
    #[error("the block ends early")]
    Truncated,
    /// A length or number is indefinite, reserved, or longer than it needs to be.
    #[error("a number at byte {at} is not in its shortest form")]
    NotShortest {
        /// Where the value begins.
        at: usize,
    },
    /// A value of another type.
    #[error("CBOR type {found} at byte {at}; expected {expected}")]
    Type {
        /// Where the value begins.
        at: usize,
        /// Major type that was found.
        found: u8,
        /// The expected value.
        expected: &'static str,
    },
    /// A map with more or fewer entries.
    #[error("a map of {found} entries; expected {expected}")]
    Entries {
        /// Entries that the map states.
        found: u64,
        /// Entries it should have.
        expected: u64,
    },
    /// Another key, or the keys in another order.
    #[error("another key at byte {at}; expected {expected:?}")]
    Key {
        /// Where the key begins.
        at: usize,
        /// The key that belongs there.
        expected: &'static str,
    },
    /// A tag that is no link's.
    #[error("tag {tag} at byte {at}; expected {LINK_TAG}, a link")]
    Tag {
        /// Where the tag begins.
        at: usize,
        /// The tag that was found.
        tag: u64,
    },
    /// A link's id cannot be read.
    #[error("the link at byte {at}")]
    Link {
        /// Where the link begins.
        at: usize,
        /// The fault of its id.
        source: IdError,
    },
    /// A link's bytes do not begin with the identity multibase.
    #[error("the link at byte {at} has no identity multibase")]
    Multibase {
        /// Where the link begins.
        at: usize,
    },
    /// A link to a block of another codec.
    #[error("the link at byte {at} leads to a block that is not DAG-CBOR")]
    LinkCodec {
        /// Where the link begins.
        at: usize,
    },
    /// Bytes after the value.
    #[error("{bytes} bytes follow the value")]
    Trailing {
        /// The number of bytes.
        bytes: usize,
    },
}

/// A position in a block. Nothing is allocated for a length that the block only states.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    block: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(block: &'a [u8]) -> Self {
        Self { block, at: 0 }
    }

    /// Reads a map's head, which must state `expected` entries.
    pub(crate) fn map(&mut self, expected: u64) -> Result<(), CborError> {
        let found = self.entries()?;
        if found == expected { Ok(()) } else { Err(CborError::Entries { found, expected }) }
    }

    /// Reads a map's head: the number of entries that follow.
    pub(crate) fn entries(&mut self) -> Result<u64, CborError> {
        self.expect(MAP, "a map")
    }

    /// Reads the key `expected`.
    pub(crate) fn key(&mut self, expected: &'static str) -> Result<(), CborError> {
        let at = self.at;
        if self.text()? == expected.as_bytes() { Ok(()) } else { Err(CborError::Key { at, expected }) }
    }

    /// Reads an array's head: the number of values that follow.
    pub(crate) fn array(&mut self) -> Result<u64, CborError> {
        self.expect(ARRAY, "an array")
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, CborError> {
        self.expect(UNSIGNED, "an unsigned number")
    }

    pub(crate) fn text(&mut self) -> Result<&'a [u8], CborError> {
        let length = self.expect(TEXT, "a text")?;
        self.take(length)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        let length = self.expect(BYTES, "a byte string")?;
        self.take(length)
    }

    /// Reads a link to a DAG-CBOR block.
    pub(crate) fn link(&mut self) -> Result<ContentId, CborError> {
        let at = self.at;
        let mut id = self.any_link()?;
        let link = ContentId::read(&mut id).map_err(|source| CborError::Link { at, source })?;
        match (link.codec(), id.len()) {
            (Codec::DagCbor, 0) => Ok(link),
            (Codec::DagCbor, bytes) => Err(CborError::Link { at, source: IdError::Trailing { bytes } }),
            _ => Err(CborError::LinkCodec { at }),
        }
    }

    /// Reads a link whose id may be of any form: the id's bytes.
    pub(crate) fn any_link(&mut self) -> Result<&'a [u8], CborError> {
        let at = self.at;
        let tag = self.expect(TAG, "a link")?;
        if tag != LINK_TAG {
            return Err(CborError::Tag { at, tag });
        }
        match self.bytes()?.split_first() {
            Some((&IDENTITY_MULTIBASE, id)) => Ok(id),
            _ => Err(CborError::Multibase { at }),
        }
    }

    /// Ends reading: nothing may follow.
    pub(crate) fn end(self) -> Result<(), CborError> {
        match self.block.len() - self.at {
            0 => Ok(()),
            bytes => Err(CborError::Trailing { bytes }),
        }
    }

    fn expect(&mut self, major: u8, expected: &'static str) -> Result<u64, CborError> {
        let at = self.at;
        let first = self.take(1)?[0];
        if first >> 5 != major {
            return Err(CborError::Type { at, found: first >> 5, expected });
        }
        let (number, least) = match first & 0x1f {
            small @ 0..24 => (u64::from(small), 0),
            24 => (self.big_endian(1)?, 24),
            25 => (self.big_endian(2)?, 1 << 8),
            26 => (self.big_endian(4)?, 1 << 16),
            27 => (self.big_endian(8)?, 1 << 32),
            _ => return Err(CborError::NotShortest { at }),
        };
        if number < least { Err(CborError::NotShortest { at }) } else { Ok(number) }
    }

    fn big_endian(&mut self, bytes: u64) -> Result<u64, CborError> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let rest = &self.block[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let taken = taken.ok_or(CborError::Truncated)?;
        self.at += taken.len();
        Ok(taken)
    }
}

/// Writes values one after another.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn map(&mut self, entries: usize) {
        self.head(MAP, entries as u64);
    }

    pub(crate) fn array(&mut self, values: usize) {
        self.head(ARRAY, values as u64);
    }

    pub(crate) fn unsigned(&mut self, number: u64) {
        self.head(UNSIGNED, number);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.head(TEXT, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A byte string in pieces that are `length` bytes together.
    pub(crate) fn bytes<'a>(&mut self, length: usize, pieces: impl IntoIterator<Item = &'a [u8]>) {
        self.head(BYTES, length as u64);
        pieces.into_iter().for_each(|piece| self.0.extend_from_slice(piece));
    }

    pub(crate) fn link(&mut self, id: &ContentId) {
        let id = id.to_bytes();
        self.head(TAG, LINK_TAG);
        self.bytes(id.len() + 1, [&[IDENTITY_MULTIBASE][..], &id]);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, major: u8, number: u64) {
        let bytes = number.to_be_bytes();
        let (low, tail): (u8, &[u8]) = match number {
            0..24 => (bytes[7], &[]),
            24..=0xff => (24, &bytes[7..]),
            0x100..=0xffff => (25, &bytes[6..]),
            0x1_0000..=0xffff_ffff => (26, &bytes[4..]),
            _ => (27, &bytes),
        };
        self.0.push(major << 5 | low);
        self.0.extend_from_slice(tail);
    }
}
