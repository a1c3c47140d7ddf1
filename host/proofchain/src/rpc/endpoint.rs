//! The address of a node, of which only scheme, host and port may be seen.

use std::{fmt, sync::Arc};

use base64_simd::STANDARD;
use reqwest::RequestBuilder;
use serde::de::Error as _;
use url::Url;

use super::printable;

/// Where a node listens. User, password, path and query are used but never shown: providers put keys there.
#[derive(Clone)]
pub struct Endpoint(Arc<Address>);

struct Address {
    url: Url,
    user: String,
    password: Option<String>,
    /// Confidential parts of the address, encoded and decoded, the longest first.
    secrets: Vec<String>,
}

/// Shorter parts of an address are words such as `v3`, which hide nothing.
const SECRET_CHARS: usize = 6;

impl Endpoint {
    /// Takes the userinfo out of `url`, to be sent as Basic authentication.
    pub fn new(mut url: Url) -> Self {
        let user = decoded(url.username());
        let password = url.password().map(decoded);
        let mut secrets = secrets(&url);
        if !user.is_empty() || password.is_some() {
            // In the form of the header. First, as a shorter secret may be a part of it.
            let pair = format!("{user}:{}", password.as_deref().unwrap_or_default());
            secrets.insert(0, STANDARD.encode_to_string(pair));
        }
        // Neither can be refused for an address that has a host, and without one there is nothing to hide.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self(Arc::new(Address { url, user, password, secrets }))
    }

    /// Confidential parts of the address, encoded and decoded.
    pub fn hidden(&self) -> impl Iterator<Item = &str> {
        self.0.secrets.iter().map(String::as_str)
    }

    /// A node's text without what the address hides: some repeat it in their errors.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        self.0.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"))
    }

    pub(super) fn scrubbed_error(&self, error: &serde_json::Error) -> serde_json::Error {
        serde_json::Error::custom(self.scrubbed(&printable(&error.to_string())))
    }

    pub(super) fn post(&self, http: &reqwest::Client) -> RequestBuilder {
        let Address { url, user, password, .. } = &*self.0;
        let request = http.post(url.clone());
        if user.is_empty() && password.is_none() { request } else { request.basic_auth(user, password.as_deref()) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0.url;
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        match url.port() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn secrets(url: &Url) -> Vec<String> {
    let parts = [url.username(), url.password().unwrap_or_default(), url.fragment().unwrap_or_default()];
    let segments = url.path_segments().into_iter().flatten();
    let values =
        url.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let parts = parts.into_iter().chain(segments).chain(values);
    let mut secrets: Vec<_> = parts.flat_map(|part| [part.to_owned(), decoded(part)]).collect();
    secrets.retain(|secret| secret.chars().count() >= SECRET_CHARS);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

/// Undoes percent encoding, byte for byte.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, shown: &str) {
        let endpoint = Endpoint::new(url.parse().unwrap());
        assert_eq!(format!("{endpoint}"), shown);
        assert_eq!(format!("{endpoint:?}"), shown);
    }

    #[test]
    fn an_address_shows_scheme_host_and_port_only() {
        check("https://rpc.example/v1/SECRET?key=SECRET#SECRET", "https://rpc.example");
        check("http://SECRET:SECRET@127.0.0.1:8545/SECRET", "http://127.0.0.1:8545");
        check("http://[::1]:1/", "http://[::1]:1");
    }

    #[test]
    fn text_of_a_node_holds_nothing_that_its_address_hides() {
        let endpoint = Endpoint::new(
            "https://us3r-name:p%40ssw0rd@host/v3/s3cret-path?key=s3cret-query&v=1#s3cret-end".parse().unwrap(),
        );
        let told = "no /v3/s3cret-path?key=s3cret-query&v=1#s3cret-end for us3r-name:p@ssw0rd (p%40ssw0rd)";
        assert_eq!(endpoint.scrubbed(told), "no /v3/…?key=…&v=1#… for …:… (…)");
        // `us3r-name:p@ssw0rd`, and a short password.
        assert_eq!(endpoint.scrubbed("Basic dXMzci1uYW1lOnBAc3N3MHJk is unknown"), "Basic … is unknown");
        let short = Endpoint::new("https://a:b@host/".parse().unwrap());
        assert_eq!(short.scrubbed("Basic YTpi is unknown"), "Basic … is unknown");
    }

    #[test]
    fn userinfo_becomes_basic_authentication_without_its_escapes() {
        let endpoint = Endpoint::new("http://us%3aer:p%40ss%zz@localhost".parse().unwrap());
        assert_eq!((endpoint.0.user.as_str(), endpoint.0.password.as_deref()), ("us:er", Some("p@ss%zz")));
    }
}
