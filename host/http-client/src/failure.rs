//! The part of a proxy in a failed request.

use reqwest::Error;

/// A failure of the proxy, or of something that stands in its place. The text names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ProxyFailure {
    /// The proxy takes no connection.
    #[error("no connection to the proxy {proxy}; start it, or correct --proxy")]
    Unreachable {
        /// Scheme, host and port of the proxy.
        proxy: String,
        /// Error of the system or the client.
        source: Error,
    },
    /// The proxy wants credentials, or others.
    #[error(
        "the proxy {proxy} answered 407, which asks for credentials; give those it takes by --proxy http://USER:PASSWORD@HOST:PORT"
    )]
    Credentials {
        /// Scheme, host and port of the proxy.
        proxy: String,
    },
    /// The proxy does not connect to the target.
    #[error("the proxy {proxy} opens no tunnel to {target}; permit it there, or exempt the host by --proxy-except")]
    Tunnel {
        /// Scheme, host and port of the proxy.
        proxy: String,
        /// Host of the URL that was asked.
        target: String,
        /// Error of the client, without the URL.
        source: Error,
    },
    /// A page for people in place of an answer.
    #[error(
        "HTTP {status} with an HTML page came through the proxy {proxy} in place of an answer of {target}; permit it there, or exempt the host by --proxy-except"
    )]
    Page {
        /// Scheme, host and port of the proxy.
        proxy: String,
        /// Host of the URL that was asked.
        target: String,
        /// HTTP status that came with the page.
        status: u16,
    },
}
