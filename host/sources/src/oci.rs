//! Components in OCI registries: an artifact whose one WebAssembly layer is the component.

use std::{io, time::Duration};

use futures_util::StreamExt as _;
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol},
    errors::OciDistributionError,
    manifest::OciDescriptor,
    secrets::RegistryAuth,
};
use refiner_content::HttpLimits;
use tokio::time::timeout;

use crate::{Sha256, source::is_loopback_registry};

/// Media types of a component's layer, by the CNCF's artifact format for WebAssembly and by the one before it.
const LAYER_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];

/// Prefix of a sha256 in a registry.
const ALGORITHM: &str = "sha256:";

/// Errors of fetching a component from a registry.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// It refuses, is not there, or what it sends is not what was asked for.
    #[error("{reference}: {source}")]
    Registry {
        /// The reference that was asked for.
        reference: String,
        /// The registry client's error.
        source: Box<OciDistributionError>,
    },
    /// The connection broke, or the bytes do not have their digest.
    #[error("{reference}: {source}")]
    Layer {
        /// The reference that was asked for.
        reference: String,
        /// The registry client's error.
        source: io::Error,
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
    #[error("{reference} names its layer by {digest}, and sha256 is understood here")]
    Digest {
        /// The reference that was asked for.
        reference: String,
        /// The digest.
        digest: String,
    },
    /// More bytes than a component may have.
    #[error("{reference} has more than {limit_bytes} bytes")]
    TooLarge {
        /// The reference that was asked for.
        reference: String,
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
}

/// A component in a registry, found and not fetched.
pub struct Found {
    /// The reference with the digest of its manifest.
    pub pinned: Reference,
    /// sha256 of the component.
    pub sha256: Sha256,
    layer: OciDescriptor,
}

/// The reference with a digest beside its tag.
pub fn pinned(reference: &Reference, digest: String) -> Reference {
    let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
    match reference.tag() {
        Some(tag) => Reference::with_tag_and_digest(registry, repository, tag.to_owned(), digest),
        None => Reference::with_digest(registry, repository, digest),
    }
}

/// A client of registries.
pub struct Oci {
    client: Client,
    limits: HttpLimits,
}

impl Oci {
    /// A client for one reference: registries on this machine are spoken to without encryption.
    pub fn new(reference: &Reference, limits: HttpLimits) -> Self {
        // Another part of the program may have installed it first; it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let local = is_loopback_registry(reference.registry());
        let client = Client::new(ClientConfig {
            protocol: if local { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(limits.connect),
            read_timeout: Some(limits.idle),
            // An index would leave the choice of bytes to the registry.
            platform_resolver: None,
            ..ClientConfig::default()
        });
        Self { client, limits }
    }

    /// Reads the manifest. A digest in the reference is checked against it.
    pub async fn find(&self, reference: &Reference) -> Result<Found, OciError> {
        let anonymous = RegistryAuth::Anonymous;
        let pulled = within(self.limits.deadline, reference, self.client.pull_image_manifest(reference, &anonymous));
        let (manifest, digest) = pulled
            .await?
            .map_err(|source| OciError::Registry { reference: shown(reference), source: source.into() })?;
        let wasm = |layer: &OciDescriptor| LAYER_TYPES.contains(&layer.media_type.as_str());
        let mut layers: Vec<_> = manifest.layers.into_iter().filter(wasm).collect();
        let found = layers.len();
        let layer = layers.pop().filter(|_| found == 1);
        let layer = layer.ok_or_else(|| OciError::Layers { reference: shown(reference), found })?;
        let sha256 = layer.digest.strip_prefix(ALGORITHM).and_then(|digits| digits.parse().ok());
        let sha256 =
            sha256.ok_or_else(|| OciError::Digest { reference: shown(reference), digest: layer.digest.clone() })?;
        Ok(Found { pinned: pinned(reference, digest), sha256, layer })
    }

    /// Fetches the component. The client holds it against the layer's digest.
    pub async fn fetch(&self, found: &Found) -> Result<Vec<u8>, OciError> {
        within(self.limits.deadline, &found.pinned, self.layer(found)).await?
    }

    async fn layer(&self, found: &Found) -> Result<Vec<u8>, OciError> {
        let Found { pinned, layer, .. } = found;
        let limit_bytes = self.limits.body_bytes;
        let too_large = || OciError::TooLarge { reference: shown(pinned), limit_bytes };
        if usize::try_from(layer.size).is_ok_and(|stated| stated > limit_bytes) {
            return Err(too_large());
        }
        let mut stream = self
            .client
            .pull_blob_stream(pinned, layer)
            .await
            .map_err(|source| OciError::Registry { reference: shown(pinned), source: source.into() })?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.stream.next().await {
            let piece = piece.map_err(|source| OciError::Layer { reference: shown(pinned), source })?;
            if bytes.len() + piece.len() > limit_bytes {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

async fn within<T>(deadline: Duration, reference: &Reference, work: impl Future<Output = T>) -> Result<T, OciError> {
    timeout(deadline, work)
        .await
        .map_err(|_| OciError::Deadline { reference: shown(reference), deadline_ms: deadline.as_millis() })
}

fn shown(reference: &Reference) -> String {
    format!("oci://{}", reference.whole())
}
