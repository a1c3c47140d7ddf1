//! Components in OCI registries: an artifact whose one WebAssembly layer is the component.
//!
//! Everything that a registry sends is read with a bound. Sources: <https://github.com/opencontainers/distribution-spec>,
//! <https://distribution.github.io/distribution/spec/auth/token/>.

mod error;
mod registry;

use std::time::Duration;

use oci_client::Reference;
use refiner_content::HttpLimits;
use refiner_http_client::Egress;
use serde::Deserialize;
use tokio::time::timeout;

use crate::Sha256;
use registry::Registry;

pub use error::OciError;

/// Media types of a component's layer, by the CNCF's artifact format for WebAssembly and by the one before it.
const LAYER_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// Media types of manifests. An index would leave the choice of bytes to the registry.
const MANIFEST_TYPES: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// Most bytes of a manifest, which is the most that registries have to take.
const MANIFEST_BYTES_MAX: usize = 4 << 20;
/// Prefix of a sha256 in a registry.
const ALGORITHM: &str = "sha256:";

/// A component in a registry, found and not fetched.
pub struct Found {
    /// The reference with the digest of its manifest.
    pub pinned: Reference,
    /// sha256 of the component.
    pub sha256: Sha256,
    stated_bytes: u64,
}

/// The reference with a digest beside its tag.
pub fn pinned(reference: &Reference, digest: String) -> Reference {
    let (registry, repository) = (reference.registry().to_owned(), reference.repository().to_owned());
    match reference.tag() {
        Some(tag) => Reference::with_tag_and_digest(registry, repository, tag.to_owned(), digest),
        None => Reference::with_digest(registry, repository, digest),
    }
}

/// The parts of a manifest that are read.
#[derive(Deserialize)]
struct Manifest {
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

/// A client of registries.
pub struct Oci {
    registry: Registry,
    limits: HttpLimits,
}

impl Oci {
    /// A client for one reference: registries on this machine are spoken to without encryption.
    pub fn new(egress: &Egress, reference: &Reference, limits: HttpLimits) -> Result<Self, OciError> {
        Ok(Self { registry: Registry::of(egress, reference, limits)?, limits })
    }

    /// Reads the manifest. A digest in the reference is checked against it.
    pub async fn find(&self, reference: &Reference) -> Result<Found, OciError> {
        within(self.limits.deadline, reference, self.manifest(reference)).await?
    }

    async fn manifest(&self, reference: &Reference) -> Result<Found, OciError> {
        let name = reference.digest().or_else(|| reference.tag()).unwrap_or("latest");
        let bytes =
            self.registry.get(&format!("manifests/{name}"), MANIFEST_TYPES, MANIFEST_BYTES_MAX, reference).await?;
        let found = Sha256::of(&bytes);
        if let Some(asked) = reference.digest() {
            let asked = sha256(asked, reference)?;
            if asked != found {
                return Err(OciError::Mismatch { reference: shown(reference), asked, found });
            }
        }
        let layer = component_layer(&bytes, reference)?;
        let pinned = pinned(reference, format!("{ALGORITHM}{found}"));
        Ok(Found { pinned, sha256: sha256(&layer.digest, reference)?, stated_bytes: layer.size })
    }

    /// Fetches the component and checks it against the layer's digest.
    pub async fn fetch(&self, found: &Found) -> Result<Vec<u8>, OciError> {
        within(self.limits.deadline, &found.pinned, self.layer(found)).await?
    }

    async fn layer(&self, Found { pinned, sha256, stated_bytes }: &Found) -> Result<Vec<u8>, OciError> {
        let limit_bytes = self.limits.body_bytes;
        let Some(stated) = usize::try_from(*stated_bytes).ok().filter(|stated| *stated <= limit_bytes) else {
            return Err(OciError::TooLarge { reference: shown(pinned), limit_bytes });
        };
        let got = self.registry.get(&format!("blobs/{ALGORITHM}{sha256}"), "*/*", stated, pinned).await;
        let bytes = got.map_err(|error| match error {
            OciError::TooLarge { reference, .. } => OciError::Longer { reference, stated_bytes: stated },
            error => error,
        })?;
        let found = Sha256::of(&bytes);
        if found == *sha256 {
            Ok(bytes)
        } else {
            Err(OciError::Mismatch { reference: shown(pinned), asked: *sha256, found })
        }
    }
}

/// The one layer of a manifest that is a component.
fn component_layer(manifest: &[u8], reference: &Reference) -> Result<Layer, OciError> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|source| OciError::Manifest { reference: shown(reference), source })?;
    let layers = manifest.layers.ok_or_else(|| OciError::Index { reference: shown(reference) })?;
    let mut layers: Vec<_> =
        layers.into_iter().filter(|layer| LAYER_TYPES.contains(&layer.media_type.as_str())).collect();
    let count = layers.len();
    let layer = layers.pop().filter(|_| count == 1);
    layer.ok_or_else(|| OciError::Layers { reference: shown(reference), found: count })
}

/// Reads a manifest of any registry, for fuzzing.
pub fn read_manifest(bytes: &[u8]) {
    let Ok(reference) = "registry.example/rule:1".parse() else { return };
    if let Err(error) = component_layer(bytes, &reference).and_then(|layer| sha256(&layer.digest, &reference)) {
        assert!(!error.to_string().is_empty());
    }
}

fn sha256(digest: &str, reference: &Reference) -> Result<Sha256, OciError> {
    let sha256 = digest.strip_prefix(ALGORITHM).and_then(|digits| digits.parse().ok());
    sha256.ok_or_else(|| OciError::Digest { reference: shown(reference), digest: digest.to_owned() })
}

async fn within<T>(deadline: Duration, reference: &Reference, work: impl Future<Output = T>) -> Result<T, OciError> {
    timeout(deadline, work)
        .await
        .map_err(|_| OciError::Deadline { reference: shown(reference), deadline_ms: deadline.as_millis() })
}

fn shown(reference: &Reference) -> String {
    format!("oci://{}", reference.whole())
}
