//! Rules that are compiled in a child process and run in workers.

use std::{fs, num::NonZeroUsize, os::unix::fs::DirBuilderExt as _, sync::Arc};

use alloy_primitives::Bytes;
use refiner_config::cache_directory;
use refiner_evm::ExecutionPolicy;
use refiner_executor::chains::ConfiguredChains;
use refiner_rule_model::{FuelParts, FuelSample, Limits, Params, SpecimenHash, examine};
use refiner_rule_package::{Allowance, Found, Loader, RuleError};
use refiner_worker::{
    COMPILE_ARGUMENT, ChildProgram, CodeCache, CompiledRule, Compiler, Executes, Job, Pool, PoolConfig,
    WORKER_ARGUMENT, WorkerRun,
};
use tracing::warn;

use crate::PrepareError;

/// Compiler and workers.
pub struct Session {
    loader: Loader,
    pool: Pool,
}

/// A rule that was admitted, as far as is known without running it.
pub struct Prepared {
    /// What it is called in messages.
    pub called: String,
    /// Its code.
    pub compiled: Arc<CompiledRule>,
}

impl Session {
    /// A compiler, and workers on these terms that know these chains beside the built-in ones, for rules that are allowed so much.
    ///
    /// # Errors
    ///
    /// The workers cannot be started.
    pub fn begin(
        chains: &ConfiguredChains,
        policy: ExecutionPolicy,
        allowance: Allowance,
        workers: NonZeroUsize,
    ) -> Result<Self, PrepareError> {
        Self::begin_with(&ChildProgram::this_program(), chains, policy, allowance, workers)
    }

    /// The same with another program as compiler and workers.
    pub fn begin_with(
        children: &ChildProgram,
        chains: &ConfiguredChains,
        policy: ExecutionPolicy,
        allowance: Allowance,
        workers: NonZeroUsize,
    ) -> Result<Self, PrepareError> {
        let chains = chains.iter().map(|(_, text)| text.to_owned()).collect();
        let config =
            PoolConfig { chains, policy, command: children.command(WORKER_ARGUMENT), ..PoolConfig::new(workers.get()) };
        Ok(Self {
            loader: Loader::new(
                Compiler::new(code_cache()).with_command(children.command(COMPILE_ARGUMENT)),
                allowance,
            ),
            pool: Pool::new(config)?,
        })
    }

    /// The same, with blocks executed so.
    pub fn executing(self, executes: Executes) -> Self {
        Self { pool: self.pool.executing(executes), ..self }
    }

    /// Checks a component and compiles it in a child process, where its user allows what it asks for.
    pub fn prepare(&self, found: Found) -> Result<Prepared, PrepareError> {
        let grants = self.loader.allowance().grants(&found).map_err(RuleError::from)?;
        if let Err(source) = examine(&found.component, found.beside.as_deref(), &grants) {
            let source = source.looked_for(found.looked_for.as_deref());
            return Err(PrepareError::Refused { rule: found.called, source });
        }
        let called = found.called.clone();
        match self.loader.compile_granted(found, &grants) {
            Ok(compiled) => Ok(Prepared { called, compiled: Arc::new(compiled) }),
            Err(error) => Err(PrepareError::of_compiler(error)),
        }
    }

    /// Has a worker load the rule and ask it to describe itself, which is the last that can be refused.
    pub fn admit(&self, rule: &Prepared) -> Result<(), PrepareError> {
        let admitted = self.pool.admit(&rule.compiled, rule.compiled.default_limits());
        admitted.map_err(|quarantined| PrepareError::of_run(&rule.called, quarantined))
    }

    /// Runs a rule over the bytes of a specimen, in a worker and a fresh instance.
    pub fn run(
        &self,
        rule: &Prepared,
        raw: &Bytes,
        specimen_hash: SpecimenHash,
        params: &Params,
        limits: Limits,
    ) -> Result<WorkerRun, PrepareError> {
        let (rule_code, params, raw) = (Arc::clone(&rule.compiled), params.clone(), raw.clone());
        let job = Job { rule: rule_code, params, limits, specimen_hash, raw, trace: None };
        self.pool.run(&job).map_err(|quarantined| PrepareError::of_run(&rule.called, quarantined))
    }

    /// Runs a rule until it has used so much fuel, and takes the place in its code that it has come to.
    pub fn sample(
        &self,
        rule: &Prepared,
        raw: &Bytes,
        specimen_hash: SpecimenHash,
        params: &Params,
        limits: Limits,
        stop: FuelParts,
    ) -> Result<FuelSample, PrepareError> {
        let (rule_code, params, raw) = (Arc::clone(&rule.compiled), params.clone(), raw.clone());
        let job = Job { rule: rule_code, params, limits, specimen_hash, raw, trace: None };
        self.pool.sample(&job, stop).map_err(|quarantined| PrepareError::of_run(&rule.called, quarantined))
    }
}

/// Compiled code is kept where that is safe, and made again where it is not.
pub(crate) fn code_cache() -> Option<CodeCache> {
    let directory = cache_directory()?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).ok()?;
    match CodeCache::open(directory.join("code")) {
        Ok(cache) => Some(cache),
        Err(error) => {
            warn!(%error, "cache of compiled code cannot be used");
            None
        }
    }
}
