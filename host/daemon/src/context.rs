//! What the stages share.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use refiner_content::{
    AddressPolicy, CONTENT_BYTES_MAX, Content, ContentId, FetchBackend, Fetcher, Gateway, HedgePolicy, HttpLimits,
    LocalStore, Pinner, PinnerLimits, Retention, SetupError, UrlFetcher, public_gateways,
};
use refiner_diagnostics::ErrorChain;
use refiner_journal::JournalError;
use refiner_proofchain::ProofChain;
use refiner_queue::QueueId;
use refiner_worker::{Pool, PoolConfig, PoolError};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    config::Settings,
    engine::policy::StageError,
    error::RunError,
    execute::{LocalPool, ManyHosts, WorkQueue},
    fetch::sources::Sources,
    locate::LocationPrefetcher,
    observe::status::Status,
    rules::{Loaded, Rule},
    state::{content_cache::ContentCache, journal_handle::JournalHandle},
};

/// What the stages share; each sees no more than it needs of it.
pub struct PipelineContext {
    pub journal: JournalHandle,
    pub status: Status,
    pub chain: ProofChain,
    pub store: LocalStore,
    pub fetcher: Fetcher,
    pub pinner: Option<Pinner>,
    /// Where others find results that no pinner has.
    pub public_url: Option<Url>,
    /// The place where rules run.
    pub work: Arc<dyn WorkQueue>,
    /// The same, where it is a queue.
    pub hosts: Option<Arc<ManyHosts>>,
    pub content_cache: ContentCache,
    pub prefetcher: LocationPrefetcher,
    /// The sources over HTTP that are known by name, and how they are.
    pub sources: Sources,
    /// The first pause after a failure.
    pub retry: Duration,
    /// Time after which a specimen that no source has is given up.
    pub waiting_limit: Duration,
    pub operator: Option<alloy_primitives::Address>,
    /// Reorganisations past the position since the start.
    pub reorganisations: AtomicU64,
    /// Content that worker hosts fetch beside specimens.
    components: Vec<ContentId>,
    rules: BTreeMap<B256, Rule>,
}

impl PipelineContext {
    pub fn open(
        settings: &Settings,
        journal: JournalHandle,
        status: Status,
        chain: ProofChain,
        Loaded { rules, chains }: Loaded,
        queue: QueueId,
        stop: CancellationToken,
    ) -> Result<Self, RunError> {
        let store = LocalStore::open(settings.data.join("content"), CONTENT_BYTES_MAX)?;
        let limits =
            PinnerLimits { upload: settings.upload, ..PinnerLimits::patient(settings.fetch_stall, settings.fetch) };
        let pinner =
            settings.pinner.as_deref().map(|url| Pinner::through(&settings.egress, url, limits)).transpose()?;
        let gateways = gateways(settings)?;
        let component = |rule: &Rule| Content::of(rule.compiled.component().clone().0).unixfs_id();
        let hosts_components =
            if settings.queue.is_some() { rules.iter().map(component).collect() } else { Vec::new() };
        let local = local(settings, chains)?;
        let (work, hosts): (Arc<dyn WorkQueue>, _) = match (&settings.queue, local) {
            (Some(terms), local) => {
                let hosts = ManyHosts::new(settings, terms, queue, &rules, &store, journal.clone(), stop)?;
                let hosts = Arc::new(hosts.beside(local));
                (Arc::clone(&hosts) as _, Some(hosts))
            }
            (None, Some(local)) => (Arc::new(local), None),
            (None, None) => return Err(PoolError::NoWorkers.into()),
        };
        Ok(Self {
            fetcher: fetcher(settings, &store, pinner.as_ref(), &gateways)?,
            sources: Sources::new(pinner.clone(), gateways, status.clone()),
            work,
            hosts,
            content_cache: ContentCache::default(),
            prefetcher: LocationPrefetcher::default(),
            journal,
            status,
            chain,
            store,
            pinner,
            public_url: settings.public_url.clone(),
            retry: settings.retry,
            waiting_limit: settings.waiting_limit,
            operator: None,
            reorganisations: AtomicU64::new(0),
            components: hosts_components,
            rules: rules.into_iter().map(|rule| (rule.identity, rule)).collect(),
        })
    }

    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The URL under which others find a result.
    pub fn result_url(&self, cid: &str) -> String {
        match self.public_url.as_ref().filter(|_| self.pinner.is_none()) {
            Some(base) => format!("{}/ipfs/{cid}", base.as_str().trim_end_matches('/')),
            None => format!("ipfs://{cid}"),
        }
    }

    /// The rule of an item, unless the operator took it out of the configuration.
    pub fn rule(&self, item: &refiner_journal::Item) -> Result<&Rule, StageError> {
        self.rules.get(&item.rule).ok_or_else(|| StageError::NoRule { name: item.rule_name.clone() })
    }
}

/// The workers of this machine, where it has any.
fn local(settings: &Settings, chains: Vec<String>) -> Result<Option<LocalPool>, RunError> {
    if settings.workers == 0 {
        return Ok(None);
    }
    let executes = settings.evm.executes(Some(settings.data.join("differences")))?;
    let pool = Pool::new(PoolConfig { chains, policy: settings.policy, ..PoolConfig::new(settings.workers) })?;
    Ok(Some(LocalPool::new(pool.executing(executes), settings.workers)))
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

/// How often the store is looked at: it grows by some GiB a day at most.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Keeps the local store within its size, until `stop`. Content of unfinished items is recent, and is made again if it is not.
pub async fn prune(
    context: Arc<PipelineContext>,
    total_bytes: u64,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let retention = Retention { total_bytes, ..Retention::default() };
    while !stop.is_cancelled() {
        let (store, components) = (context.store.clone(), context.components.clone());
        let pruned = tokio::task::spawn_blocking(move || {
            store.prune(&retention, SystemTime::now(), |id| components.contains(id))
        })
        .await;
        match pruned {
            Ok(Ok(pruned)) if pruned.removed == 0 => {}
            Ok(Ok(pruned)) => {
                tracing::info!(removed = pruned.removed, bytes = pruned.removed_bytes, "content store pruned");
            }
            Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "content store not pruned"),
            Err(error) => tracing::error!(%error, "pruning the content store panicked"),
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
