//! Errors of fetching a component from a registry.

use refiner_http_client::ProxyFailure;

use crate::Sha256;

/// Errors of fetching a component from a registry.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// No HTTP client, most likely for want of certificates.
    #[error("no HTTP client; https needs the system's certificates, as in the package ca-certificates")]
    Client(#[source] reqwest::Error),
    /// No connection, or it broke.
    #[error("{reference}: {source}")]
    Transport {
        /// The reference that was asked for.
        reference: String,
        /// The fault of the connection.
        source: reqwest::Error,
    },
    /// The proxy between here and the registry failed.
    #[error("{reference}: {source}")]
    Proxy {
        /// The reference that was asked for.
        reference: String,
        /// The failure, with its remedy.
        source: ProxyFailure,
    },
    /// The registry refuses, or does not have it.
    #[error("{reference}: the registry answered {status}")]
    Status {
        /// The reference that was asked for.
        reference: String,
        /// The HTTP status.
        status: u16,
    },
    /// The registry asks for a login, and no anonymous one is to be had.
    #[error("{reference}: the registry gives no anonymous access")]
    Login {
        /// The reference that was asked for.
        reference: String,
    },
    /// The manifest cannot be read.
    #[error("{reference}: the manifest is malformed")]
    Manifest {
        /// The reference that was asked for.
        reference: String,
        /// The fault of its JSON.
        source: serde_json::Error,
    },
    /// An index of manifests, or something else without layers.
    #[error("{reference} has no layers; an index is not followed, name one of its manifests by digest")]
    Index {
        /// The reference that was asked for.
        reference: String,
    },
    /// The bytes do not have the digest that names them.
    #[error("{reference}: expected the sha256 digest {asked}, found {found}")]
    Mismatch {
        /// The reference that was asked for.
        reference: String,
        /// The digest that was asked for.
        asked: Sha256,
        /// The digest of what came.
        found: Sha256,
    },
    /// It took too long.
    #[error("{reference} did not come within {deadline_ms} ms")]
    Deadline {
        /// The reference that was asked for.
        reference: String,
        /// The limit that was exceeded.
        deadline_ms: u128,
    },
    /// Not one component.
    #[error("{reference} has {found} layers of WebAssembly, and a rule has one")]
    Layers {
        /// The reference that was asked for.
        reference: String,
        /// Number of layers that it has.
        found: usize,
    },
    /// A digest of another kind.
    #[error("{reference} is named by the digest {digest}; sha256 is read")]
    Digest {
        /// The reference that was asked for.
        reference: String,
        /// The digest.
        digest: String,
    },
    /// More bytes than the manifest states.
    #[error("{reference} is longer than the {stated_bytes} bytes that its manifest states")]
    Longer {
        /// The reference that was asked for.
        reference: String,
        /// Bytes of the layer, by the manifest.
        stated_bytes: usize,
    },
    /// More bytes than a component, a manifest or a token may have.
    #[error("{reference} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The reference that was asked for.
        reference: String,
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
}
