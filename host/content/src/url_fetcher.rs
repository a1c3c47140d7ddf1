//! URLs that other parties wrote.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use refiner_http_client::Egress;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::{
    Accept, ClientError, Codec, Content, ContentId, FetchBackend, FetchError, HttpLimits, Origin, TransportError,
    blocking::blocking, das::BlockGateway, http::Http,
};

/// Where an announced URL may lead. The proof chain stores what any producer wrote, and `http://169.254.169.254/` is a URL too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AddressPolicy {
    /// Public addresses only, also after redirects and name lookups.
    #[default]
    Public,
    /// Every address, for tests and private networks.
    Anywhere,
}

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
    /// [`FetchError::NotAccepted`]
    pub async fn check(self, accept: impl FnOnce(&[u8]) -> bool + Send + 'static) -> Result<Content, FetchError> {
        let Self { from, bytes } = self;
        blocking(move || accept(&bytes).then(|| Content::of(bytes))).await.ok_or(FetchError::NotAccepted { from })
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("from", &self.from).field("bytes", &self.bytes.len()).finish()
    }
}

/// Looks names up and forgets addresses that are not public, but for the proxy's, which the operator chose.
#[derive(Clone, Debug)]
pub(crate) struct PublicResolver {
    proxy: Option<String>,
}

impl PublicResolver {
    pub(crate) fn beside(egress: &Egress) -> Self {
        Self { proxy: egress.proxy_host().map(str::to_owned) }
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        // A URL with the proxy's name was refused by its address before.
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_proxy || is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// A name has no public address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no public address")]
pub(crate) struct NotPublic;

/// Checks that a URL leads to public addresses only, by all that its name stands for.
pub(crate) async fn check_is_public(url: &Url) -> Result<(), TransportError> {
    let is_public = match url.host() {
        Some(Host::Domain(name)) => {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(TransportError::Lookup)?;
            let mut found = found.peekable();
            found.peek().is_some() && found.all(|address| is_public(address.ip()))
        }
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        None => false,
    };
    if is_public { Ok(()) } else { Err(TransportError::PrivateAddress) }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the IANA registry of special-purpose addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!((a, b, c), (0 | 224.., ..) | (100, 64..128, _) | (192, 0, 0) | (198, 18 | 19, _));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, _, _, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        (0, 0) => address.to_ipv4_mapped().is_some_and(is_public_v4),
        (0x64, 0xff9b) => (c, d) == (0, 0) && embedded(g, h),
        (0x2002, _) => embedded(b, c),
        (0x2001, 0..0x200 | 0xdb8) => false,
        // 2000::/3 is all that is allocated to the public.
        _ => a & 0xe000 == 0x2000,
    }
}
