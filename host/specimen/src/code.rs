//! Bytecode: most of a specimen's bytes, and not every reader's business.

mod piece;

pub use piece::{LazyBytecode, NotBase64};

use std::{
    fmt,
    ops::{Deref, DerefMut, Range},
    sync::OnceLock,
};

use alloy_primitives::{B256, Bytes};
use piece::Form;

/// A piece of bytecode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRead {
    /// keccak256 of `code`, as the producer states it.
    pub hash: B256,
    /// The bytecode as bytes.
    pub code: Bytes,
}

/// The bytecode that a block read, as a list of [`CodeRead`].
///
/// [`decode_shared`](crate::decode_shared) leaves it as base64 text until the list is read: a rule about logs
/// or transfers never pays for it. [`BytecodeTable::len`] and [`BytecodeTable::pieces`] do not look. Text that is no base64 stands in
/// the list as no bytes, which are not what its hash states; [`LazyBytecode::to_bytes`] tells the two apart.
#[derive(Clone, Default)]
pub struct BytecodeTable {
    encoded: Option<EncodedCodes>,
    decoded: OnceLock<Vec<CodeRead>>,
}

/// Text, in the input that it came in, that has not been decoded.
#[derive(Clone)]
pub(crate) struct EncodedCodes {
    pub(crate) source: Bytes,
    pub(crate) codes: Vec<(B256, Range<usize>)>,
}

impl BytecodeTable {
    /// Pieces of base64 text, each by its place in `source` and the keccak256 that is stated for it. They are decoded when the list
    /// is read.
    #[must_use]
    pub const fn of_text(source: Bytes, codes: Vec<(B256, Range<usize>)>) -> Self {
        Self::encoded(EncodedCodes { source, codes })
    }

    pub(crate) const fn encoded(encoded: EncodedCodes) -> Self {
        Self { encoded: Some(encoded), decoded: OnceLock::new() }
    }

    /// The number of pieces, without decoding them.
    pub fn len(&self) -> usize {
        match (&self.encoded, self.decoded.get()) {
            (Some(encoded), None) => encoded.codes.len(),
            (_, decoded) => decoded.map_or(0, Vec::len),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each piece where it stands, without decoding it.
    pub fn pieces(&self) -> impl Iterator<Item = LazyBytecode<'_>> {
        (0..self.len()).filter_map(|position| self.piece(position))
    }

    /// The piece at a position where it stands, without decoding it.
    pub fn piece(&self, position: usize) -> Option<LazyBytecode<'_>> {
        match (&self.encoded, self.decoded.get()) {
            (Some(encoded), None) => encoded.piece(position),
            (_, decoded) => {
                let read = decoded?.get(position)?;
                Some(LazyBytecode { hash: read.hash, form: Form::Bytes(&read.code) })
            }
        }
    }

    fn decoded(&self) -> &Vec<CodeRead> {
        self.decoded.get_or_init(|| self.encoded.as_ref().map(EncodedCodes::decode).unwrap_or_default())
    }
}

impl EncodedCodes {
    fn piece(&self, position: usize) -> Option<LazyBytecode<'_>> {
        let (hash, text) = self.codes.get(position)?;
        Some(LazyBytecode { hash: *hash, form: Form::Text(self.source.get(text.clone())?) })
    }

    fn decode(&self) -> Vec<CodeRead> {
        let pieces = (0..self.codes.len()).filter_map(|position| self.piece(position));
        pieces.map(|piece| CodeRead { hash: piece.hash, code: piece.to_bytes().unwrap_or_default() }).collect()
    }
}

impl From<Vec<CodeRead>> for BytecodeTable {
    fn from(codes: Vec<CodeRead>) -> Self {
        Self { encoded: None, decoded: OnceLock::from(codes) }
    }
}

impl Deref for BytecodeTable {
    type Target = Vec<CodeRead>;

    fn deref(&self) -> &Vec<CodeRead> {
        self.decoded()
    }
}

impl DerefMut for BytecodeTable {
    fn deref_mut(&mut self) -> &mut Vec<CodeRead> {
        self.decoded();
        // What is decoded now answers alone: it may be about to change.
        self.encoded = None;
        match self.decoded.get_mut() {
            Some(codes) => codes,
            None => unreachable!("it has just been decoded"),
        }
    }
}

impl<'a> IntoIterator for &'a BytecodeTable {
    type Item = &'a CodeRead;
    type IntoIter = std::slice::Iter<'a, CodeRead>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for BytecodeTable {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for BytecodeTable {}

impl fmt::Debug for BytecodeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}
