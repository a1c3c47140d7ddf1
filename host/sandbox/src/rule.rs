//! A rule that was admitted: compiled, linked, described, and ready to run.

use std::sync::Arc;

use alloy_primitives::B256;

use crate::{
    EngineProfile, HostFailure, Limits, Params, Run, RunInput, bindings::TransformWithEvmPre, host::Reach,
    identity::RuleIdentity, run, ticker::Ticker,
};

/// A rule that was admitted. Cheap to clone; many threads can run it at once.
#[derive(Clone)]
pub struct AdmittedRule {
    pub(crate) pre: TransformWithEvmPre<Reach>,
    pub(crate) component: B256,
    pub(crate) description: Arc<Description>,
    pub(crate) executes_blocks: bool,
    pub(crate) profile: EngineProfile,
    /// Without it no deadline would come.
    pub(crate) _ticker: Arc<Ticker>,
}

/// What a rule says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// An artifact that a rule says it produces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputDescription {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The name of the schema its bytes follow.
    pub schema: Option<String>,
}

impl AdmittedRule {
    /// sha256 of the component.
    pub const fn component(&self) -> B256 {
        self.component
    }

    /// What the rule says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// True when the rule imports `evm`: its runs need an executor.
    pub const fn executes_blocks(&self) -> bool {
        self.executes_blocks
    }

    /// The limits it gets when nobody asks for others.
    pub fn default_limits(&self) -> Limits {
        if self.executes_blocks { Limits::with_evm() } else { Limits::default() }
    }

    /// What its results depend on beside the specimen.
    pub fn identity(&self, params: &Params, limits: &Limits) -> RuleIdentity {
        RuleIdentity {
            component: self.component,
            params: params.digest(),
            limits: B256::from(limits.digest()),
            profile: self.profile.id(),
        }
    }

    /// Runs the rule on one specimen, in a fresh instance that is dropped after.
    ///
    /// Blocks the thread for as long as the wall limit at most, plus one host call. The thread needs 2 MiB of stack.
    pub fn run(&self, input: RunInput) -> Result<Run, HostFailure> {
        if self.executes_blocks && input.executor.is_none() {
            return Err(HostFailure::NoExecutor);
        }
        run::run(&self.pre, input)
    }
}
