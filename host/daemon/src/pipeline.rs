//! The pipeline of a daemon that reached its chain: its parts are opened here, and each is given what it needs and no more.

use std::sync::Arc;

use alloy_primitives::Address;
use refiner_content::{
    AddressPolicy, CONTENT_BYTES_MAX, Content, ContentId, ContentStore, FetchBackend, Fetcher, Gateway, HedgePolicy,
    HttpLimits, LocalStore, Pinner, PinnerLimits, SetupError, UrlFetcher, public_gateways,
};
use refiner_journal::{JournalError, State};
use refiner_proofchain::{OpenedSessions, PeerProofs, ProofChain, Prover};
use refiner_queue::QueueId;
use refiner_worker::{Pool, PoolConfig, PoolError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Settings,
    control::Rescan,
    engine::{
        clock_watch,
        policy::FailurePolicy,
        stage_runner::{Backpressure, StageRunner, StageTerms},
    },
    error::RunError,
    execute::{self, Execute, LocalPool, ManyHosts, REFINE, RuleRuns, WorkQueue},
    fetch::{
        FETCH, Fetch,
        sources::{self, Sources},
    },
    locate::LocationPrefetcher,
    observe::{heartbeat, page::RunningRules, readiness::Readiness, status::Status},
    pin::{PIN, Pin},
    preflight::MachineChecks,
    prove::{self, Peers, ProofSubmitter, ProveTerms, ResultUrls},
    rules::{Loaded, Rule},
    scan::{ChainAnnouncements, Recorder, Reorganisations, Scan, ScanTerms},
    state::{
        content::StageContent,
        journal_handle::JournalHandle,
        memory,
        retention::{self, KeptItems},
        store_size,
        targets::Targets,
    },
};

/// Specimens that wait to be run for each worker. They are in memory, and memory that is never touched need not be cleared.
const WAITING_PER_WORKER: usize = 2;
/// Rules for which a specimen waits, each with its own item: of more, some wait in the store.
const RULES_WAITING_MAX: usize = 8;
/// Fetches for each look at what no source has.
const LOOKS_PER_FETCHES: usize = 4;

/// Parts at work; each ends by itself, or by an error of the journal.
pub type Running = JoinSet<Result<(), JournalError>>;

/// Everything that stages and other parts are made of.
pub struct Pipeline {
    settings: Arc<Settings>,
    journal: JournalHandle,
    status: Status,
    chain: ProofChain,
    /// The operator of the key, where results are proved.
    operator: Option<Address>,
    targets: Arc<Targets>,
    content: StageContent,
    fetcher: Fetcher,
    pinner: Option<Pinner>,
    /// The sources over HTTP that are known by name, and how they are.
    sources: Arc<Sources>,
    runs: RuleRuns,
    /// The place where rules run.
    work: Arc<dyn WorkQueue>,
    /// The same, where it is a queue.
    hosts: Option<Arc<ManyHosts>>,
    reorganisations: Reorganisations,
}

/// The chain that was reached, and what is bound to it.
pub struct Bound {
    pub journal: JournalHandle,
    pub status: Status,
    pub chain: ProofChain,
    pub queue: QueueId,
    /// The operator of the key, where results are proved.
    pub operator: Option<Address>,
}

impl Pipeline {
    /// Opens stores, clients and workers.
    pub fn open(
        settings: Arc<Settings>,
        Bound { journal, status, chain, queue, operator }: Bound,
        Loaded { rules, chains }: Loaded,
        stop: CancellationToken,
    ) -> Result<Self, RunError> {
        let content = StageContent::new(LocalStore::open(settings.data.join("content"), CONTENT_BYTES_MAX)?);
        let limits =
            PinnerLimits { upload: settings.upload, ..PinnerLimits::patient(settings.fetch_stall, settings.fetch) };
        let pinner =
            settings.pinner.as_deref().map(|url| Pinner::through(&settings.egress, url, limits)).transpose()?;
        let gateways = gateways(&settings)?;
        let targets = rules.iter().map(Rule::target).collect();
        let runs = RuleRuns::new(rules, content.clone(), journal.tracer.clone(), pinner.is_some());
        let local = local(&settings, chains, &runs)?;
        let (work, hosts): (Arc<dyn WorkQueue>, _) = match (&settings.queue, local) {
            (Some(terms), local) => {
                let hosts = ManyHosts::new(&settings, terms, queue, runs.clone(), journal.clone(), stop)?;
                let hosts = Arc::new(hosts.beside(local));
                (Arc::clone(&hosts) as _, Some(hosts))
            }
            (None, Some(local)) => (Arc::new(local), None),
            (None, None) => return Err(PoolError::NoWorkers.into()),
        };
        Ok(Self {
            fetcher: fetcher(&settings, content.store(), pinner.as_ref(), &gateways)?,
            sources: Arc::new(Sources::new(pinner.clone(), gateways, status.clone())),
            targets: Arc::new(targets),
            reorganisations: Reorganisations::default(),
            settings,
            journal,
            status,
            chain,
            operator,
            content,
            pinner,
            runs,
            work,
            hosts,
        })
    }

    /// The queue of worker hosts, where there is one.
    pub const fn hosts(&self) -> Option<&Arc<ManyHosts>> {
        self.hosts.as_ref()
    }

    /// The needs of a scan that an operator asks for.
    pub fn rescan(&self) -> Rescan {
        let (chain, targets) = (self.chain.clone(), Arc::clone(&self.targets));
        Rescan { chain, targets, reorganisations: self.reorganisations.clone() }
    }

    /// State of the workers for the status page.
    pub fn running_rules(&self) -> RunningRules {
        let names = self.runs.rules().map(|rule| (rule.compiled.digest(), rule.name.clone()));
        RunningRules { queue: Arc::clone(&self.work), names: names.collect() }
    }

    /// Begins with everything.
    pub fn spawn(self, prover: Option<Prover>, machine: MachineChecks, stop: &CancellationToken) -> Running {
        let mut running = JoinSet::new();
        running.spawn(self.scan().run(stop.clone()));
        self.spawn_stages(&mut running, stop);
        self.spawn_upkeep(&mut running, machine, stop);
        if let Some(prover) = prover {
            let peers = Peers::new(
                Box::new(PeerProofs::new(self.chain.clone())),
                Box::new(OpenedSessions::new(self.chain.clone())),
            );
            running.spawn(prove::prove(self.submitter(prover), peers, stop.clone()));
        }
        running
    }

    fn spawn_stages(&self, running: &mut Running, stop: &CancellationToken) {
        let workers = self.settings.workers;
        let (at_workers, most) = match &self.hosts {
            Some(hosts) => {
                running.spawn(Arc::clone(hosts).watch(self.status.clone(), self.journal.clone()));
                (refiner_queue::DEPTH, refiner_queue::DEPTH * WAITING_PER_WORKER)
            }
            None => {
                let rules = self.runs.rules().count();
                (execute::at_once(workers, rules), workers * WAITING_PER_WORKER * rules.clamp(1, RULES_WAITING_MAX))
            }
        };
        let ahead = Some(Backpressure { waiting: State::Fetched, most, then: State::Produced });
        let (fetch, fetches) = (Arc::new(self.fetch()), self.settings.fetches);
        let fetched = StageTerms { name: FETCH, state: State::Announced, at_once: fetches, ahead };
        running.spawn(self.runner(fetched).run(Arc::clone(&fetch), stop.clone()));
        // What no source has is looked at beside the rest, so that thousands of it keep none of the others waiting.
        let looks = fetches.div_ceil(LOOKS_PER_FETCHES);
        let looked = StageTerms { name: FETCH, state: State::Waiting, at_once: looks, ahead };
        running.spawn(self.runner(looked).run(fetch, stop.clone()));
        let ran = StageTerms { name: REFINE, state: State::Fetched, at_once: at_workers, ahead: None };
        running.spawn(self.runner(ran).run(Arc::new(self.execute()), stop.clone()));
        let pinned = StageTerms { name: PIN, state: State::Produced, at_once: self.settings.pins, ahead: None };
        running.spawn(self.runner(pinned).run(Arc::new(self.pin()), stop.clone()));
    }

    fn spawn_upkeep(&self, running: &mut Running, machine: MachineChecks, stop: &CancellationToken) {
        let Settings { retry, heartbeat, store_bytes, keep_items, keep_age, .. } = *self.settings;
        let (journal, store) = (&self.journal, self.content.store());
        running.spawn(self.readiness(machine).watch(stop.clone()));
        running.spawn(sources::watch(Arc::clone(&self.sources), journal.clone(), retry, stop.clone()));
        let rpc = self.operator.map(|_| self.chain.rpc().clone());
        running.spawn(heartbeat::beat(journal.clone(), self.status.clone(), rpc, heartbeat, stop.clone()));
        running.spawn(memory::release(self.content.clone(), stop.clone()));
        running.spawn(store_size::prune(store.clone(), self.components(), store_bytes, stop.clone()));
        let kept = KeptItems { items: keep_items, age: keep_age };
        running.spawn(retention::prune(journal.clone(), store.clone(), kept, stop.clone()));
        running.spawn(clock_watch::watch(journal.clone(), self.policy().longest_pause(), stop.clone()));
    }

    fn policy(&self) -> FailurePolicy {
        let Settings { retry, recheck, waiting_limit, .. } = *self.settings;
        FailurePolicy { retry, recheck, waiting_limit }
    }

    fn runner(&self, terms: StageTerms) -> StageRunner {
        StageRunner {
            terms,
            policy: self.policy(),
            journal: self.journal.clone(),
            status: self.status.clone(),
            observer: Arc::clone(&self.sources) as _,
        }
    }

    fn scan(&self) -> Scan {
        let Settings { start, backlog, poll, retry, .. } = *self.settings;
        Scan {
            recorder: Recorder {
                journal: self.journal.clone(),
                status: self.status.clone(),
                targets: Arc::clone(&self.targets),
                reorganisations: self.reorganisations.clone(),
            },
            source: Box::new(ChainAnnouncements::new(self.chain.clone(), self.settings.scan.clone())),
            terms: ScanTerms { start, depth: self.settings.scan.depth, backlog, poll, retry },
        }
    }

    fn fetch(&self) -> Fetch {
        Fetch {
            locations: LocationPrefetcher::new(self.journal.clone(), Arc::new(self.chain.clone()), self.operator),
            fetcher: self.fetcher.clone(),
            sources: Arc::clone(&self.sources),
            content: self.content.clone(),
            metrics: self.journal.metrics.clone(),
        }
    }

    fn execute(&self) -> Execute {
        Execute {
            targets: Arc::clone(&self.targets),
            queue: Arc::clone(&self.work),
            // Without a pinner the local store is where the network finds them.
            pins_at_once: self.pinner.is_none(),
        }
    }

    fn pin(&self) -> Pin {
        Pin {
            journal: self.journal.clone(),
            content: self.content.clone(),
            pinner: self.pinner.clone().map(|pinner| Arc::new(pinner) as Arc<dyn ContentStore>),
            sources: Arc::clone(&self.sources),
        }
    }

    fn submitter(&self, prover: Prover) -> ProofSubmitter {
        let Settings { poll, unsettled, proof_depth, bump_after, max_spend_wei, max_differences, finalize, .. } =
            *self.settings;
        let policy = self.policy();
        ProofSubmitter {
            journal: self.journal.clone(),
            status: self.status.clone(),
            targets: Arc::clone(&self.targets),
            urls: ResultUrls::new(self.settings.public_url.clone(), self.pinner.is_some()),
            prover: Box::new(prover),
            terms: ProveTerms {
                poll,
                policy,
                unsettled,
                proof_depth,
                bump_after,
                max_spend_wei,
                max_differences,
                finalize,
            },
        }
    }

    fn readiness(&self, machine: MachineChecks) -> Readiness {
        Readiness {
            journal: self.journal.clone(),
            status: self.status.clone(),
            chain: self.chain.clone(),
            pinner: self.pinner.clone(),
            operator: self.operator,
            machine,
            settings: Arc::clone(&self.settings),
        }
    }

    /// Content that worker hosts fetch beside specimens.
    fn components(&self) -> Vec<ContentId> {
        let component = |rule: &Rule| Content::of(rule.compiled.component().clone().0).unixfs_id();
        if self.hosts.is_some() { self.runs.rules().map(component).collect() } else { Vec::new() }
    }
}

/// The workers of this machine, where it has any.
fn local(settings: &Settings, chains: Vec<String>, runs: &RuleRuns) -> Result<Option<LocalPool>, RunError> {
    if settings.workers == 0 {
        return Ok(None);
    }
    let executes = settings.evm.executes(Some(settings.data.join("differences")))?;
    let pool = Pool::new(PoolConfig { chains, policy: settings.policy, ..PoolConfig::new(settings.workers) })?;
    for rule in runs.rules() {
        pool.share(&rule.compiled, rule.limits);
    }
    Ok(Some(LocalPool::new(pool.executing(executes), settings.workers, runs.clone())))
}

/// The local store first: what one rule fetched, the next need not.
fn fetcher(
    settings: &Settings,
    store: &LocalStore,
    pinner: Option<&Pinner>,
    gateways: &[Gateway],
) -> Result<Fetcher, SetupError> {
    let limits = HttpLimits::patient(settings.fetch_stall, settings.fetch);
    let mut sources: Vec<Arc<dyn FetchBackend>> = vec![Arc::new(store.clone())];
    sources.extend(pinner.map(|pinner| Arc::new(pinner.clone()) as Arc<dyn FetchBackend>));
    sources.extend(gateways.iter().map(|gateway| Arc::new(gateway.clone()) as Arc<dyn FetchBackend>));
    let policy = if settings.private_urls { AddressPolicy::Anywhere } else { AddressPolicy::Public };
    Ok(Fetcher::new(
        sources,
        Some(UrlFetcher::through(&settings.egress, limits, policy)?),
        HedgePolicy::within(settings.fetch),
    ))
}

fn gateways(settings: &Settings) -> Result<Vec<Gateway>, SetupError> {
    let limits = HttpLimits::patient(settings.fetch_stall, settings.fetch);
    match &settings.gateways {
        Some(named) => named.iter().map(|base| Gateway::through(&settings.egress, base, limits)).collect(),
        None => public_gateways(&settings.egress, limits),
    }
}
