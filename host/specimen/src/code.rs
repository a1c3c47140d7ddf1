//! Bytecode: most of a specimen's bytes, and not every reader's business.

use std::{
    fmt,
    ops::{Deref, DerefMut, Range},
    sync::OnceLock,
};

use alloy_primitives::{B256, Bytes};
use base64_simd::STANDARD;

/// A piece of bytecode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRead {
    /// keccak256 of `code`, as the producer states it.
    pub hash: B256,
    /// The bytecode.
    pub code: Bytes,
}

/// The bytecode that a block read, as a list of [`CodeRead`].
///
/// [`decode_shared`](crate::decode_shared) checks its base64 text and leaves it undecoded until somebody looks at the
/// list: a rule about logs or transfers never pays for it. [`Codes::len`] does not look.
#[derive(Clone, Default)]
pub struct Codes {
    encoded: Option<EncodedCodes>,
    decoded: OnceLock<Vec<CodeRead>>,
}

/// Checked base64 text, in the input that it came in.
#[derive(Clone)]
pub(crate) struct EncodedCodes {
    pub(crate) source: Bytes,
    pub(crate) codes: Vec<(B256, Range<usize>)>,
}

impl Codes {
    pub(crate) const fn encoded(encoded: EncodedCodes) -> Self {
        Self { encoded: Some(encoded), decoded: OnceLock::new() }
    }

    /// How many there are, without decoding them.
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

    fn decoded(&self) -> &Vec<CodeRead> {
        self.decoded.get_or_init(|| self.encoded.as_ref().map(EncodedCodes::decode).unwrap_or_default())
    }
}

impl EncodedCodes {
    fn decode(&self) -> Vec<CodeRead> {
        let decode = |(hash, text): &(B256, Range<usize>)| match STANDARD.decode_to_vec(&self.source[text.clone()]) {
            Ok(code) => CodeRead { hash: *hash, code: code.into() },
            Err(error) => unreachable!("the text was checked: {error}"),
        };
        self.codes.iter().map(decode).collect()
    }
}

impl From<Vec<CodeRead>> for Codes {
    fn from(codes: Vec<CodeRead>) -> Self {
        Self { encoded: None, decoded: OnceLock::from(codes) }
    }
}

impl Deref for Codes {
    type Target = Vec<CodeRead>;

    fn deref(&self) -> &Vec<CodeRead> {
        self.decoded()
    }
}

impl DerefMut for Codes {
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

impl<'a> IntoIterator for &'a Codes {
    type Item = &'a CodeRead;
    type IntoIter = std::slice::Iter<'a, CodeRead>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Codes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Codes {}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}
