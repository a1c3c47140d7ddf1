//! What a pool is made with, what it is given to run, and what comes of that.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{B256, Bytes};
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Limits, Params, Run, SpecimenHash};

use crate::{
    ChildCommand, CompiledRule, WORKER_ARGUMENT,
    trace::{TraceContext, WorkerSpan},
};

/// Settings of a worker pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Runs at one moment.
    pub workers: usize,
    /// Starts a worker.
    pub command: ChildCommand,
    /// Chains beside the built-in ones, each the text of a geth-style chain config.
    pub chains: Vec<String>,
    /// The terms on which workers check and execute.
    pub policy: ExecutionPolicy,
    /// A worker is replaced after this many runs, so that nothing a rule left behind lasts.
    pub runs_per_worker: u64,
    /// A worker that holds more memory than this after a run is replaced.
    pub resident_bytes_max: u64,
}

impl PoolConfig {
    /// This program's own workers: as many as `workers`, replaced after 1,000 runs or past 512 MiB at rest.
    pub fn new(workers: usize) -> Self {
        Self {
            workers,
            command: ChildCommand::this_program(WORKER_ARGUMENT),
            chains: Vec::new(),
            policy: ExecutionPolicy::default(),
            runs_per_worker: 1_000,
            resident_bytes_max: 512 << 20,
        }
    }
}

/// A specimen for a rule.
#[derive(Clone, Debug)]
pub struct Job {
    /// The rule, compiled.
    pub rule: Arc<CompiledRule>,
    /// Parameters that the operator gave the rule.
    pub params: Params,
    /// Limits granted to the run.
    pub limits: Limits,
    /// sha256 of the quoted base64 of `raw`. One that is not known is left to the worker, which works it out for a rule that asks.
    pub specimen_hash: SpecimenHash,
    /// The specimen's bytes; the worker decodes them.
    pub raw: Bytes,
    /// Its place in a trace, where the times of its parts are wanted.
    pub trace: Option<TraceContext>,
}

/// A finished run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRun {
    /// The run, equal to one in this process.
    pub run: Run,
    /// Workers it took, from 1 to [`super::TRIES_MAX`].
    pub tries: u32,
    /// Wall time of the last try, transfers included.
    pub elapsed: Duration,
    /// Parts of the last try, where they were asked for.
    pub spans: Vec<WorkerSpan>,
}

/// A worker as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Process id.
    pub pid: u32,
    /// sha256 of the component of the rule that it runs, or ran last.
    pub rule: B256,
    /// Number of the current try of its run; `None` while it waits.
    pub attempt: Option<u32>,
}
