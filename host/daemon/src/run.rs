//! The daemon's start, its parts at work together, and its end.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use refiner_diagnostics::{ErrorChain, ExitCode, Failure};
use refiner_http_client::Egress;
use refiner_journal::{Binding, Journal, JournalError};
use refiner_listener::Access;
use refiner_proofchain::{ChainError, ProofChain, Prover, Rpc, RpcLimits, Signer};
use refiner_queue::QueueId;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Key, Settings, Shown},
    control::{self, Operator},
    engine::{
        clock,
        poller::{PollFailure, Poller},
        shutdown,
    },
    error::RunError,
    execute::RUNS_PER_WORKER_MAX,
    observe::{
        health::{self, Health},
        metrics::Metrics,
        nodes,
        page::{self, PageSource},
        status::Status,
        trace::{Exporter, Tracer},
    },
    pipeline::{Bound, Pipeline, Running},
    preflight::MachineChecks,
    rules::{self, Loaded},
    scan, signer,
    state::{disk, journal_handle::JournalHandle},
};

/// Threads for the journal, the content store and names, beside one for each item at work. Each costs some MiB.
const OTHER_BLOCKING_THREADS: usize = 16;
/// A thread without work ends after this time. What it freed last stays in a heap of its own, some MiB, until it ends; and work goes round
/// among all threads that wait, so that a longer time would keep every one that a burst has needed.
const THREAD_UNUSED: Duration = Duration::from_millis(100);
/// Threads that are still in a worker's or the disk's hands when everything else ended get this long.
const THREADS_END: Duration = Duration::from_secs(1);

/// Polls of the chain for each look at a node that is not asked otherwise.
const POLLS_PER_LOOK: u32 = 8;
/// The shortest time between two such looks.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(100);
/// The longest time between two such looks.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(60);

/// The parts that have to be there before the chain is asked.
struct Prepared {
    signer: Option<Signer>,
    journal: Journal,
    loaded: Loaded,
    machine: MachineChecks,
}

/// Runs until a signal stops it. `shown` is what the status page shows of the settings.
///
/// # Errors
///
/// [`RunError`], and those of rules; work in progress is in the journal.
pub fn run(settings: Settings, shown: Vec<Shown>, machine: MachineChecks) -> Result<ExitCode, Failure> {
    let settings = Arc::new(settings);
    // Dozens of threads come and go, each with a heap of its own, and of huge pages each would have whole ones cleared to use a
    // part. A kernel that knows no such pages refuses, and needs nothing.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let blocking = settings.workers * RUNS_PER_WORKER_MAX + settings.fetches + settings.pins + OTHER_BLOCKING_THREADS;
    let mut runtime = Builder::new_multi_thread();
    runtime.enable_all().max_blocking_threads(blocking).thread_keep_alive(THREAD_UNUSED);
    let runtime = runtime.build().map_err(RunError::from)?;
    let (stop, status) = (CancellationToken::new(), Status::of(page::settings(shown)));
    // Before anything takes time: a signal that comes while rules are compiled is heard like any other.
    runtime.block_on(async { shutdown::on_signals(&stop, &status) }).map_err(RunError::from)?;
    // Before anything waits for a peer: what is wrong with a file of this machine ends the start at once.
    let signer = match &settings.key {
        Key::None => None,
        Key::From(source) => Signer::local(source).map_err(RunError::from)?,
    };
    let Some(journal) = disk::open(&settings.data, &stop)? else { return Ok(ExitCode::Done) };
    let loaded = Loaded { rules: rules::load(&settings)?, chains: rules::chain_texts(&settings)? };
    let prepared = Prepared { signer, journal, loaded, machine };
    let ended = runtime.block_on(daemon(settings, prepared, stop, status));
    runtime.shutdown_timeout(THREADS_END);
    ended?;
    Ok(ExitCode::Done)
}

async fn daemon(
    settings: Arc<Settings>,
    prepared: Prepared,
    stop: CancellationToken,
    status: Status,
) -> Result<(), RunError> {
    let Prepared { signer, journal, loaded, machine } = prepared;
    let metrics = Metrics::new()?;
    let (tracer, exporter) = match &settings.otlp_endpoint {
        None => (Tracer::default(), None),
        Some(endpoint) => {
            let (tracer, exporter) = Exporter::new(&settings.egress, endpoint, metrics.clone())?;
            (tracer, Some(exporter))
        }
    };
    let journal = JournalHandle::new(journal, metrics, tracer, status.clone(), stop.clone());
    let listener = health::bind(settings.health, settings.health_anywhere).await?;
    let access = Access::of_hosts(settings.allow_hosts.iter().cloned());
    let health_stop = CancellationToken::new();
    let rpc = Rpc::through(&settings.egress, settings.rpc.iter().cloned(), rpc_limits(&settings))?;
    let operator = Operator::new(journal.clone(), Arc::clone(&settings), stop.clone());
    let rescan = Arc::clone(&operator.rescan);
    let running = Arc::new(OnceLock::new());
    let page = PageSource::new(&settings, Arc::clone(&running));
    let samples = page::watch(journal.clone(), status.clone(), page.spending().clone(), health_stop.clone());
    let samples = tokio::spawn(samples);
    let health = Health {
        journal: journal.clone(),
        status: status.clone(),
        rpc: rpc.clone(),
        data: settings.data.clone(),
        low_balance: settings.low_balance,
        page,
    };
    let health = tokio::spawn(health::serve(health, listener, access, health_stop.clone()));
    let control = tokio::spawn(control::serve(control::bind(&settings.data), operator, health_stop.clone()));
    let exports = exporter.map(|exporter| tokio::spawn(exporter.run(health_stop.clone())));
    let watch = tokio::spawn(nodes::watch(rpc.clone(), status.clone(), health_stop.clone()));

    let ended = tokio::select! {
        opened = open(Arc::clone(&settings), signer, &rpc, journal, status.clone(), loaded, &stop) => match opened {
            Ok((pipeline, prover)) => {
                rescan.get_or_init(|| pipeline.rescan());
                running.get_or_init(|| pipeline.running_rules());
                at_work(pipeline, settings.shutdown, prover, machine, &stop).await
            }
            Err(error) => Err(error),
        },
        // The stages end by themselves; until they run there is nothing to finish.
        () = stop.cancelled() => Ok(()),
    };
    health_stop.cancel();
    // They only have answers to finish.
    let exported = async {
        if let Some(exports) = exports {
            let _ = exports.await;
        }
    };
    let _ = tokio::time::timeout(THREADS_END, async { tokio::join!(health, control, exported) }).await;
    let _ = tokio::join!(watch, samples);
    ended
}

/// Nodes are looked at again in proportion to how often the chain is asked for news.
pub fn rpc_limits(settings: &Settings) -> RpcLimits {
    let look_again = settings.poll.saturating_mul(POLLS_PER_LOOK).clamp(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX);
    RpcLimits {
        timeout: settings.rpc_timeout,
        questions_per_second: settings.rpc_rps,
        look_again,
        ..RpcLimits::default()
    }
}

/// Reaches the chain, however long that takes, and binds journal, key and chain to each other.
async fn open(
    settings: Arc<Settings>,
    signer: Option<Signer>,
    rpc: &Rpc,
    journal: JournalHandle,
    status: Status,
    loaded: Loaded,
    stop: &CancellationToken,
) -> Result<(Pipeline, Option<Prover>), RunError> {
    let (chain, signer) =
        tokio::try_join!(connect(&settings, rpc, &status), signer::reach(&settings, signer, &status))?;
    let operator = signer.as_ref().map(Signer::address);
    let binding =
        Binding { proof_chain: settings.network.chain_id, announcer: settings.network.specimen_contract, operator };
    journal.with(|journal| journal.bind(&binding))?;
    journal.with(|journal| journal.set_scan_window(settings.scan.window))?;
    wake_after_change(&settings, &journal)?;
    supersede(&loaded.rules, &journal)?;
    scan::remember(&chain, &scan::passed(&journal)?);
    let address = |address: alloy_primitives::Address| address.into_array();
    let queue = QueueId::of(binding.proof_chain, address(binding.announcer), operator.map(address));
    let bound = Bound { journal, status: status.clone(), chain: chain.clone(), queue, operator };
    let fees = settings.fees;
    let pipeline = Pipeline::open(settings, bound, loaded, stop.clone())?;
    if let Some(hosts) = pipeline.hosts() {
        hosts.opened(&status).await?;
    }
    status.now().operator = operator;
    Ok((pipeline, signer.map(|signer| Prover::new(chain, signer, fees))))
}

/// Work under way for rules or formats that are not served any more is run again under those that are.
fn supersede(rules: &[rules::Rule], journal: &JournalHandle) -> Result<(), JournalError> {
    let targets: Vec<_> = rules.iter().map(rules::Rule::target).collect();
    let superseded = journal.with(|journal| journal.supersede(&targets, clock::now_ms()))?;
    if superseded.ended > 0 {
        tracing::warn!(
            superseded = superseded.ended,
            begun = superseded.begun,
            "rules or formats changed, unproved items are run again"
        );
    }
    Ok(())
}

/// Other sources, or another program, may read what the former could not.
fn wake_after_change(settings: &Settings, journal: &JournalHandle) -> Result<(), JournalError> {
    let Settings { pinner, gateways, private_urls, egress, .. } = settings;
    let mut sources = format!("{} {pinner:?} {gateways:?} {private_urls}", env!("CARGO_PKG_VERSION"));
    if *egress != Egress::default() {
        sources.push_str(&format!(" {egress:?}"));
    }
    // URLs carry credentials.
    let digest = refiner_specimen::sha256(sources.as_bytes()).to_string();
    if journal.with(|journal| journal.replace_fact("sources", &digest))? {
        let woken = journal.with(|journal| journal.wake(None))?;
        tracing::info!(waiting = woken.waiting, "sources changed, waiting specimens are looked at again");
    }
    Ok(())
}

/// A node that does not answer is waited for; one of another chain is a mistake.
async fn connect(settings: &Settings, rpc: &Rpc, status: &Status) -> Result<ProofChain, RunError> {
    let poller = Poller::new("connect", status.clone(), settings.retry);
    let ask = async || ProofChain::connect(rpc.clone(), settings.network.clone()).await;
    let is_transient = |error: &ChainError| matches!(error, ChainError::Rpc(_));
    let log = |PollFailure { error, pause, .. }: &PollFailure| {
        tracing::warn!(error, retry_in = ?pause, "node unreachable");
    };
    Ok(poller.answer(ask, is_transient, log).await?)
}

/// Runs every stage, and the queue of worker hosts beside them; the queue ends last, and the stages with it where it cannot go on.
async fn at_work(
    pipeline: Pipeline,
    shutdown: Duration,
    prover: Option<Prover>,
    machine: MachineChecks,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let hosts = pipeline.hosts().map(Arc::clone);
    let stages = stages(pipeline.spawn(prover, machine, stop), shutdown, stop);
    let Some(hosts) = hosts else { return stages.await };
    tokio::pin!(stages);
    tokio::select! {
        ended = &mut stages => {
            hosts.end().await;
            ended
        }
        lost = hosts.ended() => {
            stop.cancel();
            stages.await?;
            lost.map_err(RunError::from)
        }
    }
}

/// Waits until the first of the parts ends by an error, or all because of `stop`.
async fn stages(mut running: Running, shutdown: Duration, stop: &CancellationToken) -> Result<(), RunError> {
    let mut ended = Ok(());
    let deadline = shutdown::deadline(stop, shutdown);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            one = running.join_next() => match one {
                None => return ended,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error @ JournalError::DiskFull { .. }))) if stop.is_cancelled() => {
                    tracing::warn!(%error, "what was not written is done again at the next start");
                }
                Some(Ok(Err(error))) => {
                    tracing::error!(error = %ErrorChain(&error), "journal unusable, stopping");
                    ended = ended.and(Err(error.into()));
                    stop.cancel();
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "stage panicked, stopping");
                    ended = ended.and(Err(RunError::Stage(error)));
                    stop.cancel();
                }
            },
            () = &mut deadline => {
                tracing::warn!("shutdown timeout, unfinished work is done again at the next start");
                return ended;
            }
        }
    }
}
