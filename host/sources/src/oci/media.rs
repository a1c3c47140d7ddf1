//! Media types of a rule's layers, and others that were found in their place.

use std::fmt;

use refiner_content::Excerpt;

/// Media types of a component's layer, by the CNCF's artifact format for WebAssembly and by the one before it.
pub(super) const COMPONENT: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// Media types of the layer with a rule's manifest: the one that is written, and the one that other programs give a TOML file.
pub(super) const MANIFEST: [&str; 2] = ["application/vnd.refiner.rule.manifest.v1+toml", "application/toml"];
/// Layers or artifacts that a message lists.
pub(super) const SHOWN_MAX: usize = 8;

/// The media types of an artifact's layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found(pub(super) Vec<Excerpt>);

/// The artifacts that an index lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub(super) shown: Vec<Excerpt>,
    pub(super) more: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.0.iter().take(SHOWN_MAX).map(Excerpt::as_str).collect();
        match self.0.len() {
            0 => f.write_str("0 layers"),
            1 => write!(f, "1 layer ({})", types[0]),
            count => write!(f, "{count} layers ({})", types.join(", ")),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shown.is_empty() {
            return f.write_str("it lists none");
        }
        let shown: Vec<_> = self.shown.iter().map(Excerpt::as_str).collect();
        f.write_str(&shown.join(", "))?;
        if self.more > 0 { write!(f, " and {} more", self.more) } else { Ok(()) }
    }
}
