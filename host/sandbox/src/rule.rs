//! A rule that was admitted: compiled, linked, described, and ready to run.

use std::sync::Arc;

use alloy_primitives::B256;
use refiner_evm::{ExecutionTerms, RecordingTerms};
use refiner_manifest::Manifest;
use refiner_rows::RowCollector;
use refiner_rule_model::{
    Capability, Description, FuelParts, FuelSample, HostFailure, Limits, Params, RuleIdentity, Run, admission::Terms,
};
use refiner_specimen::Layout;

use crate::{
    RunInput,
    bindings::AnalyzePre,
    host::{HostState, Wanted},
    rows::RowChecks,
    run,
    ticker::Ticker,
};

/// A rule that was admitted. Cheap to clone; many threads can run it at once.
#[derive(Clone)]
pub struct AdmittedRule {
    pub(crate) pre: AnalyzePre<HostState>,
    pub(crate) component: B256,
    pub(crate) description: Arc<Description>,
    pub(crate) terms: Arc<Terms>,
    /// The checks of rows, for outputs whose columns the manifest names.
    pub(crate) row_checks: Arc<RowChecks>,
    /// Without it no deadline would come.
    pub(crate) ticker: Arc<Ticker>,
}

impl AdmittedRule {
    /// sha256 of the component.
    pub const fn component(&self) -> B256 {
        self.component
    }

    /// The rule's description of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// True when the rule imports `evm`: its runs need an executor.
    pub fn executes_blocks(&self) -> bool {
        self.terms.needs.contains(&Capability::Evm)
    }

    /// True when the rule imports WASI, which it gets sealed.
    pub fn has_sealed_wasi(&self) -> bool {
        self.terms.needs.contains(&Capability::Wasi)
    }

    /// The terms on which the host records what the rule can read; `None` where it can read no recording.
    pub fn recording(&self) -> Option<RecordingTerms> {
        Wanted::by(&self.terms.needs).terms()
    }

    /// The manifest it was admitted by. It agrees with the description and with the imports.
    pub fn manifest(&self) -> &Manifest {
        &self.terms.manifest
    }

    /// The limits its manifest asks for, defaults where it asks for nothing.
    pub fn asked_limits(&self) -> &Limits {
        &self.terms.asked
    }

    /// The limits it gets by default: what it asks for, within the ceilings it was admitted under.
    pub fn default_limits(&self) -> Limits {
        self.terms.granted
    }

    /// True when it accepts specimens of this layout.
    pub fn accepts(&self, layout: Layout) -> bool {
        self.terms.layouts.is_empty() || self.terms.layouts.contains(&layout)
    }

    /// The identity: everything that its verdicts depend on beside the specimen.
    pub fn identity(&self, params: &Params, limits: &Limits, terms: &ExecutionTerms) -> RuleIdentity {
        RuleIdentity::of(self.component, self.manifest(), params, limits, terms)
    }

    /// Runs the rule on one specimen, in a fresh instance that is dropped after. A specimen of a layout that it does not
    /// accept is unsupported, and nothing runs. One that fails a check that needs no execution has no artifact: it is rejected, before
    /// the run where the rule executes no blocks.
    ///
    /// Takes the processor time of [`Limits::deadline_ms`] at most, plus one host call; other work on the machine adds wall time. The thread
    /// needs 2 MiB of stack.
    pub fn run(&self, input: RunInput) -> Result<Run, HostFailure> {
        run::run(self, input, None)
    }

    /// The same with rows that are read once, by the collector, for the check and for its caller. What it holds is of use where the
    /// verdict is that they were produced.
    pub fn run_collecting(&self, input: RunInput, collector: Arc<dyn RowCollector>) -> Result<Run, HostFailure> {
        run::run(self, input, Some(collector))
    }

    /// Runs the rule until it has used so much fuel for either part, and takes the functions that it is in. Everything that it made is dropped.
    ///
    /// The same specimen, parameters and limits give the same place on every machine. A run is stopped at the next loop or call of its code, or
    /// in the call to the host that takes it past `stop`.
    pub fn sample(&self, input: RunInput, stop: FuelParts) -> Result<FuelSample, HostFailure> {
        run::sample(self, input, stop)
    }
}
