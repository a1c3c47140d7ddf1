//! The manifest of a rule, `rule.toml`: one definition for the SDK, the host and the tools.
//!
//! Comes in: the text of a manifest. Goes out: a [`Manifest`] that agrees with itself, or a [`ManifestError`] that says what is
//! wrong with it. With the feature `component`: [`embed`] puts the text into a component, [`read`] finds it there. Never here:
//! files, and what a component really imports.

#[cfg(feature = "component")]
mod component;
mod error;
mod label;
mod manifest;

#[cfg(feature = "component")]
pub use component::{ReadError, SECTION, embed, read};
pub use error::ManifestError;
pub use label::{
    ARTIFACT_NAME_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, SCHEMA_BYTES_MAX, is_artifact_name, is_media_type, is_schema_name,
};
pub use manifest::{Capability, LIMIT_NAMES, MANIFEST_BYTES_MAX, Manifest, OUTPUTS_MAX, Output, Wasi, World};
