//! The requests that a web page could make a browser send.
//!
//! None of our servers has authentication, so every client that reaches one may use it. A page that an operator opens must not: browsers name the
//! page's origin in `Origin` and `Sec-Fetch-Site`, and where a page's own name was made to lead here (DNS rebinding), that name stands
//! in `Host`. Sources: <https://fetch.spec.whatwg.org/#origin-header>, <https://www.w3.org/TR/fetch-metadata/>.

use std::net::IpAddr;

use axum::{
    http::{HeaderMap, StatusCode, Uri, header::CONNECTION, header::HOST, header::ORIGIN},
    response::{IntoResponse, Response},
};
use url::{Host, Url};

/// The names by which a server may be asked.
#[derive(Clone, Debug, Default)]
pub struct Access {
    hosts: Vec<String>,
    pub(crate) is_loopback: bool,
}

/// A request that a web page can have caused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The page has another origin than this server.
    #[error("a page of another origin sent this request; only this server's own pages and programs may")]
    Origin,
    /// The server is asked by a name that anybody can register.
    #[error(
        "this server is not asked by that name; use its address or localhost, or permit the name with --allow-host"
    )]
    Host,
}

impl Access {
    /// Permits these names beside `localhost`, addresses, and names without a dot, which no stranger can register.
    #[must_use]
    pub fn of_hosts(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { hosts: hosts.into_iter().collect(), is_loopback: false }
    }

    /// Checks where a request comes from.
    ///
    /// # Errors
    ///
    /// [`Forbidden`]
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Forbidden> {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(HOST.as_str()));
        let origin = text(ORIGIN.as_str());
        if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
            || origin.is_some_and(|origin| !is_of(origin, host))
        {
            return Err(Forbidden::Origin);
        }
        // Only a browser sends an origin. Elsewhere programs of a private network may use any name of theirs.
        if (self.is_loopback || origin.is_some()) && !host.is_none_or(|host| self.permits(host)) {
            return Err(Forbidden::Host);
        }
        Ok(())
    }

    fn permits(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
        match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                !name.contains('.')
                    || name.ends_with(".localhost")
                    || self.hosts.iter().any(|permitted| permitted.eq_ignore_ascii_case(name))
            }
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            None => false,
        }
    }

    /// Names of addresses that a listener has.
    pub(crate) fn on(self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let is_loopback = addresses.into_iter().all(|address| address.is_loopback());
        Self { is_loopback, ..self }
    }
}

/// Tells whether the origin's host and port are those that the request names. A proxy may have taken https away.
fn is_of(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    matches!((authority, host), (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host))
}

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        // What is left of the request's body is not read.
        let body = format!("{{\"error\": {}}}", serde_json::Value::from(self.to_string()));
        (StatusCode::FORBIDDEN, [(CONNECTION, "close")], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(access: &Access, headers: &[(&str, &str)]) -> Result<(), Forbidden> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(axum::http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        access.check(&Uri::from_static("/upload"), &map)
    }

    fn on(address: &str, hosts: &[&str]) -> Access {
        Access::of_hosts(hosts.iter().map(ToString::to_string)).on([address.parse().unwrap()])
    }

    #[test]
    fn programs_are_admitted_by_address_and_by_name() {
        let local = on("127.0.0.1", &[]);
        for host in ["127.0.0.1:5080", "localhost:5080", "[::1]:5080", "content", "a.localhost", "192.168.0.1"] {
            assert_eq!(check(&local, &[("host", host)]), Ok(()), "{host}");
        }
        assert_eq!(check(&local, &[]), Ok(()));
        assert_eq!(check(&on("0.0.0.0", &[]), &[("host", "evm.example.svc.cluster.local:3002")]), Ok(()));
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let local = on("127.0.0.1", &[]);
        let host = ("host", "localhost:5080");
        for origin in ["https://example.org", "null", "http://localhost:8080", "http://127.0.0.1:5080", "file://"] {
            assert_eq!(check(&local, &[host, ("origin", origin)]), Err(Forbidden::Origin), "{origin}");
        }
        for site in ["cross-site", "same-site", "anything"] {
            assert_eq!(check(&local, &[host, ("sec-fetch-site", site)]), Err(Forbidden::Origin), "{site}");
        }
        assert_eq!(check(&local, &[host, ("origin", "http://LOCALHOST:5080")]), Ok(()));
        assert_eq!(check(&local, &[host, ("sec-fetch-site", "none")]), Ok(()));
        assert_eq!(check(&local, &[host, ("sec-fetch-site", "same-origin")]), Ok(()));
    }

    #[test]
    fn a_name_that_was_made_to_lead_here_is_refused() {
        let rebound = ("host", "rebound.example.org:5080");
        let origin = ("origin", "http://rebound.example.org:5080");
        assert_eq!(check(&on("127.0.0.1", &[]), &[rebound]), Err(Forbidden::Host));
        assert_eq!(check(&on("0.0.0.0", &[]), &[rebound, origin]), Err(Forbidden::Host));
        for permitted in ["127.0.0.1", "0.0.0.0"] {
            let access = on(permitted, &["Rebound.example.org"]);
            assert_eq!(check(&access, &[rebound, origin]), Ok(()));
        }
        assert_eq!(check(&on("127.0.0.1", &[]), &[("host", "a b")]), Err(Forbidden::Host));
    }
}
