//! The sandbox: one engine, its deadlines, and the way in for rules.

use std::{collections::BTreeSet, sync::Arc};

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

use crate::{
    AdmittedRule, Description, EngineError, EngineProfile, HostFailure, Limit, Limits, OutputDescription, Refusal,
    admission::{self, Capability, Grants},
    bindings::{TransformWithEvmPre, exports::refiner::rule::rule, refiner::rule as contract},
    compiled,
    host::Reach,
    outcome::judge,
    run, self_test,
    self_test::SelfTestError,
    text::GuestText,
    ticker::Ticker,
};

/// Compiles, links and describes rules. One a process is enough.
pub struct Sandbox {
    engine: Engine,
    ticker: Arc<Ticker>,
    profile: EngineProfile,
    transform: Linker<Reach>,
    transform_with_evm: Linker<Reach>,
}

/// A rule that is checked, compiled and linked, and has not run.
pub struct LoadedRule {
    pre: TransformWithEvmPre<Reach>,
    component: B256,
    executes_blocks: bool,
}

/// Why a rule is not ready to run.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The rule's own fault. Trying again gives the same answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something around it.
    #[error(transparent)]
    Host(#[from] HostFailure),
}

/// Fuel for `describe`, start functions included: a thousandth of a run's, for what should be a constant. A language
/// runtime that must start up first gets by on this.
const DESCRIBE_FUEL: u64 = 100_000_000;
/// Wall time for `describe`.
const DESCRIBE_WALL_MS: u64 = 5_000;
/// Calls to the host that `describe` may make.
const DESCRIBE_CALLS: u64 = 1_000;
/// Bytes that `describe` may return.
const DESCRIBE_BYTES: u64 = 64 << 10;

impl Sandbox {
    /// Starts an engine and its deadline thread, which ends when the sandbox and all rules it admitted are gone.
    pub fn new(profile: EngineProfile) -> Result<Self, EngineError> {
        let engine = profile.engine().map_err(|error| EngineError::Profile { message: message(&error) })?;
        let linker = |evm: bool| link(&engine, evm).map_err(|error| EngineError::Linker { message: message(&error) });
        Ok(Self {
            transform: linker(false)?,
            transform_with_evm: linker(true)?,
            ticker: Arc::new(Ticker::start(&engine).map_err(EngineError::Ticker)?),
            engine,
            profile,
        })
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
    pub fn admit(&self, component: &[u8], grants: &Grants) -> Result<AdmittedRule, AdmitError> {
        let needs = admission::check(component, grants)?;
        let compiled = Component::from_binary(&self.engine, component)
            .map_err(|error| Refusal::Compile { message: message(&error) })?;
        self.describe(self.link(component, &compiled, &needs)?)
    }

    /// Checks a component and compiles it, to be loaded by [`Sandbox::load`] elsewhere.
    pub fn compile(&self, component: &[u8], grants: &Grants) -> Result<Vec<u8>, Refusal> {
        admission::check(component, grants)?;
        self.engine.precompile_component(component).map_err(|error| Refusal::Compile { message: message(&error) })
    }

    /// Checks a component, loads the code that [`Sandbox::compile`] made of it and links it to what was granted.
    ///
    /// `code` is believed: whoever calls this has checked a hash over it. Nothing of the component runs.
    pub fn load(&self, component: &[u8], code: &[u8], grants: &Grants) -> Result<LoadedRule, Refusal> {
        let needs = admission::check(component, grants)?;
        let compiled =
            compiled::load(&self.engine, code).map_err(|error| Refusal::Compile { message: message(&error) })?;
        self.link(component, &compiled, &needs)
    }

    /// Asks a loaded rule to describe itself, under limits tighter than a run's: the first moment at which its code runs.
    pub fn describe(&self, loaded: LoadedRule) -> Result<AdmittedRule, AdmitError> {
        let LoadedRule { pre, component, executes_blocks } = loaded;
        let description = describe(&pre)?;
        Ok(AdmittedRule {
            pre,
            component,
            description: Arc::new(description),
            executes_blocks,
            profile: self.profile,
            _ticker: Arc::clone(&self.ticker),
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

    fn link(
        &self,
        component: &[u8],
        compiled: &Component,
        needs: &BTreeSet<Capability>,
    ) -> Result<LoadedRule, Refusal> {
        let executes_blocks = needs.contains(&Capability::Evm);
        let linker = if executes_blocks { &self.transform_with_evm } else { &self.transform };
        let pre = linker
            .instantiate_pre(compiled)
            .and_then(TransformWithEvmPre::new)
            .map_err(|error| Refusal::Contract { message: message(&error) })?;
        let component = B256::from(<[u8; 32]>::from(Sha256::digest(component)));
        Ok(LoadedRule { pre, component, executes_blocks })
    }

    /// Runs a guest that spins and one that eats memory, and makes sure that neither survives. A host on which one does
    /// must not run rules. Takes about 50 ms.
    pub fn self_test(&self) -> Result<(), SelfTestError> {
        self_test::run(self)
    }
}

fn message(error: &wasmtime::Error) -> GuestText {
    GuestText::new(&format!("{error:#}"))
}

/// The interfaces of the world, `evm` only where granted: a component that imports it finds nothing elsewhere.
fn link(engine: &Engine, evm: bool) -> wasmtime::Result<Linker<Reach>> {
    let mut linker = Linker::new(engine);
    contract::types::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    contract::specimen::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    contract::output::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    contract::log::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    contract::params::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    if evm {
        contract::evm::add_to_linker::<_, HasSelf<_>>(&mut linker, |reach| reach)?;
    }
    Ok(linker)
}

fn describe(pre: &TransformWithEvmPre<Reach>) -> Result<Description, AdmitError> {
    let limits = describe_limits();
    let mut store = run::store(pre, Reach::nothing(&limits), &limits, DESCRIBE_FUEL)?;
    let described = pre.instantiate(&mut store).and_then(|rule| rule.refiner_rule_rule().call_describe(&mut store));
    match described {
        Ok(description) => Ok(admission::description(description)?),
        Err(error) => Err(Refusal::Describe { verdict: Box::new(judge(error, &limits, DESCRIBE_FUEL)?) }.into()),
    }
}

fn describe_limits() -> Limits {
    let mut limits = Limits::default();
    for (limit, granted) in [
        (Limit::Fuel, DESCRIBE_FUEL),
        (Limit::WallMs, DESCRIBE_WALL_MS),
        (Limit::Calls, DESCRIBE_CALLS),
        (Limit::CallBytes, DESCRIBE_BYTES),
        (Limit::Artifacts, 0),
        (Limit::EvmExecutions, 0),
    ] {
        limits.lower(limit, granted);
    }
    limits
}

impl From<rule::OutputDescription> for OutputDescription {
    fn from(output: rule::OutputDescription) -> Self {
        Self { name: output.name, media_type: output.media_type, schema: output.schema }
    }
}
