//! A rule's description of itself, and the labels of its artifacts.

use std::fmt;

use crate::{Artifact, Misuse, UntrustedText};

/// A rule's description of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The rule's name, 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`.
    pub name: String,
    /// Its version, of the same characters and `+`.
    pub version: String,
    /// The layouts it accepts, `"0.38"`; empty means every layout.
    pub layouts: Vec<String>,
    /// The artifacts it produces.
    pub outputs: Vec<OutputDescription>,
}

/// An artifact that a rule describes as its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputDescription {
    /// Name of the artifact.
    pub name: String,
    /// Media type of the artifact.
    pub media_type: String,
    /// The name of the schema its bytes follow.
    pub schema: Option<String>,
}

impl fmt::Display for OutputDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, media_type, schema } = self;
        match schema {
            Some(schema) => write!(f, "{name:?} ({media_type:?}, schema {schema:?})"),
            None => write!(f, "{name:?} ({media_type:?})"),
        }
    }
}

impl OutputDescription {
    /// Checks whether a rule with these outputs may open this artifact.
    pub fn check_listed(&self, outputs: &[Self]) -> Result<(), Misuse> {
        if outputs.contains(self) {
            return Ok(());
        }
        Err(Misuse::ArtifactUnlisted { artifact: UntrustedText::new(&self.to_string()) })
    }
}

impl Artifact {
    /// Checks whether an artifact may have this name. A caller that learns of an artifact from another process asks again: the name
    /// becomes part of a path.
    pub fn check_labels(name: &str, media_type: &str, schema: Option<&str>) -> Result<(), Misuse> {
        if !refiner_manifest::is_artifact_name(name) {
            return Err(Misuse::ArtifactName { name: UntrustedText::new(name) });
        }
        if !refiner_manifest::is_media_type(media_type) {
            return Err(Misuse::MediaType { media_type: UntrustedText::new(media_type) });
        }
        if let Some(schema) = schema.filter(|schema| !refiner_manifest::is_schema_name(schema)) {
            return Err(Misuse::Schema { schema: UntrustedText::new(schema) });
        }
        Ok(())
    }
}
