//! Addresses that announced URLs may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use refiner_http_client::Egress;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::http::TransportError;

/// Addresses that an announced URL may lead to. The proof chain stores what any producer wrote, and `http://169.254.169.254/` is a URL too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AddressPolicy {
    /// Public addresses only, also after redirects and name lookups.
    #[default]
    Public,
    /// Every address, for tests and private networks.
    Anywhere,
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
