//! Content ids, the names content goes by.

use std::{fmt, str::FromStr};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    base::{self, CharacterError},
    varint,
};

/// Longest text read as a content id. A base58 one of version 1 has 49 characters, a base32 one 59.
pub const ID_CHARACTERS_MAX: usize = 64;

const VERSION_1: u64 = 1;
const SHA2_256: u64 = 0x12;
const DIGEST_BYTES: usize = 32;
/// A version 0 id is this prefix and the digest: sha2-256, 32 bytes.
const VERSION_0_PREFIX: [u8; 2] = [0x12, 0x20];
/// Characters of a version 0 id.
const VERSION_0_CHARACTERS: usize = 46;
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
const DAG_CBOR: u64 = 0x71;

/// The form of the block that an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// The block is the bytes themselves.
    Raw,
    /// A dag-pb node, of which a larger file is made.
    DagPb,
    /// A DAG-CBOR value; as an announced id, the root of DAS content.
    DagCbor,
}

/// The name of a block: its codec and the sha2-256 of its bytes.
///
/// Reads CIDv1 in base32 and base58, and CIDv0, which is the same name in an older spelling; writes CIDv1 in base32.
/// Source: <https://github.com/multiformats/cid>.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId {
    codec: Codec,
    digest: [u8; DIGEST_BYTES],
}

impl ContentId {
    /// The id of a block of this codec.
    #[must_use]
    pub fn of_block(codec: Codec, block: &[u8]) -> Self {
        Self { codec, digest: sha256(block) }
    }

    /// The id of the raw block that has this sha2-256.
    pub(crate) const fn of_raw_digest(digest: [u8; DIGEST_BYTES]) -> Self {
        Self { codec: Codec::Raw, digest }
    }

    /// The form of the block.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The sha2-256 of the block.
    #[must_use]
    pub const fn digest(&self) -> &[u8; DIGEST_BYTES] {
        &self.digest
    }

    /// Whether `block` is what this id names.
    #[must_use]
    pub fn names(&self, block: &[u8]) -> bool {
        sha256(block) == self.digest
    }

    /// `ipfs://<id>`, the form the proof chain stores.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ipfs://{self}")
    }

    /// The id's binary form: version, codec, hash function, digest length, digest.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let codec = match self.codec {
            Codec::Raw => RAW,
            Codec::DagPb => DAG_PB,
            Codec::DagCbor => DAG_CBOR,
        };
        let mut bytes = Vec::with_capacity(4 + DIGEST_BYTES);
        for value in [VERSION_1, codec, SHA2_256, DIGEST_BYTES as u64] {
            varint::write(&mut bytes, value);
        }
        bytes.extend_from_slice(&self.digest);
        bytes
    }

    /// Reads a binary id from the front of `bytes` and moves past it.
    ///
    /// # Errors
    ///
    /// [`IdError`], never one about characters.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, IdError> {
        if let Some(after) = bytes.strip_prefix(&VERSION_0_PREFIX) {
            *bytes = after;
            return Ok(Self { codec: Codec::DagPb, digest: take_digest(bytes)? });
        }
        let version = read_varint(bytes)?;
        if version != VERSION_1 {
            return Err(IdError::Version { version });
        }
        let codec = match read_varint(bytes)? {
            RAW => Codec::Raw,
            DAG_PB => Codec::DagPb,
            DAG_CBOR => Codec::DagCbor,
            codec => return Err(IdError::Codec { codec }),
        };
        let hash = read_varint(bytes)?;
        if hash != SHA2_256 {
            return Err(IdError::HashFunction { hash });
        }
        let length = read_varint(bytes)?;
        if length != DIGEST_BYTES as u64 {
            return Err(IdError::DigestLength { length });
        }
        Ok(Self { codec, digest: take_digest(bytes)? })
    }
}

impl FromStr for ContentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > ID_CHARACTERS_MAX {
            return Err(IdError::TooLong { characters: text.len() });
        }
        let Some(multibase) = text.chars().next() else { return Err(IdError::Empty) };
        let bytes = match multibase {
            'Q' if text.len() == VERSION_0_CHARACTERS => base::decode_58(text)?,
            'Q' => return Err(IdError::Version0Length { characters: text.len() }),
            'b' | 'B' => base::decode_32(&text[1..])?,
            'z' => base::decode_58(&text[1..])?,
            multibase => return Err(IdError::Multibase { multibase }),
        };
        if multibase != 'Q' && bytes.starts_with(&VERSION_0_PREFIX) {
            // A version 0 id has no multibase character; with one, 0x12 is a version that does not exist.
            return Err(IdError::Version { version: u64::from(VERSION_0_PREFIX[0]) });
        }
        let mut rest = bytes.as_slice();
        let id = Self::read(&mut rest)?;
        if rest.is_empty() { Ok(id) } else { Err(IdError::Trailing { bytes: rest.len() }) }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", base::encode_32(&self.to_bytes()))
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ContentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Reasons for which a text or some bytes are no content id that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("empty content id")]
    Empty,
    /// No id is that long.
    #[error("{characters} characters are no content id, at most {ID_CHARACTERS_MAX} are")]
    TooLong {
        /// Length of the text.
        characters: usize,
    },
    /// A version 0 id of another length than all of them have.
    #[error("content id of version 0 has {characters} characters, expected {VERSION_0_CHARACTERS}")]
    Version0Length {
        /// Length of the text.
        characters: usize,
    },
    /// The first character, which names the base, is another than `b`, `z` or the `Q` of a version 0 id.
    #[error("content id begins with {multibase:?}; 'b' (base32), 'z' (base58) and \"Qm\" (version 0) are read")]
    Multibase {
        /// The character that was found.
        multibase: char,
    },
    /// A character that the base does not have.
    #[error(transparent)]
    Character(#[from] CharacterError),
    /// A version that does not exist.
    #[error("content id of version {version}")]
    Version {
        /// The version that was found.
        version: u64,
    },
    /// The block is of another codec.
    #[error(
        "content id of codec {codec:#x}; raw ({RAW:#x}), dag-pb ({DAG_PB:#x}) and dag-cbor ({DAG_CBOR:#x}) are read"
    )]
    Codec {
        /// Multicodec of the block.
        codec: u64,
    },
    /// The hash is not sha2-256.
    #[error("content id of hash function {hash:#x}; sha2-256 ({SHA2_256:#x}) is read")]
    HashFunction {
        /// Multicodec of the hash function.
        hash: u64,
    },
    /// A sha2-256 of another length than 32.
    #[error("content id whose digest has {length} bytes")]
    DigestLength {
        /// The length that is stated.
        length: u64,
    },
    /// The bytes end early, or a number in them is not written as numbers are.
    #[error("content id ends early")]
    Truncated,
    /// Something follows the digest.
    #[error("{bytes} bytes follow the content id's digest")]
    Trailing {
        /// The number of bytes.
        bytes: usize,
    },
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut out = [0; DIGEST_BYTES];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

fn read_varint(bytes: &mut &[u8]) -> Result<u64, IdError> {
    varint::read(bytes).ok_or(IdError::Truncated)
}

fn take_digest(bytes: &mut &[u8]) -> Result<[u8; DIGEST_BYTES], IdError> {
    let (digest, rest) = bytes.split_first_chunk().ok_or(IdError::Truncated)?;
    *bytes = rest;
    Ok(*digest)
}
