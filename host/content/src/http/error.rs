//! Errors of connections and clients.

use std::{io, time::Duration};

use refiner_http_client::ProxyFailure;

use crate::Excerpt;

/// Faults of a connection.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection: refused, unreachable, unknown host, or not secured.
    #[error("no connection")]
    Connect(#[source] reqwest::Error),
    /// The proxy between here and the source failed.
    #[error(transparent)]
    Proxy(#[from] ProxyFailure),
    /// The answer did not begin in time.
    #[error("no answer within {answer_ms} ms")]
    NoAnswer {
        /// The limit.
        answer_ms: u64,
    },
    /// The answer stopped coming.
    #[error("silent for {idle_ms} ms")]
    Stalled {
        /// The limit.
        idle_ms: u64,
    },
    /// The answer comes too slowly.
    #[error("{bytes} bytes within {window_ms} ms, expected at least {least_bytes}")]
    TooSlow {
        /// Bytes that came within the window.
        bytes: u64,
        /// The window.
        window_ms: u64,
        /// The least that comes within it.
        least_bytes: u64,
    },
    /// It redirects on and on.
    #[error("more than {redirects} redirects")]
    Redirects {
        /// The limit.
        redirects: usize,
    },
    /// It redirects from https to http.
    #[error("a redirect to an unsecured address")]
    Downgrade,
    /// An announced URL leads into a private network.
    #[error("not a public address, and the URL is not ours")]
    PrivateAddress,
    /// The name of an announced URL could not be looked up, so that nothing is known of where it leads.
    #[error("the name cannot be looked up")]
    Lookup(#[source] io::Error),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
}

/// A URL that cannot be the base of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("not a URL; one looks like http://127.0.0.1:5080")]
    Unreadable(#[source] url::ParseError),
    /// Neither http nor https.
    #[error("scheme {scheme:?}; http and https are used")]
    Scheme {
        /// The scheme.
        scheme: Excerpt,
    },
}

/// The system gave no HTTP client, most likely because it has no certificates.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client; https needs the system's certificates, as in the package ca-certificates")]
pub struct ClientError(#[source] pub(super) reqwest::Error);

/// Reasons for which a request has no usable answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Transport(TransportError),
    TooLarge { limit_bytes: usize },
}

/// A time as errors state it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
