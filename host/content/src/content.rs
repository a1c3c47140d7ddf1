use std::sync::Arc;

use bytes::Bytes;

use crate::{
    CHUNK_BYTES, Codec, ContentId, FetchError, Origin,
    blocking::{Interrupt, blocking, interruptible},
    content_id, das,
};

/// The caller's own check that bytes are the very ones that are meant, for example that they have the announced specimen hash.
/// Runs beside the asynchronous threads.
pub type Accept = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Bytes together with the id they were asked for by, and checked against it or against the announced hash.
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

    /// Checks `bytes` against `id`: a raw id by its own hash, a DAS root by encoding them, any other by the network's profile. When they
    /// differ, the error has the id that the profile gives them; a tree of another profile cannot be distinguished from damage this way.
    pub(crate) fn check(id: ContentId, bytes: Bytes, interrupt: &Interrupt) -> Result<Self, Differs> {
        match id.codec() {
            Codec::Raw if id.names(&bytes) => return Ok(Self::of_other_profile(id, bytes)),
            Codec::DagCbor if is_das(&id, &bytes, interrupt) => return Ok(Self::of_other_profile(id, bytes)),
            Codec::Raw | Codec::DagPb | Codec::DagCbor => {}
        }
        let got = content_id(&bytes);
        if got == id { Ok(Self { id, unixfs_id: id, bytes }) } else { Err(Differs { got }) }
    }

    /// Checks bytes that came `from` a backend: by `accept`, the announced hash, when there is one, and otherwise by `id`.
    pub(crate) async fn admit(
        id: ContentId,
        bytes: Bytes,
        accept: Option<Accept>,
        from: &Origin,
    ) -> Result<Self, FetchError> {
        let from = from.clone();
        interruptible(move |interrupt| {
            if let Some(accept) = accept {
                if let Some(content) = accepted(id, bytes.clone(), &accept) {
                    return Ok(content);
                }
                // What the id names is not known without encoding the bytes, which costs too much for an error page.
                if id.codec() == Codec::DagCbor {
                    return Err(FetchError::NotAnnounced { from });
                }
                // The same bytes come from every backend when they are what the id names.
                if Self::check(id, bytes.clone(), interrupt).is_ok() {
                    return Err(FetchError::NotAccepted { from });
                }
            }
            Self::check(id, bytes, interrupt).map_err(|Differs { got }| FetchError::Mismatch { from, asked: id, got })
        })
        .await
    }

    /// Checks content that fits its id against the announced hash as well, when there is one.
    pub(crate) async fn confirm(self, accept: Option<Accept>, from: &Origin) -> Result<Self, FetchError> {
        let Some(accept) = accept else { return Ok(self) };
        let bytes = self.bytes.clone();
        if blocking(move || accept(&bytes)).await {
            Ok(self)
        } else {
            Err(FetchError::NotAccepted { from: from.clone() })
        }
    }

    /// Bytes that were checked against an id of another profile.
    pub(crate) fn of_other_profile(id: ContentId, bytes: Bytes) -> Self {
        let is_one_leaf = id.codec() == Codec::Raw && bytes.len() <= CHUNK_BYTES;
        let unixfs_id = if is_one_leaf { id } else { content_id(&bytes) };
        Self { id, unixfs_id, bytes }
    }

    /// The same bytes, asked for by another id that is known to name them.
    pub(crate) fn under(self, id: ContentId) -> Self {
        Self { id, ..self }
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

/// The bytes as content when `accept` takes them. Another party's profile may have given them the id, so that theirs is computed.
pub(crate) fn accepted(id: ContentId, bytes: Bytes, accept: &Accept) -> Option<Content> {
    accept(&bytes).then(|| Content { id, unixfs_id: content_id(&bytes), bytes })
}

fn is_das(id: &ContentId, bytes: &[u8], interrupt: &Interrupt) -> bool {
    das::names(id, bytes, interrupt).unwrap_or_else(|error| {
        tracing::error!(%id, %error, "DAS id not compared");
        false
    })
}
