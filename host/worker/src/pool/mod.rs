//! Workers, as many as may run at once, and what becomes of a run whose worker dies.

mod executions;
mod failure;
mod job;
mod spawner;
mod team;
mod turns;
mod worker;

pub(crate) use self::team::ceilings;
pub use self::{
    executions::Executes,
    failure::{FailureBlame, Quarantined, TRIES_MAX, WorkerFailure},
    job::{Job, PoolConfig, WorkerRun, WorkerStatus},
};

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::B256;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::ExecutionTerms;
use refiner_manifest::Manifest;
use refiner_rule_model::{Artifact, FuelParts, FuelSample, Limits, Misuse, Run, UntrustedText, Verdict};
use tracing::warn;

use self::{
    spawner::Spawner,
    team::Team,
    turns::Turns,
    worker::{RunError, Worker},
};
use crate::{
    CompiledRule,
    confinement::{Confinement, Outcome},
    protocol::{ProtocolError, RunRequest},
};

/// Workers kept waiting for each that may run at once: as many rules as operators usually run, so that changing between them
/// starts no process.
const IDLE_PER_RUNNING: usize = 4;

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

struct State {
    turns: Turns,
    /// Rules of this program that share workers.
    shared: Team,
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
        let state = State {
            turns: Turns::default(),
            shared: Team::empty(),
            idle: Vec::new(),
            statuses: BTreeMap::new(),
            confinement: None,
        };
        Ok(Self { config, executes: Executes::Workers, state: Mutex::new(state), freed: Condvar::new(), spawner })
    }

    /// Has runs of this rule under these limits share workers with others that were named so: those over one block follow each other in one
    /// worker, which executes it once. A rule that did not come with this program ([`CompiledRule::of_this_program`]) stays alone.
    pub fn share(&self, rule: &Arc<CompiledRule>, limits: Limits) {
        let mut state = self.state();
        state.shared = state.shared.joined_by(rule, limits);
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
        let mut team = self.team(job);
        let _turn = self.turn(job.specimen_hash.if_known().filter(|_| team.is_shared()));
        let mut tries = 1;
        loop {
            let begun = Instant::now();
            match self.attempt(job, &team, tries, stop, &ask) {
                Ok(answer) => return Ok((answer, tries, begun.elapsed())),
                Err(reason) if reason.is_worth_another_try() && tries < TRIES_MAX => {
                    warn!(%reason, specimen = %job.specimen_hash.get(), "worker lost, its run is tried again");
                    tries += 1;
                    // Alone: whatever other rules had to do with it, they have no part in the second try.
                    team = Team::of_one(Arc::clone(&job.rule), job.limits);
                }
                Err(reason) => return Err(Quarantined { reason, tries }),
            }
        }
    }

    /// Starts a worker for a rule under these limits and keeps it for the first run: only a rule that described itself is admitted.
    pub fn admit(&self, rule: &CompiledRule, limits: Limits) -> Result<(), Quarantined> {
        let _turn = self.turn(None);
        let team = Team::of_one(Arc::new(rule.clone()), limits);
        let mut tries = 1;
        loop {
            match self.start(&team) {
                Ok(worker) => {
                    self.keep(worker, rule.digest());
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
        team: &Team,
        attempt: u32,
        stop: Option<FuelParts>,
        ask: impl Fn(&mut Worker, &RunRequest) -> Result<T, RunError>,
    ) -> Result<T, WorkerFailure> {
        let Job { rule, specimen_hash, raw, params, limits, trace } = job;
        let rule = rule.digest();
        // A second try is on a fresh worker.
        let waiting = if attempt == 1 { self.waiting(team, specimen_hash.if_known()) } else { None };
        let mut worker = match waiting {
            Some(worker) => worker,
            None => self.start(team)?,
        };
        let pid = worker.pid();
        self.state().statuses.insert(pid, WorkerStatus { pid, rule, attempt: Some(attempt) });
        let number = team.number(rule, limits).and_then(|number| u32::try_from(number).ok());
        let request = RunRequest {
            // It is one of them: the team was chosen for it.
            rule: number.unwrap_or_default(),
            specimen_hash: specimen_hash.if_known(),
            raw: raw.clone(),
            params: params.clone(),
            limits: *limits,
            trace: *trace,
            stop,
        };
        match ask(&mut worker, &request) {
            Ok(answer) => {
                self.keep(worker, rule);
                Ok(answer)
            }
            Err(error) => {
                self.state().statuses.remove(&pid);
                Err(worker.autopsy(error))
            }
        }
    }

    /// The rules whose worker runs a job: those that share workers where its rule is one of them, and it alone otherwise.
    fn team(&self, job: &Job) -> Team {
        let shared = self.state().shared.clone();
        let is_shared = job.rule.is_of_this_program() && shared.number(job.rule.digest(), &job.limits).is_some();
        if is_shared { shared } else { Team::of_one(Arc::clone(&job.rule), job.limits) }
    }

    /// An idle worker that serves these rules: of several, the one that holds this specimen's execution, or the one that was used least recently,
    /// so that others find theirs.
    fn waiting(&self, team: &Team, specimen: Option<B256>) -> Option<Worker> {
        let mut state = self.state();
        let is_of_team = |worker: &Worker| worker.team().is(team);
        let position = if team.is_shared() {
            let holds = |worker: &Worker| specimen.is_some() && worker.holds() == specimen && is_of_team(worker);
            state.idle.iter().position(holds).or_else(|| state.idle.iter().position(is_of_team))
        } else {
            state.idle.iter().rposition(is_of_team)
        };
        Some(state.idle.remove(position?))
    }

    fn start(&self, team: &Team) -> Result<Worker, WorkerFailure> {
        let process = self.spawner.spawn()?;
        let terms = ExecutionTerms { executed_by: self.executes.executed_by(), policy: self.config.policy };
        let (worker, confinement) = Worker::start(process, team.clone(), &self.config.chains, terms)?;
        let first = self.state().confinement.replace(confinement.clone()).is_none();
        if first {
            for (measure, outcome) in confinement.iter() {
                if let Outcome::Unavailable { reason } = outcome {
                    warn!(%measure, %reason, "confinement of workers incomplete");
                }
            }
        }
        Ok(worker)
    }

    /// Lets a worker wait for its next run, unless it has served its time. One too many ends the one that waits longest.
    fn keep(&self, worker: Worker, rule: B256) {
        let pid = worker.pid();
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

    /// Waits until fewer workers run than may, and none of them executes this block.
    fn turn(&self, block: Option<B256>) -> WorkerPermit<'_> {
        let mut state = self.state();
        state.turns.wait(block);
        while !state.may_begin(self.config.workers, block) {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turns.begin(block);
        drop(state);
        // Others may have waited for this one alone.
        self.freed.notify_all();
        WorkerPermit { pool: self, block }
    }

    /// The state is whole after every statement, so a thread that panicked leaves nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_begin(&self, workers: usize, block: Option<B256>) -> bool {
        self.turns.may_begin(workers, block, |block| self.idle.iter().any(|worker| worker.holds() == Some(block)))
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
struct WorkerPermit<'p> {
    pool: &'p Pool,
    /// The block that it executes for several rules.
    block: Option<B256>,
}

impl Drop for WorkerPermit<'_> {
    fn drop(&mut self) {
        self.pool.state().turns.end(self.block);
        // Each waits for something else.
        self.pool.freed.notify_all();
    }
}
