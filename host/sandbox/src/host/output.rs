//! `output`: what a rule produces.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_rule_model::{Artifact, Description, Limit, LogLevel, Misuse, OutputDescription, UntrustedText};
use wasmtime::component::Resource;

use super::{BudgetExceeded, HostState};
use crate::{bindings::refiner::rule::output, rows::RowChecks};

/// The guest's handle of an artifact. Its number is its place in [`Outputs`].
pub struct ArtifactHandle;

/// Artifacts opened in this run, in order, and the outputs that its rule lists.
#[derive(Default)]
pub(crate) struct Outputs {
    opened: Vec<OpenArtifact>,
    rule: Arc<Description>,
    checks: Arc<RowChecks>,
}

struct OpenArtifact {
    name: String,
    media_type: String,
    schema: Option<String>,
    bytes: Vec<u8>,
    /// True after `finish` was called.
    finished: bool,
}

impl Outputs {
    /// None yet, of a rule that describes itself so.
    pub(crate) const fn of(rule: Arc<Description>, checks: Arc<RowChecks>) -> Self {
        Self { opened: Vec::new(), rule, checks }
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
    fn add(&mut self, artifact: OpenArtifact) -> Result<u32, Misuse> {
        if self.opened.iter().any(|other| other.name == artifact.name) {
            return Err(Misuse::ArtifactTwice { name: UntrustedText::new(&artifact.name) });
        }
        artifact.label().check_listed(&self.rule.outputs)?;
        let place = u32::try_from(self.opened.len()).unwrap_or(u32::MAX);
        self.opened.push(artifact);
        Ok(place)
    }

    fn open(&mut self, handle: &Resource<ArtifactHandle>) -> Result<&mut OpenArtifact, Misuse> {
        let artifact = self.opened.get_mut(handle.rep() as usize).ok_or(Misuse::NothingThere { what: "artifact" })?;
        if artifact.finished {
            return Err(Misuse::ArtifactFinished { name: UntrustedText::new(&artifact.name) });
        }
        Ok(artifact)
    }
}

impl OpenArtifact {
    fn checked(name: String, media_type: String, schema: Option<String>) -> Result<Self, Misuse> {
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

impl output::Host for HostState {}

impl HostState {
    /// Tells the author of artifacts that are not part of the output, which may have been meant to be.
    pub(crate) fn warn_of_unfinished(&mut self) {
        for name in self.outputs.unfinished() {
            let message = format!("the artifact {name} was opened and not finished, so it is not part of the output");
            self.log.keep(LogLevel::Warn, &message, &mut self.budget);
        }
    }

    /// Tells the author where the rule trapped.
    pub(crate) fn log_place(&mut self, functions: Option<UntrustedText>) {
        if let Some(functions) = functions {
            self.log.keep(LogLevel::Error, functions.as_str(), &mut self.budget);
        }
    }
}

impl output::HostArtifact for HostState {
    fn new(
        &mut self,
        name: String,
        media_type: String,
        schema: Option<String>,
    ) -> wasmtime::Result<Resource<ArtifactHandle>> {
        self.budget.call()?;
        self.budget.copy(name.len() + media_type.len() + schema.as_ref().map_or(0, String::len))?;
        self.budget.spend(Limit::Artifacts, 1)?;
        let artifact = OpenArtifact::checked(name, media_type, schema).map_err(BudgetExceeded::Misuse)?;
        Ok(Resource::new_own(self.outputs.add(artifact).map_err(BudgetExceeded::Misuse)?))
    }

    fn write(&mut self, handle: Resource<ArtifactHandle>, chunk: Vec<u8>) -> wasmtime::Result<()> {
        self.budget.call()?;
        self.budget.copy(chunk.len())?;
        let artifact = self.outputs.open(&handle).map_err(BudgetExceeded::Misuse)?;
        self.budget.spend(Limit::OutputBytes, chunk.len() as u64)?;
        if artifact.bytes.is_empty() {
            artifact.bytes = chunk;
        } else {
            artifact.bytes.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn finish(&mut self, handle: Resource<ArtifactHandle>) -> wasmtime::Result<()> {
        self.budget.call()?;
        let checks = Arc::clone(&self.outputs.checks);
        let artifact = self.outputs.open(&handle).map_err(BudgetExceeded::Misuse)?;
        if let Some(check) = checks.of_output(&artifact.name) {
            self.budget.burn(check.fuel(&artifact.bytes))?;
            check.check(&artifact.bytes).map_err(BudgetExceeded::Misuse)?;
        }
        artifact.finished = true;
        Ok(())
    }

    fn drop(&mut self, handle: Resource<ArtifactHandle>) -> wasmtime::Result<()> {
        // What is not finished by now never will be: its bytes can go. The name stays taken.
        if let Ok(artifact) = self.outputs.open(&handle) {
            artifact.bytes = Vec::new();
        }
        Ok(())
    }
}
