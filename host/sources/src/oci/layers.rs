//! Manifests in a registry: the layer that is the component, and the one that is its manifest.

use oci_client::Reference;
use refiner_content::Excerpt;
use serde::Deserialize;

use super::{
    OciError,
    error::JsonFault,
    media::{COMPONENT, Found, Listed, MANIFEST, SHOWN_MAX},
    reference::{sha256, shown},
};
use crate::Sha256;

/// The layers of a rule.
pub(super) struct RuleLayers {
    pub(super) component: Blob,
    pub(super) manifest: Option<Blob>,
}

/// A layer as its manifest states it.
#[derive(Clone, Copy)]
pub(super) struct Blob {
    pub(super) sha256: Sha256,
    pub(super) stated_bytes: u64,
}

/// The parts of a manifest that are read.
#[derive(Deserialize)]
struct Manifest {
    layers: Option<Vec<Layer>>,
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
}

#[derive(Deserialize)]
struct Entry {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// The component's layer, and its manifest's where there is one.
pub(super) fn read(manifest: &[u8], reference: &Reference) -> Result<RuleLayers, OciError> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|fault| OciError::Manifest { reference: shown(reference), fault: JsonFault::of(&fault) })?;
    let Manifest { layers, manifests } = manifest;
    let layers =
        layers.ok_or_else(|| OciError::Index { reference: shown(reference), listed: Listed::of(&manifests) })?;
    let of = |types: [&str; 2]| -> Vec<&Layer> {
        layers.iter().filter(|layer| types.contains(&layer.media_type.as_str())).collect()
    };
    let [component] = of(COMPONENT)[..] else {
        return Err(OciError::Layers { reference: shown(reference), layers: Found::of(&layers) });
    };
    let manifest = match of(MANIFEST)[..] {
        [] => None,
        [manifest] => Some(manifest),
        _ => return Err(OciError::Manifests { reference: shown(reference) }),
    };
    let blob = |layer: &Layer| -> Result<Blob, OciError> {
        Ok(Blob { sha256: sha256(&layer.digest, reference)?, stated_bytes: layer.size })
    };
    Ok(RuleLayers { component: blob(component)?, manifest: manifest.map(blob).transpose()? })
}

impl Found {
    fn of(layers: &[Layer]) -> Self {
        Self(layers.iter().map(|layer| Excerpt::of(layer.media_type.as_bytes())).collect())
    }
}

impl Listed {
    fn of(entries: &[Entry]) -> Self {
        let shown = entries.iter().take(SHOWN_MAX).map(|Entry { digest, platform }| {
            let platform = platform.as_ref().map(|platform| format!(" {}/{}", platform.os, platform.architecture));
            Excerpt::of(format!("{digest}{}", platform.unwrap_or_default()).as_bytes())
        });
        Self { shown: shown.collect(), more: entries.len().saturating_sub(SHOWN_MAX) }
    }
}
