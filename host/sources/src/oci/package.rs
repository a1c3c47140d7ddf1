//! The artifact that a rule is published as, by the CNCF's format for WebAssembly, which wkg and registries read too.
//!
//! Source: <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>. The same component, manifest and texts give the
//! same bytes and so the same digest, whoever publishes them and when.

use serde_json::json;

use super::media;
use crate::{Sha256, oci::reference::ALGORITHM};

/// Media type of the artifact's manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of the configuration.
pub(super) const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// The time that the format wants stated. A real one would give each push another digest.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A rule to be published.
#[derive(Clone, Debug)]
pub struct Package {
    /// The component.
    pub component: Vec<u8>,
    /// The text of its manifest, where it lies beside the component.
    pub beside: Option<Vec<u8>>,
    /// Names of its imports.
    pub imports: Vec<String>,
    /// Names of its exports.
    pub exports: Vec<String>,
    /// Texts that registries show, by their keys.
    pub annotations: Vec<(&'static str, String)>,
}

/// Bytes of the artifact with their media types, in the order in which a registry takes them.
pub(super) struct Artifact<'p> {
    pub(super) blobs: Vec<(&'static str, std::borrow::Cow<'p, [u8]>)>,
    pub(super) manifest: Vec<u8>,
}

impl Package {
    pub(super) fn artifact(&self) -> Artifact<'_> {
        let component = (media::COMPONENT[0], self.component.as_slice());
        let beside = self.beside.as_deref().map(|text| (media::MANIFEST[0], text));
        let layers: Vec<_> = [component].into_iter().chain(beside).collect();
        let digests: Vec<_> = layers.iter().map(|(_, bytes)| digest(bytes)).collect();
        let config = json!({
            "created": CREATED,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": digests,
            "component": { "exports": self.exports, "imports": self.imports },
        });
        let config = config.to_string().into_bytes();
        let descriptor =
            |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() });
        let annotations: serde_json::Map<_, _> =
            self.annotations.iter().map(|(key, text)| ((*key).to_owned(), text.clone().into())).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, &config),
            "layers": layers.iter().map(|(kind, bytes)| descriptor(kind, bytes)).collect::<Vec<_>>(),
            "annotations": annotations,
        });
        let layers = layers.into_iter().map(|(kind, bytes)| (kind, bytes.into()));
        Artifact {
            blobs: layers.chain([(CONFIG_TYPE, config.into())]).collect(),
            manifest: manifest.to_string().into_bytes(),
        }
    }
}

/// The name of some bytes in a registry.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("{ALGORITHM}{}", Sha256::of(bytes))
}
