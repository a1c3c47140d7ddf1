use bytes::Bytes;

use crate::{CHUNK_BYTES, Codec, ContentId, blocking::blocking, content_id};

/// Bytes together with the id they were checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    id: ContentId,
    unixfs_id: ContentId,
    bytes: Bytes,
}

impl Content {
    /// Names `bytes` by the network's UnixFS profile. Hashes all of them.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        let id = content_id(&bytes);
        Self { id, unixfs_id: id, bytes }
    }

    /// The same for bytes whose sha2-256 the caller computed, and which are not hashed again where one leaf holds them all.
    #[must_use]
    pub fn of_hashed(bytes: Bytes, sha256: [u8; 32]) -> Self {
        if bytes.len() > CHUNK_BYTES {
            return Self::of(bytes);
        }
        Self::kept(ContentId::of_raw_digest(sha256), bytes)
    }

    /// Checks `bytes` against `id`: a raw id by its own hash, any other by the network's UnixFS profile. When they differ, the error has the id
    /// that the profile gives them; a tree of another profile cannot be distinguished from damage this way.
    pub(crate) fn check(id: ContentId, bytes: Bytes) -> Result<Self, Differs> {
        if id.codec() == Codec::Raw && id.names(&bytes) {
            return Ok(Self::of_other_profile(id, bytes));
        }
        let got = content_id(&bytes);
        if got == id { Ok(Self { id, unixfs_id: id, bytes }) } else { Err(Differs { got }) }
    }

    /// The same, beside the asynchronous threads.
    pub(crate) async fn check_beside(id: ContentId, bytes: Bytes) -> Result<Self, Differs> {
        blocking(move || Self::check(id, bytes)).await
    }

    /// Bytes that were checked against an id of another profile.
    pub(crate) fn of_other_profile(id: ContentId, bytes: Bytes) -> Self {
        let is_one_leaf = id.codec() == Codec::Raw && bytes.len() <= CHUNK_BYTES;
        let unixfs_id = if is_one_leaf { id } else { content_id(&bytes) };
        Self { id, unixfs_id, bytes }
    }

    /// Bytes that were checked against the id of the network's UnixFS profile before, when they were kept under it.
    pub(crate) fn kept(id: ContentId, bytes: Bytes) -> Self {
        Self { id, unixfs_id: id, bytes }
    }

    /// The id it was asked for by.
    #[must_use]
    pub const fn id(&self) -> ContentId {
        self.id
    }

    /// The id of the network's UnixFS profile, under which stores keep it. Differs from [`id`](Self::id) only where another party chose
    /// another chunking.
    #[must_use]
    pub const fn unixfs_id(&self) -> ContentId {
        self.unixfs_id
    }

    /// The bytes of the content.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes without their id.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// The bytes have this id by the network's UnixFS profile, and not the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Differs {
    pub(crate) got: ContentId,
}
