//! `output`: what a rule produces.

use std::sync::Arc;

use refiner_rule_model::{Limit, LogLevel, UntrustedText};
use wasmtime::component::Resource;

use super::{ArtifactHandle, BudgetExceeded, HostState, state::outputs::OpenArtifact};
use crate::bindings::refiner::rule::output;

impl output::Host for HostState {}

impl HostState {
    /// Tells the author of artifacts that are not part of the output, which may have been meant to be.
    pub(crate) fn warn_of_unfinished(&mut self) {
        for name in self.outputs.unfinished() {
            let message = format!("the artifact {name} was opened and not finished, so it is not part of the output");
            self.log.keep_own(LogLevel::Warn, &message);
        }
    }

    /// Tells the author where the rule trapped.
    pub(crate) fn log_place(&mut self, functions: Option<UntrustedText>) {
        if let Some(functions) = functions {
            self.log.keep_own(LogLevel::Error, functions.as_str());
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
        self.budget.call("output.artifact")?;
        self.budget.copy(name.len() + media_type.len() + schema.as_ref().map_or(0, String::len))?;
        self.budget.spend(Limit::Artifacts, 1)?;
        let artifact = OpenArtifact::checked(name, media_type, schema).map_err(BudgetExceeded::Misuse)?;
        Ok(Resource::new_own(self.outputs.add(artifact).map_err(BudgetExceeded::Misuse)?))
    }

    fn write(&mut self, handle: Resource<ArtifactHandle>, chunk: Vec<u8>) -> wasmtime::Result<()> {
        self.budget.call("output.artifact.write")?;
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
        self.budget.call("output.artifact.finish")?;
        let (checks, collector) = (Arc::clone(&self.outputs.checks), self.outputs.collector.clone());
        let artifact = self.outputs.open(&handle).map_err(BudgetExceeded::Misuse)?;
        if let Some(check) = checks.of_output(&artifact.name) {
            self.budget.burn(check.fuel(&artifact.bytes))?;
            check.check(&artifact.bytes, collector.as_deref()).map_err(BudgetExceeded::Misuse)?;
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
