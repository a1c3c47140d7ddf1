//! URLs that other parties wrote.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use refiner_http_client::Egress;
use url::Url;

use crate::{
    Accept, AddressPolicy, ClientError, Codec, Content, ContentId, FetchBackend, FetchError, HttpLimits, Origin,
    blocking::blocking, das::BlockGateway, http::Http,
};

/// A client that fetches announced URLs.
#[derive(Clone, Debug)]
pub struct UrlFetcher {
    http: Http,
}

impl UrlFetcher {
    /// A client of its own, without a proxy.
    ///
    /// # Errors
    ///
    /// [`ClientError`]
    pub fn new(limits: HttpLimits, policy: AddressPolicy) -> Result<Self, ClientError> {
        Self::through(&Egress::default(), limits, policy)
    }

    /// As [`new`](Self::new), by the way that requests take out of this machine. Names are looked up and checked here all the same;
    /// a proxy looks them up once more for itself.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn through(egress: &Egress, limits: HttpLimits, policy: AddressPolicy) -> Result<Self, ClientError> {
        Ok(Self { http: Http::for_any(egress, limits, policy)? })
    }

    /// Fetches bytes that no content id checks.
    ///
    /// # Errors
    ///
    /// [`FetchError`]
    pub async fn fetch(&self, url: &Url) -> Result<Unverified, FetchError> {
        let from = Origin::of_url(url);
        let bytes = self.get(url, &from).await?;
        Ok(Unverified { from, bytes })
    }

    /// Fetches from a gateway that an announced URL names.
    pub(crate) async fn fetch_content(
        &self,
        url: &Url,
        id: ContentId,
        accept: Option<Accept>,
    ) -> Result<Content, FetchError> {
        let from = Origin::of_url(url);
        if id.codec() == Codec::DagCbor {
            let url = |block: &ContentId| beside(url, id, *block);
            return BlockGateway { http: &self.http, origin: &from, url: &url }.fetch(id, accept).await;
        }
        let bytes = self.get(url, &from).await?;
        Content::admit(id, bytes, accept, &from).await
    }

    async fn get(&self, url: &Url, from: &Origin) -> Result<Bytes, FetchError> {
        let bytes = self.http.get(url.clone(), "*/*", from, self.http.limits.body_bytes).await?;
        if bytes.is_empty() { Err(FetchError::EmptyAnswer { from: from.clone() }) } else { Ok(bytes) }
    }
}

/// A gateway that an announced URL names, as a source of the one content in it.
#[derive(Debug)]
pub(crate) struct NamedGateway {
    pub(crate) web: UrlFetcher,
    pub(crate) url: Url,
    pub(crate) origin: Origin,
}

impl FetchBackend for NamedGateway {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.web.fetch_content(&self.url, *id, None))
    }

    fn fetch_accepted<'a>(&'a self, id: &'a ContentId, accept: Accept) -> BoxFuture<'a, Result<Content, FetchError>> {
        Box::pin(self.web.fetch_content(&self.url, *id, Some(accept)))
    }
}

/// The URL of `block` at the gateway where `url` names `asked`: the id is the end of its path, or the first label of its host.
fn beside(url: &Url, asked: ContentId, block: ContentId) -> Url {
    let mut beside = url.clone();
    let host = url.host_str().and_then(|host| host.strip_prefix(&format!("{asked}.")));
    match host {
        Some(rest) if beside.set_host(Some(&format!("{block}.{rest}"))).is_ok() => {}
        _ => beside.set_path(&format!("/ipfs/{block}")),
    }
    beside
}

/// Bytes that nothing has checked. They come out only through [`check`](Self::check).
pub struct Unverified {
    from: Origin,
    bytes: Bytes,
}

impl Unverified {
    /// Gives the bytes when `accept` confirms that they are what was announced.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotAnnounced`]
    pub async fn check(self, accept: impl FnOnce(&[u8]) -> bool + Send + 'static) -> Result<Content, FetchError> {
        let Self { from, bytes } = self;
        blocking(move || accept(&bytes).then(|| Content::of(bytes))).await.ok_or(FetchError::NotAnnounced { from })
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("from", &self.from).field("bytes", &self.bytes.len()).finish()
    }
}
