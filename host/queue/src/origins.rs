//! The origins that content is fetched from: only what the settings permit, whatever a message names.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_content::{
    Accept, Content, ContentId, FetchBackend as _, FetchError, Gateway, HttpLimits, serve::ContentName,
};
use refiner_http_client::Egress;
use url::{Host, Url};

/// Clients of origins that are kept.
const CLIENTS_MAX: usize = 1_024;

/// An entry of the allow-list that is neither an origin nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://host:port, https://host, or a network of addresses such as 10.0.0.0/16")]
pub struct OriginError;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Permitted {
    Origin(Url),
    Network { address: IpAddr, bits: u32 },
}

/// The allow-list of origins, and clients of them.
pub struct Origins {
    permitted: Vec<Permitted>,
    egress: Egress,
    limits: HttpLimits,
    /// A lock because fetches run side by side; held for a look into the map.
    clients: Mutex<HashMap<Url, Gateway>>,
}

impl Origins {
    /// Reads an allow-list: base URLs, and networks of which each address is permitted at any port.
    ///
    /// # Errors
    ///
    /// [`OriginError`] where an entry is neither.
    pub fn new(entries: &[String], egress: Egress, stall: Duration, whole: Duration) -> Result<Self, OriginError> {
        let permitted = entries.iter().map(|entry| Permitted::read(entry)).collect::<Option<_>>().ok_or(OriginError)?;
        // An origin that is permitted does not lead to another that is not.
        let limits = HttpLimits { redirects: 0, ..HttpLimits::patient(stall, whole) };
        Ok(Self { permitted, egress, limits, clients: Mutex::default() })
    }

    /// The base URLs of the list itself.
    pub(crate) fn bases(&self) -> Vec<Url> {
        let base = |permitted: &Permitted| match permitted {
            Permitted::Origin(url) => Some(url.clone()),
            Permitted::Network { .. } => None,
        };
        self.permitted.iter().filter_map(base).collect()
    }

    /// Those of the named origins that are permitted.
    pub(crate) fn select(&self, named: &[String]) -> Vec<Url> {
        let permitted = |url: &Url| self.permitted.iter().any(|permitted| permitted.covers(url));
        named.iter().filter_map(|text| origin(text)).filter(permitted).collect()
    }

    /// Fetches content of at most so many bytes from the first of these origins that has it.
    pub(crate) async fn fetch(&self, from: &[Url], id: &ContentId, bytes_max: usize) -> Result<Content, Unfetched> {
        let mut last = Unfetched::Nowhere;
        for url in from {
            let Ok(gateway) = self.client(url) else { continue };
            match gateway.fetch(id).await {
                Ok(content) if content.bytes().len() > bytes_max => {
                    last = Unfetched::TooLarge { bytes: content.bytes().len(), bytes_max };
                }
                Ok(content) => return Ok(content),
                Err(error) => last = Unfetched::Failed(error),
            }
        }
        Err(last)
    }

    /// Fetches content of a length that is known from the first of these origins that has it and whose bytes `accept` takes.
    pub(crate) async fn fetch_known(
        &self,
        from: &[Url],
        name: &ContentName,
        bytes: usize,
        accept: Accept,
        buffers: &Buffers,
    ) -> Result<Bytes, Unfetched> {
        let mut last = Unfetched::Nowhere;
        for url in from {
            let Ok(gateway) = self.client(url) else { continue };
            match gateway.fetch_known(name, bytes, Arc::clone(&accept), buffers).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => last = Unfetched::Failed(error),
            }
        }
        Err(last)
    }

    fn client(&self, url: &Url) -> Result<Gateway, refiner_content::SetupError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(url) {
            return Ok(client.clone());
        }
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        let client = Gateway::through(&self.egress, url.as_str(), self.limits)?;
        clients.insert(url.clone(), client.clone());
        Ok(client)
    }
}

/// Reasons for which content was not had from any permitted origin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfetched {
    /// No origin that is named is permitted.
    #[error("no origin that is permitted is named")]
    Nowhere,
    /// More than was agreed.
    #[error("{bytes} bytes, and at most {bytes_max} were stated")]
    TooLarge { bytes: usize, bytes_max: usize },
    /// The last origin failed.
    #[error(transparent)]
    Failed(FetchError),
}

/// A text as an origin: no credentials, no query, no fragment.
fn origin(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    is_plain.then_some(url)
}

impl Permitted {
    fn read(entry: &str) -> Option<Self> {
        if let Some(url) = origin(entry) {
            return Some(Self::Origin(url));
        }
        let (address, bits) = entry.split_once('/')?;
        let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self::Network { address, bits })
    }

    /// A network covers addresses alone: a name could lead anywhere.
    fn covers(&self, url: &Url) -> bool {
        match self {
            Self::Origin(origin) => origin == url,
            Self::Network { address, bits } => {
                let is_root = matches!(url.path(), "" | "/");
                let of_host = match url.host() {
                    Some(Host::Ipv4(host)) => IpAddr::V4(host),
                    Some(Host::Ipv6(host)) => IpAddr::V6(host),
                    Some(Host::Domain(_)) | None => return false,
                };
                is_root && shares(*address, of_host, *bits)
            }
        }
    }
}

fn shares(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let differing = u32::from(one) ^ u32::from(other);
            differing.leading_zeros() >= bits
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let differing = u128::from(one) ^ u128::from(other);
            differing.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(permitted: &[&str], named: &[&str]) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let second = Duration::from_secs(1);
        let origins = Origins::new(&texts(permitted), Egress::default(), second, second).unwrap();
        origins.select(&texts(named)).iter().map(|url| url.as_str().trim_end_matches('/').to_owned()).collect()
    }

    #[test]
    fn only_origins_of_the_list_are_selected_whatever_is_named() {
        let named = [
            "http://10.0.0.7:5090",
            "http://169.254.169.254/",
            "http://10.0.0.7:5090/other",
            "http://user@10.0.0.7:5090",
            "http://10.0.0.7:5091",
            "https://10.0.0.7:5090",
            "file:///etc/passwd",
            "nonsense",
        ];
        assert_eq!(selected(&["http://10.0.0.7:5090/"], &named), ["http://10.0.0.7:5090"]);
        assert!(selected(&[], &named).is_empty());
    }

    #[test]
    fn network_permits_its_addresses_and_no_name() {
        let named = [
            "http://10.1.2.3:1",
            "http://10.2.0.1:1",
            "http://localhost:1",
            "http://[fd00::1]:1",
            "http://10.1.2.3:1/path",
        ];
        assert_eq!(selected(&["10.1.0.0/16"], &named), ["http://10.1.2.3:1"]);
        assert_eq!(selected(&["fd00::/8"], &named), ["http://[fd00::1]:1"]);
        assert_eq!(selected(&["0.0.0.0/0"], &named).len(), 2);
    }

    #[test]
    fn entry_that_is_no_origin_and_no_network_is_refused() {
        let second = Duration::from_secs(1);
        for entry in ["10.0.0.0", "10.0.0.0/33", "::/129", "ftp://host", "http://user:secret@host", "http://host/?a"] {
            assert!(Origins::new(&[entry.to_owned()], Egress::default(), second, second).is_err(), "{entry}");
        }
    }
}
