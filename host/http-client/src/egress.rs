//! The way of requests out of this machine.

use std::sync::Arc;

use refiner_diagnostics::causes;
use reqwest::{Client, ClientBuilder, Error, Proxy, Response, StatusCode, header::CONTENT_TYPE};
use url::{Host, Url};

use crate::{ProxyFailure, ProxyUrl};

/// The beginning of the client's errors about a proxy that opens no tunnel; it exports no type for them.
const TUNNEL: &str = "tunnel error: ";
/// Its words where the proxy itself takes no connection.
const NO_CONNECTION: &str = "failed to create underlying connection";
/// Its words for the answer 407.
const CREDENTIALS: &str = "proxy authorization required";

/// The way of requests out of this machine: direct by default, or through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress(Option<Arc<Way>>);

#[derive(Debug, PartialEq, Eq)]
struct Way {
    proxy: ProxyUrl,
    /// Hosts that are asked without the proxy, and what lies below them.
    except: Vec<String>,
}

impl Egress {
    /// Requests go through the proxy, but for those to this machine and to `except`: names with all below them, or addresses.
    pub fn through(proxy: ProxyUrl, except: impl IntoIterator<Item = String>) -> Self {
        let except = except.into_iter().map(|host| host.trim_matches(['.', '[', ']']).to_ascii_lowercase());
        Self(Some(Arc::new(Way { proxy, except: except.filter(|host| !host.is_empty()).collect() })))
    }

    /// Begins a client. Every client of the program begins here: a client of its own would take proxies from the environment.
    pub fn builder(&self) -> ClientBuilder {
        // Another part of the program may have installed it first; it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().user_agent(concat!("refiner/", env!("CARGO_PKG_VERSION"))).no_proxy();
        match self.0.clone() {
            None => builder,
            Some(way) => {
                builder.proxy(Proxy::custom(move |target| way.leads_to(target).then(|| way.proxy.expose().clone())))
            }
        }
    }

    /// The host of the proxy, whose name the client has to look up itself.
    pub fn proxy_host(&self) -> Option<&str> {
        self.0.as_ref().map(|way| way.proxy.host())
    }

    /// The proxy's part in an error of the client, or the error without the URL, which may hold credentials.
    ///
    /// # Errors
    ///
    /// The client's, where the proxy has no part in it.
    pub fn failure(&self, error: Error) -> Result<ProxyFailure, Error> {
        let target = error.url().cloned();
        let error = error.without_url();
        let Some((way, target)) = self.0.as_ref().zip(target).filter(|(way, target)| way.leads_to(target)) else {
            return Err(error);
        };
        let proxy = way.proxy.to_string();
        let tunnel = causes(&error).map(ToString::to_string).find(|cause| cause.starts_with(TUNNEL));
        match tunnel {
            Some(cause) if cause.contains(CREDENTIALS) => Ok(ProxyFailure::Credentials { proxy }),
            Some(cause) if cause.contains(NO_CONNECTION) => Ok(ProxyFailure::Unreachable { proxy, source: error }),
            Some(_) => Ok(ProxyFailure::Tunnel { proxy, target: host(&target), source: error }),
            // Through a tunnel, what fails next is the target's.
            None if target.scheme() == "http" && error.is_connect() => {
                Ok(ProxyFailure::Unreachable { proxy, source: error })
            }
            None => Err(error),
        }
    }

    /// The proxy's failure where it refuses the request, which no target may do in its place.
    pub fn refusal(&self, response: &Response) -> Option<ProxyFailure> {
        let (way, target) = self.way_of(response)?;
        let is_refused = target.scheme() == "http" && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        is_refused.then(|| ProxyFailure::Credentials { proxy: way.proxy.to_string() })
    }

    /// The proxy's failure where it refuses the request, or a page for people came in place of an answer. Only for a response that
    /// cannot be such a page.
    pub fn refusal_or_page(&self, response: &Response) -> Option<ProxyFailure> {
        self.refusal(response).or_else(|| {
            let (way, target) = self.way_of(response)?;
            let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
            let is_page = kind.trim_start().to_ascii_lowercase().starts_with("text/html");
            is_page.then(|| ProxyFailure::Page {
                proxy: way.proxy.to_string(),
                target: host(target),
                status: response.status().as_u16(),
            })
        })
    }

    fn way_of<'a>(&'a self, response: &'a Response) -> Option<(&'a Way, &'a Url)> {
        let target = response.url();
        self.0.as_deref().filter(|way| way.leads_to(target)).map(|way| (way, target))
    }
}

impl Way {
    /// True when requests to the URL go through the proxy.
    fn leads_to(&self, target: &Url) -> bool {
        !is_this_machine(target) && !self.except.iter().any(|except| is_within(&host(target), except))
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['.', '[', ']']).to_owned()
}

fn is_within(host: &str, except: &str) -> bool {
    host.strip_suffix(except).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// True when a URL names this machine: a loopback address, an unspecified address, or `localhost`.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_within(name.trim_end_matches('.'), "localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => {
            let embedded = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || embedded.is_some_and(|address| address.is_loopback() || address.is_unspecified())
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(except: &[&str]) -> Egress {
        let except = except.iter().map(|host| (*host).to_owned());
        Egress::through("http://user:canary@proxy.example:3128".parse().unwrap(), except)
    }

    fn leads_to(egress: &Egress, target: &str) -> bool {
        egress.0.as_ref().unwrap().leads_to(&target.parse().unwrap())
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        for host in [
            "localhost",
            "localhost.",
            "LOCALHOST",
            "node.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "2130706433",
            "0x7f.1",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!leads_to(&egress(&[]), &format!("http://{host}:8545/a")), "{host}");
            assert!(!leads_to(&egress(&[]), &format!("https://{host}")), "{host}");
        }
        for host in ["notlocalhost", "localhost.example", "10.0.0.1", "128.0.0.1", "[2606::1]", "pinner"] {
            assert!(leads_to(&egress(&[]), &format!("http://{host}")), "{host}");
        }
    }

    #[test]
    fn exempted_hosts_are_asked_without_the_proxy() {
        let egress = egress(&["pinner", ".Corp.example", "10.0.0.1", "[2606::1]", ""]);
        for host in ["pinner", "PINNER", "corp.example", "a.b.corp.example.", "10.0.0.1", "[2606::1]"] {
            assert!(!leads_to(&egress, &format!("http://{host}")), "{host}");
        }
        for host in ["pinner.example", "notcorp.example", "110.0.0.1", "10.0.0.2", "[2606::2]"] {
            assert!(leads_to(&egress, &format!("http://{host}")), "{host}");
        }
    }

    #[test]
    fn credentials_of_the_proxy_are_in_no_debug_text() {
        let egress = egress(&[]);
        let client = egress.builder().build().unwrap();
        let text = format!("{egress:?} {client:?} {:?}", egress.builder());
        assert!(text.contains("proxy.example") && !text.contains("canary"), "{text}");
    }
}
