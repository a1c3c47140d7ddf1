//! Components in OCI registries: an artifact whose one WebAssembly layer is the component.
//!
//! Everything that a registry sends is read with a bound. Sources: <https://github.com/opencontainers/distribution-spec>,
//! <https://distribution.github.io/distribution/spec/auth/token/>.

mod challenge;
mod error;
mod layers;
mod media;
mod package;
mod push;
mod reference;
mod registry;

use std::time::Duration;

use oci_client::Reference;
use refiner_content::HttpLimits;
use refiner_http_client::Egress;
use tokio::time::timeout;

use crate::{CredentialFiles, Instead, MANIFEST_BYTES_MAX, Sha256};
use error::Asked;
use layers::{Blob, RuleLayers};
use reference::{ALGORITHM, sha256, shown};
use registry::{Direction, Registry};

pub use error::OciError;
pub use package::Package;
pub use push::push;

/// Media types of manifests. An index is asked for too, so that it can be refused by name; to follow one would leave the choice of bytes
/// to the registry.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// Most bytes of a manifest, which is the most that registries have to take.
const REGISTRY_MANIFEST_BYTES_MAX: usize = 4 << 20;
/// A component in a registry, found and not fetched.
pub struct Found {
    /// The reference with the digest of its manifest.
    pub pinned: Reference,
    /// sha256 of the component.
    pub sha256: Sha256,
    /// sha256 of the rule's manifest, where that is a layer of its own.
    pub manifest_sha256: Option<Sha256>,
    layers: RuleLayers,
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
    registry: Registry,
    limits: HttpLimits,
}

impl Oci {
    /// A client for one reference: registries on this machine are spoken to without encryption.
    pub fn new(
        egress: &Egress,
        reference: &Reference,
        limits: HttpLimits,
        credentials: CredentialFiles,
    ) -> Result<Self, OciError> {
        Ok(Self { registry: Registry::of(egress, reference, limits, credentials, Direction::Pull)?, limits })
    }

    /// Reads the manifest. A digest in the reference is checked against it.
    pub async fn find(&self, reference: &Reference) -> Result<Found, OciError> {
        within(self.limits.deadline, reference, self.manifest(reference)).await?
    }

    async fn manifest(&self, reference: &Reference) -> Result<Found, OciError> {
        let name = reference.digest().or_else(|| reference.tag()).unwrap_or("latest");
        let path = format!("manifests/{name}");
        let (types, limit_bytes) = (MANIFEST_TYPES, REGISTRY_MANIFEST_BYTES_MAX);
        let bytes = self.registry.get(&path, types, limit_bytes, Asked::Manifest, reference).await?;
        if let Some(instead) = Instead::of(&bytes) {
            return Err(OciError::Instead { reference: shown(reference), instead, expected: Asked::Manifest });
        }
        let found = Sha256::of(&bytes);
        if let Some(asked) = reference.digest() {
            let asked = sha256(asked, reference)?;
            if asked != found {
                return Err(OciError::Mismatch { reference: shown(reference), asked, found });
            }
        }
        let layers = layers::read(&bytes, reference)?;
        let pinned = pinned(reference, format!("{ALGORITHM}{found}"));
        let manifest_sha256 = layers.manifest.map(|blob| blob.sha256);
        Ok(Found { pinned, sha256: layers.component.sha256, manifest_sha256, layers })
    }

    /// Fetches the component and checks it against the layer's digest.
    pub async fn fetch(&self, found: &Found) -> Result<Vec<u8>, OciError> {
        let layer = self.layer(&found.pinned, found.layers.component, self.limits.body_bytes);
        within(self.limits.deadline, &found.pinned, layer).await?
    }

    /// Fetches the rule's manifest, where it is a layer, and checks it likewise.
    pub async fn fetch_manifest(&self, found: &Found) -> Result<Option<Vec<u8>>, OciError> {
        let Some(blob) = found.layers.manifest else { return Ok(None) };
        let layer = self.layer(&found.pinned, blob, MANIFEST_BYTES_MAX);
        within(self.limits.deadline, &found.pinned, layer).await?.map(Some)
    }

    async fn layer(&self, pinned: &Reference, blob: Blob, limit_bytes: usize) -> Result<Vec<u8>, OciError> {
        let Blob { sha256, stated_bytes } = blob;
        let Some(stated) = usize::try_from(stated_bytes).ok().filter(|stated| *stated <= limit_bytes) else {
            return Err(OciError::TooLarge { reference: shown(pinned), limit_bytes });
        };
        let expected = Asked::Layer(sha256);
        let got = self.registry.get(&format!("blobs/{ALGORITHM}{sha256}"), "*/*", stated, expected, pinned).await;
        let bytes = got.map_err(|error| match error {
            OciError::TooLarge { reference, .. } => OciError::Longer { reference, stated_bytes: stated },
            error => error,
        })?;
        let found = Sha256::of(&bytes);
        match Instead::of(&bytes) {
            // Whoever published it published that.
            _ if found == sha256 => Ok(bytes),
            Some(instead) => Err(OciError::Instead { reference: shown(pinned), instead, expected }),
            None => Err(OciError::Mismatch { reference: shown(pinned), asked: sha256, found }),
        }
    }
}

/// Reads a manifest of any registry, for fuzzing.
pub fn read_manifest(bytes: &[u8]) {
    let Ok(reference) = "registry.example/rule:1".parse() else { return };
    if let Err(error) = layers::read(bytes, &reference) {
        assert!(!error.to_string().is_empty());
    }
}

async fn within<T>(deadline: Duration, reference: &Reference, work: impl Future<Output = T>) -> Result<T, OciError> {
    timeout(deadline, work)
        .await
        .map_err(|_| OciError::Deadline { reference: shown(reference), deadline_ms: deadline.as_millis() })
}
