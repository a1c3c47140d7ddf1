//! The address of a node, of which only scheme, host and port may be seen.

use std::{fmt, sync::Arc};

use reqwest::RequestBuilder;
use url::Url;

/// Where a node listens. User, password, path and query are used but never shown: providers put keys there.
#[derive(Clone)]
pub struct Endpoint(Arc<Address>);

struct Address {
    url: Url,
    user: String,
    password: Option<String>,
}

impl Endpoint {
    /// Takes the userinfo out of `url`, to be sent as Basic authentication.
    pub fn new(mut url: Url) -> Self {
        let user = decoded(url.username());
        let password = url.password().map(decoded);
        // Neither can be refused for an address that has a host, and without one there is nothing to hide.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self(Arc::new(Address { url, user, password }))
    }

    pub(super) fn post(&self, http: &reqwest::Client) -> RequestBuilder {
        let Address { url, user, password } = &*self.0;
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
    fn userinfo_becomes_basic_authentication_without_its_escapes() {
        let endpoint = Endpoint::new("http://us%3aer:p%40ss%zz@localhost".parse().unwrap());
        assert_eq!((endpoint.0.user.as_str(), endpoint.0.password.as_deref()), ("us:er", Some("p@ss%zz")));
    }
}
