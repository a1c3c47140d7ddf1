//! Hosts with the rules of a replay: tasks out, runs back.

use std::{
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy_primitives::B256;
use futures_util::future::join_all;
use refiner_content::serve::{self, ContentName, ServeLimits};
use refiner_diagnostics::Failure;
use refiner_evm::ExecutionPolicy;
use refiner_listener::Access;
use refiner_queue::{
    Blame, Coordinator, CoordinatorSettings, Finished, Known, QueueError, QueueId, ReceivedArtifact, Records, Task,
    TaskFailure, Verdict,
};
use refiner_replay::{HostRun, HostSpecimen, HostsAtWork, HostsFailure};
use refiner_rule_model::{Artifact, UntrustedText, Verdict as RunVerdict};
use refiner_rule_session::LoadedRule;
use refiner_terminal as terminal;
use tokio::{
    runtime::Runtime,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    ReplayHosts, ReplayHostsError,
    library::Library,
    queue_file::QueueFile,
    rules::{TaskRule, record},
};

/// Tries of a run where a host's surroundings are to blame, on whatever hosts.
const TRIES_OF_SURROUNDINGS: u32 = 6;
/// The same where the specimen may be.
const TRIES_OF_DOUBT: u32 = 3;
/// Pause before another try, longer with each.
const AGAIN: Duration = Duration::from_secs(1);
/// Time for the queue to be given back, or removed.
const END: Duration = Duration::from_secs(12);
/// Time for the content server's last answers.
const SERVE_END: Duration = Duration::from_secs(1);
/// Time between two looks at whether anything is waited for.
const LOOK: Duration = Duration::from_secs(5);
/// Looks between two lines about the same.
const LOOKS_PER_LINE: u32 = 12;
/// Connections of hosts: each has a few.
const CONNECTIONS: usize = 2_048;

/// A queue with its coordinator, and the server that hosts fetch from.
pub(crate) struct AtWork {
    coordinator: Coordinator,
    library: Arc<Library>,
    rules: Vec<TaskRule>,
    file: QueueFile,
    /// Ends the coordinator.
    stop: CancellationToken,
    /// Set when the coordinator ended by itself.
    lost: CancellationToken,
    serving: CancellationToken,
    // Each is taken when the work ends.
    engine: Mutex<Option<JoinHandle<Result<(), QueueError>>>>,
    server: Mutex<Option<JoinHandle<()>>>,
    runtime: Runtime,
}

impl AtWork {
    /// Serves rules, and waits until the queue stands.
    pub fn begin(
        hosts: &ReplayHosts,
        file: QueueFile,
        rules: &[LoadedRule],
        policy: ExecutionPolicy,
    ) -> Result<Self, ReplayHostsError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(ReplayHostsError::Runtime)?;
        let listener = runtime.block_on(refiner_listener::bind(hosts.listen, hosts.allow_remote))?;
        let queue = file.id()?;
        // A closed standard error leaves no place for it.
        if let Ok(address) = listener.local_addr() {
            let _ =
                writeln!(terminal::err(), "queue {queue}, specimens and rules for worker hosts at http://{address}");
        }
        let library = Arc::new(Library::default());
        let (serving, stop, lost) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let mut limits = ServeLimits::default();
        limits.listener.connections = CONNECTIONS;
        let access = Access::of_hosts([]);
        let server = serve::serve_source(listener, Arc::clone(&library) as _, limits, access, serving.clone());
        let server = runtime.spawn(server);
        let coordinator = coordinator(hosts, queue, rules, policy, &library)?;
        let (running, stopped, losing) = (coordinator.clone(), stop.clone(), lost.clone());
        let engine = runtime.spawn(async move {
            let ended = running.run(stopped).await;
            losing.cancel();
            ended
        });
        let this = Self {
            coordinator,
            library,
            rules: rules.iter().map(TaskRule::from).collect(),
            file,
            stop,
            lost,
            serving,
            engine: Mutex::new(Some(engine)),
            server: Mutex::new(Some(server)),
            runtime,
        };
        this.runtime.spawn(watch(this.coordinator.clone()));
        this.wait_until_ready()?;
        Ok(this)
    }

    fn wait_until_ready(&self) -> Result<(), ReplayHostsError> {
        self.runtime.block_on(async {
            tokio::select! {
                () = self.coordinator.ready() => {}
                () = self.lost.cancelled() => {}
            }
        });
        if self.lost.is_cancelled() { self.ended() } else { Ok(()) }
    }

    /// The end of the coordinator, which is near.
    fn ended(&self) -> Result<(), ReplayHostsError> {
        let Some(engine) = self.engine.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        match self.runtime.block_on(async { timeout(END, engine).await }) {
            Ok(Ok(ended)) => Ok(ended?),
            // A bug of ours, whose panic was printed; or NATS does not answer.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Has the rule run over the specimen until there is a verdict, or no sense in another try.
    async fn run_rule(&self, specimen: &TaskSpecimen, rule: TaskRule) -> Result<HostRun, HostsFailure> {
        let mut failures = 0;
        loop {
            let task = specimen.task(rule);
            let id = task.id();
            let submitted = self.coordinator.submit(task, failures).await;
            // The artifacts are in memory: what dies with this process is asked for again by the next.
            self.coordinator.settle(id);
            let failure = match submitted {
                Ok(finished) => return host_run(finished),
                Err(failure) => failure,
            };
            failures += 1;
            if failures >= tries(&failure) {
                return Err(HostsFailure(UntrustedText::new(&failure.to_string())));
            }
            tracing::warn!(task = %id, height = specimen.height, %failure, failures, "run failed on a worker host, tried again");
            sleep(AGAIN * failures).await;
        }
    }
}

fn tries(failure: &TaskFailure) -> u32 {
    match failure.blame() {
        Blame::Infrastructure => TRIES_OF_SURROUNDINGS,
        Blame::Doubtful => TRIES_OF_DOUBT,
        Blame::Final => 1,
    }
}

fn coordinator(
    hosts: &ReplayHosts,
    queue: QueueId,
    rules: &[LoadedRule],
    policy: ExecutionPolicy,
    library: &Library,
) -> Result<Coordinator, ReplayHostsError> {
    let settings = CoordinatorSettings {
        connection: hosts.connection.clone(),
        queue,
        ack_wait: hosts.ack_wait,
        sweep: hosts.sweep,
        origins: hosts.origins()?,
        from: Vec::new(),
        recheck: hosts.recheck.map(|share| (share.of_them, share.all)),
        rules: rules.iter().map(|rule| record(rule, policy, library)).collect(),
        starts_anew: true,
    };
    Ok(Coordinator::new(settings, Arc::new(NoJournal)))
}

/// Every result may be one that is asked for in a moment.
struct NoJournal;

impl Records for NoJournal {
    fn known(&self, _: u64, _: B256, _: B256) -> Known {
        Known::Waiting
    }
}

/// A specimen on its way through the rules.
struct TaskSpecimen {
    chain_id: u64,
    height: u64,
    block_hash: B256,
    specimen_hash: B256,
    bytes: u64,
}

impl TaskSpecimen {
    fn task(&self, TaskRule { identity, limits }: TaskRule) -> Task {
        let wall_ms = limits.deadline_ms(self.bytes);
        let Self { chain_id, height, block_hash, specimen_hash, bytes } = self;
        Task::new(*chain_id, *height, *block_hash, *specimen_hash, None, *bytes, identity, wall_ms, None).with_report()
    }
}

/// The run as this machine would have made it.
fn host_run(Finished { verdict, worker, elapsed, report, .. }: Finished) -> Result<HostRun, HostsFailure> {
    let no_report = || HostsFailure(UntrustedText::new(&format!("worker host {worker} sent no report of the run")));
    let mut run = *report.ok_or_else(no_report)?;
    let mut sha256 = Vec::new();
    if let (Verdict::Produced { artifacts, .. }, RunVerdict::Produced { artifacts: into, .. }) =
        (verdict, &mut run.verdict)
    {
        sha256.extend(artifacts.iter().map(|artifact| artifact.reference.sha256));
        into.extend(artifacts.into_iter().map(artifact));
    }
    Ok(HostRun { run, sha256, host: worker.as_str().into(), elapsed })
}

fn artifact(ReceivedArtifact { reference, bytes }: ReceivedArtifact) -> Artifact {
    Artifact { name: reference.name, media_type: reference.media_type, schema: reference.schema, bytes: bytes.into() }
}

/// Names what the replay waits for, now and then, for as long as it does.
async fn watch(coordinator: Coordinator) {
    let mut looks = 0_u32;
    loop {
        sleep(LOOK).await;
        let what = coordinator.waits_for().map(|what| what.to_string()).or_else(|| coordinator.snapshot().waits_for());
        looks = if what.is_some() { looks + 1 } else { 0 };
        if let Some(what) = what.filter(|_| looks % LOOKS_PER_LINE == 1) {
            tracing::warn!(what, "replay waits");
        }
    }
}

impl HostsAtWork for AtWork {
    fn run(&self, specimen: HostSpecimen) -> Vec<Result<HostRun, HostsFailure>> {
        let HostSpecimen { input, chain_id, height, block_hash, specimen_hash, raw } = specimen;
        let place = TaskSpecimen { chain_id, height, block_hash, specimen_hash, bytes: raw.len() as u64 };
        // By the hash that was computed anyway: an id would be a second pass over all the bytes.
        let _offered = self.library.offer(ContentName::Announced(specimen_hash.0), input, &raw.0);
        let runs = self.rules.iter().map(|rule| self.run_rule(&place, *rule));
        self.runtime.block_on(join_all(runs))
    }

    fn when_lost(&self, act: Box<dyn Fn() + Send + Sync>) {
        let (lost, stop) = (self.lost.clone(), self.stop.clone());
        self.runtime.spawn(async move {
            lost.cancelled().await;
            if !stop.is_cancelled() {
                act();
            }
        });
    }

    fn close(&self, is_complete: bool) -> Result<(), Failure> {
        if is_complete {
            self.coordinator.finish();
        }
        self.stop.cancel();
        let ended = self.ended();
        self.serving.cancel();
        if let Some(server) = self.server.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = self.runtime.block_on(async { timeout(SERVE_END, server).await });
        }
        ended?;
        if is_complete && self.coordinator.is_removed() {
            self.file.remove()?;
        }
        Ok(())
    }
}
