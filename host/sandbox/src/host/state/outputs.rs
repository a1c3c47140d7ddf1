//! What a rule produced so far.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_rows::RowCollector;
use refiner_rule_model::{Artifact, Description, Misuse, OutputDescription, Thing, UntrustedText};
use wasmtime::component::Resource;

use crate::rows::RowChecks;

/// The guest's handle of an artifact. Its number is its place in [`Outputs`].
pub struct ArtifactHandle;

/// Artifacts opened in this run, in order, and the outputs that its rule lists.
#[derive(Default)]
pub(crate) struct Outputs {
    opened: Vec<OpenArtifact>,
    rule: Arc<Description>,
    pub(in crate::host) checks: Arc<RowChecks>,
    /// Takes the rows that are checked.
    pub(crate) collector: Option<Arc<dyn RowCollector>>,
}

pub(in crate::host) struct OpenArtifact {
    pub(in crate::host) name: String,
    media_type: String,
    schema: Option<String>,
    pub(in crate::host) bytes: Vec<u8>,
    /// True after `finish` was called.
    pub(in crate::host) finished: bool,
}

impl Outputs {
    /// None yet, of a rule that describes itself so.
    pub(crate) const fn of(rule: Arc<Description>, checks: Arc<RowChecks>) -> Self {
        Self { opened: Vec::new(), rule, checks, collector: None }
    }

    /// The artifacts that were finished.
    pub(crate) fn finished(self) -> Vec<Artifact> {
        self.opened.into_iter().filter_map(OpenArtifact::finished).collect()
    }

    /// Names of those that are not.
    pub(crate) fn unfinished(&self) -> Vec<String> {
        self.opened.iter().filter(|artifact| !artifact.finished).map(|artifact| artifact.name.clone()).collect()
    }

    /// Lets an artifact in under a name that is new and listed. Gives its place.
    pub(in crate::host) fn add(&mut self, artifact: OpenArtifact) -> Result<u32, Misuse> {
        if self.opened.iter().any(|other| other.name == artifact.name) {
            return Err(Misuse::ArtifactTwice { name: UntrustedText::new(&artifact.name) });
        }
        artifact.label().check_listed(&self.rule.outputs)?;
        let place = u32::try_from(self.opened.len()).unwrap_or(u32::MAX);
        self.opened.push(artifact);
        Ok(place)
    }

    pub(in crate::host) fn open(&mut self, handle: &Resource<ArtifactHandle>) -> Result<&mut OpenArtifact, Misuse> {
        let artifact =
            self.opened.get_mut(handle.rep() as usize).ok_or(Misuse::NothingThere { what: Thing::Artifact })?;
        if artifact.finished {
            return Err(Misuse::ArtifactFinished { name: UntrustedText::new(&artifact.name) });
        }
        Ok(artifact)
    }
}

impl OpenArtifact {
    pub(in crate::host) fn checked(name: String, media_type: String, schema: Option<String>) -> Result<Self, Misuse> {
        Artifact::check_labels(&name, &media_type, schema.as_deref())?;
        Ok(Self { name, media_type, schema, bytes: Vec::new(), finished: false })
    }

    fn label(&self) -> OutputDescription {
        let Self { name, media_type, schema, .. } = self;
        OutputDescription { name: name.clone(), media_type: media_type.clone(), schema: schema.clone() }
    }

    fn finished(self) -> Option<Artifact> {
        let Self { name, media_type, schema, bytes, finished } = self;
        finished.then(|| Artifact { name, media_type, schema, bytes: Bytes::from(bytes) })
    }
}
