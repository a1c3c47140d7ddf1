//! HTTP gateways of IPFS, which are fetched from only.
//!
//! Asked first for the bytes, which the network's UnixFS profile checks. Bytes of another profile cannot be checked so; then the blocks are
//! asked for, of which each checks itself. Source: <https://specs.ipfs.tech/http-gateways/trustless-gateway/>.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use refiner_buffers::Buffers;
use refiner_http_client::Egress;
use url::Url;

use crate::{
    Accept, Codec, Content, ContentId, DagError, FetchBackend, FetchError, HttpLimits, Origin,
    assemble::assemble_until,
    blocking::{blocking, interruptible},
    car::ARCHIVE,
    das::BlockGateway,
    error::SetupError,
    http::{self, Http},
    read_car,
    serve::ContentName,
};

/// Gateways that anybody may ask, as ewm-das does.
pub const PUBLIC_GATEWAYS: [&str; 4] =
    ["https://ipfs.io", "https://dweb.link", "https://trustless-gateway.link", "https://ipfs.filebase.io"];

/// Bytes that an archive may have above those of the file: ids, lengths and nodes, about a hundredth with chunks of 4 KiB.
const ARCHIVE_EXTRA_BYTES: usize = 1 << 20;

/// Bytes that are hashed on the thread that received them: handing them to another would take as long.
const AT_ONCE_BYTES_MAX: usize = 64 << 10;

/// The empty content, by its identity id.
const PROBE: &str = "ipfs/bafkqaaa";
/// Bytes of the answer to it.
const PROBE_BYTES_MAX: usize = 4096;

/// A client of one gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    base: Url,
    origin: Origin,
    http: Http,
}

/// [`PUBLIC_GATEWAYS`], each a source of its own.
///
/// # Errors
///
/// [`SetupError`]
pub fn public_gateways(egress: &Egress, limits: HttpLimits) -> Result<Vec<Gateway>, SetupError> {
    PUBLIC_GATEWAYS.iter().map(|base| Gateway::through(egress, base, limits)).collect()
}

impl Gateway {
    /// The gateway that serves `<base>/ipfs/<id>`, without a proxy.
    ///
    /// # Errors
    ///
    /// [`SetupError`]
    pub fn new(base: &str, limits: HttpLimits) -> Result<Self, SetupError> {
        Self::through(&Egress::default(), base, limits)
    }

    /// As [`new`](Self::new), by the way that requests take out of this machine.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn through(egress: &Egress, base: &str, limits: HttpLimits) -> Result<Self, SetupError> {
        let base = http::base_url(base)?;
        let http = Http::for_base(egress, &base, limits)?;
        Ok(Self { origin: Origin::of_url(&base), base, http })
    }

    /// Whether it answers: asked for a content id that holds its own content, so that nothing has to be searched for.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when it does not, or is too busy.
    pub async fn health(&self) -> Result<(), FetchError> {
        let url = http::below(&self.base, PROBE);
        match self.http.get(url, "application/vnd.ipld.raw", &self.origin, PROBE_BYTES_MAX).await {
            Err(FetchError::Status { status, .. }) if status < 500 && status != 429 => Ok(()),
            Ok(_) | Err(FetchError::NotFound { .. } | FetchError::TooLarge { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Fetches content of a length that is known, into one of the buffers. It is given out when `accept` takes it, a comparison of a hash
    /// that the caller knows: nothing else is hashed here.
    ///
    /// # Errors
    ///
    /// [`FetchError`]; [`FetchError::NotAnnounced`] of other bytes.
    pub async fn fetch_known(
        &self,
        name: &ContentName,
        bytes: usize,
        accept: Accept,
        buffers: &Buffers,
    ) -> Result<Bytes, FetchError> {
        let url = http::below(&self.base, &name.path());
        let fetched = self.http.get_known(url, &self.origin, bytes, buffers).await?;
        let is_accepted = if fetched.len() > AT_ONCE_BYTES_MAX {
            let fetched = fetched.clone();
            blocking(move || accept(&fetched)).await
        } else {
            accept(&fetched)
        };
        if is_accepted { Ok(fetched) } else { Err(FetchError::NotAnnounced { from: self.origin.clone() }) }
    }

    async fn fetch_checked(&self, id: ContentId, accept: Option<Accept>) -> Result<Content, FetchError> {
        let from = &self.origin;
        let url = http::below(&self.base, &format!("ipfs/{id}"));
        if id.codec() == Codec::DagCbor {
            let url = |block: &ContentId| http::below(&self.base, &format!("ipfs/{block}"));
            return BlockGateway { http: &self.http, origin: from, url: &url }.fetch(id, accept).await;
        }
        let bytes = self.http.get(url.clone(), "*/*", from, self.http.limits.body_bytes).await?;
        if bytes.is_empty() && !id.names(&bytes) {
            return Err(FetchError::EmptyAnswer { from: from.clone() });
        }
        let mismatch = match Content::admit(id, bytes, accept.clone(), from).await {
            Err(mismatch @ FetchError::Mismatch { .. }) if id.codec() == Codec::DagPb => mismatch,
            admitted => return admitted,
        };
        match self.fetch_blocks(id, url).await {
            // It has no archives: what is known is that the bytes were not those of our profile.
            Err(FetchError::Status { .. } | FetchError::NotFound { .. }) => Err(mismatch),
            Ok(content) => content.confirm(accept, from).await,
            fetched => fetched,
        }
    }

    async fn fetch_blocks(&self, id: ContentId, mut url: Url) -> Result<Content, FetchError> {
        let from = self.origin.clone();
        let limit_bytes = self.http.limits.body_bytes;
        url.set_query(Some("format=car"));
        let archive_limit = limit_bytes + limit_bytes / 8 + ARCHIVE_EXTRA_BYTES;
        let archive = self.http.get(url, ARCHIVE, &from, archive_limit).await?;
        interruptible(move |interrupt| {
            let blocks = read_car(&archive).map_err(|source| FetchError::Car { from: from.clone(), source })?;
            let file = assemble_until(&id, &blocks, limit_bytes, interrupt).map_err(|source| match source {
                DagError::TooLarge { limit_bytes } => FetchError::TooLarge { from, limit_bytes },
                source if source.is_in_the_tree() => FetchError::NoFile { id, source },
                source => FetchError::Dag { from, source },
            })?;
            Ok(Content::of_other_profile(id, file))
        })
        .await
    }
}

impl FetchBackend for Gateway {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.fetch_checked(*id, None))
    }

    fn fetch_accepted<'a>(&'a self, id: &'a ContentId, accept: Accept) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.fetch_checked(*id, Some(accept)))
    }
}
