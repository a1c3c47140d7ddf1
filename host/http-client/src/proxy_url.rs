//! The URL of a proxy.

use std::{fmt, str::FromStr};

use url::Url;

/// The URL of an HTTP proxy. Its user and password are sent and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

/// The reasons for which a text is not the URL of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// The text is not a URL with a host.
    #[error("not a URL; one looks like http://127.0.0.1:3128")]
    Unreadable,
    /// The proxy is spoken to in another way than by HTTP.
    #[error("scheme {scheme}, expected http")]
    Scheme {
        /// The scheme that was found instead.
        scheme: String,
    },
}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(|_| ProxyUrlError::Unreadable)?;
        match url.scheme() {
            "http" => Ok(Self(url)),
            scheme if url.has_host() => Err(ProxyUrlError::Scheme { scheme: scheme.to_owned() }),
            // `proxy:3128` has the scheme `proxy`.
            _ => Err(ProxyUrlError::Unreadable),
        }
    }
}

impl ProxyUrl {
    /// The URL with its credentials, for the client alone.
    pub(crate) fn expose(&self) -> &Url {
        &self.0
    }

    /// The name or address of its host.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

/// Shows scheme, host and port alone.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_schemes_are_refused_by_name() {
        let read = |text: &str| text.parse::<ProxyUrl>();
        assert!(read("http://127.0.0.1:3128").is_ok() && read(" http://user:password@proxy.example/ ").is_ok());
        for scheme in ["https", "socks4", "socks5", "socks5h", "ftp"] {
            let refused = read(&format!("{scheme}://proxy.example:3128")).unwrap_err();
            assert_eq!(refused, ProxyUrlError::Scheme { scheme: scheme.to_owned() });
        }
        for text in ["", "proxy", "proxy:3128", "127.0.0.1:3128", "http://"] {
            assert_eq!(read(text), Err(ProxyUrlError::Unreadable), "{text}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let proxy: ProxyUrl = "http://user:canary@proxy.example:3128/?canary".parse().unwrap();
        assert_eq!((proxy.to_string(), format!("{proxy:?}")).0, "http://proxy.example:3128");
        assert_eq!(format!("{proxy:?}"), "http://proxy.example:3128");
    }
}
