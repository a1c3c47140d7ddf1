//! Workers, as many as may run at once, and what becomes of a run whose worker dies.

mod executions;
mod failure;
mod spawner;
mod worker;

pub(crate) use self::worker::ceilings;
pub use self::{
    executions::Executes,
    failure::{FailureBlame, Quarantined, TRIES_MAX, WorkerFailure},
};

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::{B256, Bytes};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{ExecutionPolicy, ExecutionTerms};
use refiner_manifest::Manifest;
use refiner_rule_model::{
    Artifact, FuelParts, FuelSample, Limits, Misuse, Params, Run, SpecimenHash, UntrustedText, Verdict,
};
use tracing::warn;

use self::{
    spawner::Spawner,
    worker::{RunError, Serves, Worker},
};
use crate::{
    ChildCommand, CompiledRule, WORKER_ARGUMENT,
    confinement::{Confinement, Outcome},
    protocol::{ProtocolError, RunRequest},
    trace::{TraceContext, WorkerSpan},
};

/// Workers kept waiting for each that may run at once: as many rules as operators usually run, so that changing between them
/// starts no process.
const IDLE_PER_RUNNING: usize = 4;

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
    /// Workers it took, from 1 to [`TRIES_MAX`].
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
    /// sha256 of the component of the one rule it serves.
    pub rule: B256,
    /// Number of the current try of its run; `None` while it waits.
    pub attempt: Option<u32>,
}

/// Errors of starting a pool.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// A pool of no workers runs nothing.
    #[error("a pool needs at least one worker")]
    NoWorkers,
    /// The thread that starts workers could not be started.
    #[error("the thread that starts workers could not be started")]
    Spawner(#[source] io::Error),
}

impl Diagnostic for PoolError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// Runs jobs in worker processes. Dropping it ends every one.
pub struct Pool {
    config: PoolConfig,
    executes: Executes,
    state: Mutex<State>,
    /// A turn came free.
    freed: Condvar,
    spawner: Spawner,
}

#[derive(Default)]
struct State {
    running: usize,
    /// Longest waiting first.
    idle: Vec<Worker>,
    statuses: BTreeMap<u32, WorkerStatus>,
    confinement: Option<Confinement>,
}

impl Pool {
    /// A pool without workers yet; each is started when a job needs it.
    pub fn new(config: PoolConfig) -> Result<Self, PoolError> {
        if config.workers == 0 {
            return Err(PoolError::NoWorkers);
        }
        let spawner = Spawner::start(config.command.clone()).map_err(PoolError::Spawner)?;
        Ok(Self { config, executes: Executes::Workers, state: Mutex::default(), freed: Condvar::new(), spawner })
    }

    /// The pool before its first run, with blocks executed so.
    #[must_use]
    pub fn executing(self, executes: Executes) -> Self {
        Self { executes, ..self }
    }

    /// Runs a job, on the calling thread's time, when a worker's turn comes free. For many threads at once.
    ///
    /// A worker that dies, hangs or breaks the protocol is replaced and the job tried again, [`TRIES_MAX`] times in all.
    pub fn run(&self, job: &Job) -> Result<WorkerRun, Quarantined> {
        let ((run, spans), tries, elapsed) = self.tried(job, None, |worker, request| {
            let (run, spans) = worker.run(request, &self.executes)?;
            Ok((listed(run, job.rule.manifest())?, spans))
        })?;
        let spans = spans.into_iter().map(|span| span.within(elapsed)).collect();
        Ok(WorkerRun { run, tries, elapsed, spans })
    }

    /// Runs a job until it has used so much fuel, in the same way, and takes the place that it has come to.
    pub fn sample(&self, job: &Job, stop: FuelParts) -> Result<FuelSample, Quarantined> {
        let sampled = self.tried(job, Some(stop), |worker, request| worker.sample(request, &self.executes));
        Ok(sampled?.0)
    }

    /// Has a worker do it, and others after it where workers are lost. With the number of workers that it took, and the time of the last.
    fn tried<T>(
        &self,
        job: &Job,
        stop: Option<FuelParts>,
        ask: impl Fn(&mut Worker, &RunRequest) -> Result<T, RunError>,
    ) -> Result<(T, u32, Duration), Quarantined> {
        let _turn = self.turn();
        let mut tries = 1;
        loop {
            let begun = Instant::now();
            match self.attempt(job, tries, stop, &ask) {
                Ok(answer) => return Ok((answer, tries, begun.elapsed())),
                Err(reason) if reason.is_worth_another_try() && tries < TRIES_MAX => {
                    warn!(%reason, specimen = %job.specimen_hash.get(), "A worker was lost and its run is tried again.");
                    tries += 1;
                }
                Err(reason) => return Err(Quarantined { reason, tries }),
            }
        }
    }

    /// Starts a worker for a rule under these limits and keeps it for the first run: only a rule that described itself is admitted.
    pub fn admit(&self, rule: &CompiledRule, limits: Limits) -> Result<(), Quarantined> {
        let _turn = self.turn();
        let serves = Serves { rule: rule.digest(), limits };
        let mut tries = 1;
        loop {
            match self.start(rule, serves) {
                Ok(worker) => {
                    self.keep(worker);
                    return Ok(());
                }
                Err(reason) if reason.is_worth_another_try() && tries < TRIES_MAX => tries += 1,
                Err(reason) => return Err(Quarantined { reason, tries }),
            }
        }
    }

    /// Every worker there is.
    pub fn workers(&self) -> Vec<WorkerStatus> {
        self.state().statuses.values().copied().collect()
    }

    /// The confinement of the worker that started last. `None` before the first.
    pub fn confinement(&self) -> Option<Confinement> {
        self.state().confinement.clone()
    }

    fn attempt<T>(
        &self,
        job: &Job,
        attempt: u32,
        stop: Option<FuelParts>,
        ask: impl Fn(&mut Worker, &RunRequest) -> Result<T, RunError>,
    ) -> Result<T, WorkerFailure> {
        let serves = Serves { rule: job.rule.digest(), limits: job.limits };
        // A second try is on a fresh worker.
        let waiting = if attempt == 1 { self.waiting(&serves) } else { None };
        let mut worker = match waiting {
            Some(worker) => worker,
            None => self.start(&job.rule, serves)?,
        };
        let pid = worker.pid();
        self.state().statuses.insert(pid, WorkerStatus { pid, rule: serves.rule, attempt: Some(attempt) });
        let Job { specimen_hash, raw, params, limits, trace, .. } = job;
        let request = RunRequest {
            specimen_hash: specimen_hash.if_known(),
            raw: raw.clone(),
            params: params.clone(),
            limits: *limits,
            trace: *trace,
            stop,
        };
        match ask(&mut worker, &request) {
            Ok(answer) => {
                self.keep(worker);
                Ok(answer)
            }
            Err(error) => {
                self.state().statuses.remove(&pid);
                Err(worker.autopsy(error))
            }
        }
    }

    fn waiting(&self, serves: &Serves) -> Option<Worker> {
        let mut state = self.state();
        let position = state.idle.iter().rposition(|worker| worker.serves() == *serves)?;
        Some(state.idle.remove(position))
    }

    fn start(&self, rule: &CompiledRule, serves: Serves) -> Result<Worker, WorkerFailure> {
        let process = self.spawner.spawn()?;
        let terms = ExecutionTerms { executed_by: self.executes.executed_by(), policy: self.config.policy };
        let (worker, confinement) = Worker::start(process, serves, rule, &self.config.chains, terms)?;
        let first = self.state().confinement.replace(confinement.clone()).is_none();
        if first {
            for (measure, outcome) in confinement.iter() {
                if let Outcome::Unavailable { reason } = outcome {
                    warn!(%measure, %reason, "Workers are less confined here than they could be.");
                }
            }
        }
        Ok(worker)
    }

    /// Lets a worker wait for its next run, unless it has served its time. One too many ends the one that waits longest.
    fn keep(&self, worker: Worker) {
        let (pid, rule) = (worker.pid(), worker.serves().rule);
        let spent =
            worker.runs() >= self.config.runs_per_worker || worker.resident_bytes() > self.config.resident_bytes_max;
        let mut state = self.state();
        let ended = if spent {
            Some(worker)
        } else {
            state.statuses.insert(pid, WorkerStatus { pid, rule, attempt: None });
            state.idle.push(worker);
            let idle_max = self.config.workers.saturating_mul(IDLE_PER_RUNNING);
            (state.idle.len() > idle_max).then(|| state.idle.remove(0))
        };
        if let Some(ended) = &ended {
            state.statuses.remove(&ended.pid());
        }
        drop(state);
        // Killing and reaping takes a moment, during which the lock should be free.
        drop(ended);
    }

    /// Waits until fewer workers run than may.
    fn turn(&self) -> WorkerPermit<'_> {
        let mut state = self.state();
        while state.running >= self.config.workers {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running += 1;
        WorkerPermit(self)
    }

    /// The state is whole after every statement, so a thread that panicked leaves nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The run, when the manifest lists every artifact of it: a worker that was taken over does not make up others.
fn listed(run: Run, manifest: &Manifest) -> Result<Run, WorkerFailure> {
    let Verdict::Produced { artifacts, .. } = &run.verdict else { return Ok(run) };
    let is_listed = |artifact: &Artifact| {
        let labels = (&artifact.name, &artifact.media_type, &artifact.schema);
        manifest.outputs.iter().any(|output| (&output.name, &output.media_type, &output.schema) == labels)
    };
    match artifacts.iter().find(|artifact| !is_listed(artifact)) {
        None => Ok(run),
        Some(artifact) => {
            let artifact = UntrustedText::new(&artifact.name);
            Err(WorkerFailure::Protocol(ProtocolError::Label(Misuse::ArtifactUnlisted { artifact })))
        }
    }
}

/// The right to run one worker.
struct WorkerPermit<'p>(&'p Pool);

impl Drop for WorkerPermit<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.freed.notify_one();
    }
}
