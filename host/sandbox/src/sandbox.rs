//! The sandbox: one engine, its deadlines, and the way in for rules.

use std::{collections::BTreeSet, sync::Arc};

use alloy_primitives::B256;
use refiner_diagnostics::{Diagnostic, ErrorChain, ExitCode, Hint};
use refiner_rule_model::{
    AdmissionError, Capability, Description, Grants, HostFailure, Limit, Limits, LogLine, OutputDescription,
    UntrustedText,
    admission::{self, Terms},
};
use sha2::{Digest, Sha256};
use wasmtime::{
    Engine, Store,
    component::{Component, HasSelf, Linker},
};

use crate::{
    AdmittedRule, Allocation, EngineError, EngineProfile,
    bindings::{Analyze, AnalyzePre, exports::refiner::rule::rule, refiner::rule as contract},
    compiled,
    host::{self, HostState},
    outcome::{self, judge},
    rows::RowChecks,
    run::{self, Allowed},
    self_test,
    self_test::SelfTestError,
    ticker::Ticker,
    transcoding,
};

/// Compiles, links and describes rules. One a process is enough.
pub struct Sandbox {
    engine: Engine,
    ticker: Arc<Ticker>,
    profile: EngineProfile,
}

/// A rule that is checked, compiled and linked, and has not run.
pub struct LoadedRule {
    pre: AnalyzePre<HostState>,
    component: B256,
    terms: Terms,
}

/// Errors of preparing a rule.
#[derive(Debug, thiserror::Error)]
pub enum AdmitFailure {
    /// The rule's own fault. Trying again gives the same answer.
    #[error(transparent)]
    Refused(#[from] AdmissionError),
    /// Something around it.
    #[error(transparent)]
    Host(#[from] HostFailure),
}

impl Diagnostic for AdmitFailure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(refusal) => refusal.exit_code(),
            Self::Host(failure) => failure.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Refused(refusal) => refusal.hint(),
            Self::Host(failure) => failure.hint(),
        }
    }
}

/// Fuel for `describe`, start functions included: what a run gets, for what should be a constant, because a language runtime may have to start
/// up first.
const DESCRIBE_FUEL: u64 = 2_000_000_000;
/// Processor time for `describe`, which its fuel fits on a machine a third as fast as the README's.
const DESCRIBE_WALL_MS: u64 = 20_000;
/// Calls to the host that `describe` may make.
const DESCRIBE_CALLS: u64 = 1_000;
/// Last lines of the log that a refusal shows.
const DESCRIBE_LOG_LINES: usize = 8;
/// Bytes that `describe` may return.
const DESCRIBE_BYTES: u64 = 64 << 10;

impl Sandbox {
    /// Starts an engine and its deadline thread, which ends when the sandbox and all rules it admitted are gone.
    pub fn new(profile: EngineProfile) -> Result<Self, EngineError> {
        let engine = profile.engine().or_else(|error| {
            // What was not limited may be refused all the same. Both make and take the same code.
            let without = EngineProfile::with_allocation(Allocation::OnDemand);
            if profile.allocation() == Allocation::Pooled { without.engine() } else { Err(error) }
        });
        let engine = engine.map_err(|error| EngineError::Profile { message: message(&error) })?;
        // Every interface is linked once here, so that a fault of this program shows at its start.
        link(&engine, &Capability::ALL.into()).map_err(|error| EngineError::Linker { message: message(&error) })?;
        Ok(Self { ticker: Arc::new(Ticker::start(&engine).map_err(EngineError::Ticker)?), engine, profile })
    }

    /// The profile the engine was started with.
    pub const fn profile(&self) -> &EngineProfile {
        &self.profile
    }

    /// Checks a component, compiles it, links it to what was granted and asks it to describe itself.
    ///
    /// Nothing of the component runs before its imports, exports and sizes are checked, and `describe` runs under limits
    /// tighter than a run's. The compiler is at the component's mercy for time and memory: for components of strangers there is
    /// [`Sandbox::compile`], in a process that may die.
    ///
    /// `beside` is the text of a manifest that came with the component, for one that carries none.
    pub fn admit(&self, component: &[u8], beside: Option<&str>, grants: &Grants) -> Result<AdmittedRule, AdmitFailure> {
        let terms = admission::check(component, beside, grants)?;
        transcoding::refuse(component)?;
        let compiled = Component::from_binary(&self.engine, component)
            .map_err(|error| AdmissionError::Compile { message: message(&error) })?;
        self.describe(self.link(component, &compiled, terms)?)
    }

    /// Checks a component and compiles it, to be loaded by [`Sandbox::load`] elsewhere.
    pub fn compile(&self, component: &[u8], beside: Option<&str>, grants: &Grants) -> Result<Vec<u8>, AdmissionError> {
        admission::check(component, beside, grants)?;
        transcoding::refuse(component)?;
        self.engine
            .precompile_component(component)
            .map_err(|error| AdmissionError::Compile { message: message(&error) })
    }

    /// Checks a component, loads the code that [`Sandbox::compile`] made of it and links it to what was granted.
    ///
    /// `code` is trusted: the caller has checked a hash over it. Nothing of the component runs.
    pub fn load(
        &self,
        component: &[u8],
        beside: Option<&str>,
        code: &[u8],
        grants: &Grants,
    ) -> Result<LoadedRule, AdmissionError> {
        let terms = admission::check(component, beside, grants)?;
        let compiled =
            compiled::load(&self.engine, code).map_err(|error| AdmissionError::Compile { message: message(&error) })?;
        self.link(component, &compiled, terms)
    }

    /// Asks a loaded rule to describe itself, under limits tighter than a run's: the first moment at which its code runs.
    pub fn describe(&self, loaded: LoadedRule) -> Result<AdmittedRule, AdmitFailure> {
        let LoadedRule { pre, component, terms } = loaded;
        let running = self.ticker.running();
        let description = describe(&pre, terms.state_bytes)?;
        drop(running);
        admission::agrees_with_description(&terms.manifest, &description)?;
        Ok(AdmittedRule {
            pre,
            component,
            description: Arc::new(description),
            row_checks: Arc::new(RowChecks::of(&terms.manifest)),
            terms: Arc::new(terms),
            ticker: Arc::clone(&self.ticker),
        })
    }

    /// Starts the compiler's threads, for a process that can start none later.
    pub fn start_compiler(&self) -> Result<(), EngineError> {
        compiled::start_compiler(&self.engine).map_err(|error| EngineError::Profile { message: message(&error) })
    }

    /// Names what code made by [`Sandbox::compile`] can be loaded by: it is the same in every process for which that
    /// holds, and differs with the release of the engine, its settings and the processor.
    pub fn code_compatibility(&self) -> B256 {
        compiled::compatibility(&self.engine)
    }

    fn link(&self, component: &[u8], compiled: &Component, terms: Terms) -> Result<LoadedRule, AdmissionError> {
        let pre = link(&self.engine, &terms.needs)
            .and_then(|linker| linker.instantiate_pre(compiled))
            .and_then(AnalyzePre::new)
            .map_err(|error| AdmissionError::Contract { message: message(&error) })?;
        let component = B256::from(<[u8; 32]>::from(Sha256::digest(component)));
        Ok(LoadedRule { pre, component, terms })
    }

    /// Runs a guest that spins and one that eats memory, and makes sure that neither survives. A host on which one does
    /// must not run rules. Takes about 50 ms.
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        self_test::run(self)
    }
}

fn message(error: &wasmtime::Error) -> UntrustedText {
    UntrustedText::new(&ErrorChain(error.as_ref()).to_string())
}

/// The interfaces every rule may import, and those of the capabilities that it was granted: a component that imports what it
/// was not granted finds nothing there.
fn link(engine: &Engine, granted: &BTreeSet<Capability>) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    contract::types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    contract::specimen::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    contract::output::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    contract::log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    contract::params::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    contract::recordings::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    for capability in granted {
        match capability {
            Capability::Evm => contract::evm::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?,
            Capability::Receipts => contract::receipts::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?,
            Capability::Traces => contract::traces::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?,
            Capability::StateChanges => {
                contract::state_changes::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
            }
            Capability::GasProfile => {
                contract::gas_profile::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
            }
            Capability::WhatIf => contract::what_if::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?,
            Capability::Wasi => host::wasi::link(&mut linker)?,
        }
    }
    Ok(linker)
}

fn describe(pre: &AnalyzePre<HostState>, state_bytes: u64) -> Result<Description, AdmitFailure> {
    let limits = describe_limits();
    let allowed = Allowed { fuel: DESCRIBE_FUEL, deadline_ms: DESCRIBE_WALL_MS };
    let mut store = run::store(pre, HostState::nothing(&limits, DESCRIBE_FUEL, state_bytes), &limits, allowed)?;
    let instance = match pre.instance_pre().instantiate(&mut store) {
        Ok(instance) => instance,
        Err(error) => return Err(not_described(error, store, &limits)?),
    };
    // The types of imports were checked against the contract when they were linked; those of exports are now.
    let rule =
        Analyze::new(&mut store, &instance).map_err(|error| AdmissionError::Contract { message: message(&error) })?;
    match rule.refiner_rule_rule().call_describe(&mut store) {
        Ok(description) => Ok(description.into()),
        Err(error) => Err(not_described(error, store, &limits)?),
    }
}

/// The refusal of a rule whose code ended before it described itself, with the last lines of its log.
fn not_described(
    mut error: wasmtime::Error,
    store: Store<HostState>,
    limits: &Limits,
) -> Result<AdmitFailure, HostFailure> {
    let mut state = store.into_data();
    state.finish_stdio();
    state.log_place(outcome::functions(&mut error));
    let log = last_lines(&state.log.lines);
    let verdict = Box::new(judge(error, limits, DESCRIBE_WALL_MS, DESCRIBE_FUEL)?.0);
    Ok(AdmissionError::Describe { verdict, log }.into())
}

/// The last lines of a log as one text; `None` where nothing was logged.
fn last_lines(lines: &[LogLine]) -> Option<UntrustedText> {
    let last = &lines[lines.len().saturating_sub(DESCRIBE_LOG_LINES)..];
    let last: Vec<_> = last.iter().map(|line| line.message.as_str()).collect();
    (!last.is_empty()).then(|| UntrustedText::new(&last.join(" | ")))
}

fn describe_limits() -> Limits {
    let mut limits = Limits::default();
    for (limit, granted) in [
        (Limit::Calls, DESCRIBE_CALLS),
        (Limit::CallBytes, DESCRIBE_BYTES),
        (Limit::Artifacts, 0),
        (Limit::EvmExecutions, 0),
    ] {
        limits.lower(limit, granted);
    }
    limits
}

impl From<rule::Description> for Description {
    fn from(described: rule::Description) -> Self {
        let rule::Description { name, version, layouts, outputs } = described;
        Self { name, version, layouts, outputs: outputs.into_iter().map(OutputDescription::from).collect() }
    }
}

impl From<rule::OutputDescription> for OutputDescription {
    fn from(output: rule::OutputDescription) -> Self {
        Self { name: output.name, media_type: output.media_type, schema: output.schema }
    }
}
