//! The manifest of a rule, `rule.toml`: one definition for the SDK, the host and the tools.
//!
//! * **Inputs**: the text of a manifest.
//! * **Outputs**: a [`Manifest`] that is consistent, or a [`ManifestError`] that names the fault. With the feature
//!   `component`, [`embed`] puts the text into a component and [`read`] finds it there.
//! * **Invariants**: reads no file, and does not know what a component imports.
//!
//! ```
//! use refiner_manifest::Manifest;
//!
//! assert!(Manifest::parse("name = \"rule\"").is_err(), "a rule has a version and outputs");
//! ```

mod column;
#[cfg(feature = "component")]
mod component;
mod error;
mod label;
mod manifest;
mod sql;
mod text;

pub use column::{
    COLUMN_FIELD_BYTES_MAX, COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, Column, ColumnFault, ColumnType, DOUBLE_SUFFIX, Scalar,
};
#[cfg(feature = "component")]
pub use component::{ReadError, SECTION, embed, read, without};
pub use error::ManifestError;
pub use label::{
    ARTIFACT_NAME_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, SCHEMA_BYTES_MAX, is_artifact_name, is_media_type, is_schema_name,
};
pub use manifest::{Capability, LIMIT_NAMES, MANIFEST_BYTES_MAX, Manifest, OUTPUTS_MAX, Output, Wasi, World};
pub use sql::is_reserved_word;
pub use text::{NotUtf8, text};
