//! What the stages share.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use refiner_content::{
    CONTENT_BYTES_MAX, Fetcher, Gateway, HttpLimits, LocalStore, Pace, Pinner, PinnerLimits, Reach, Retention,
    SetupError, Source, Web, public_gateways,
};
use refiner_diagnostics::ErrorChain;
use refiner_journal::JournalError;
use refiner_proofchain::ProofChain;
use refiner_worker::{Pool, PoolConfig};
use tokio_util::sync::CancellationToken;

use super::{
    config::Settings, error::RunError, foresight::Foresight, handoff::Handoff, ledger::Ledger, policy::StageError,
    rules::Rule, status::Status,
};

/// What the stages share; each sees no more than it needs of it.
pub struct Shop {
    pub ledger: Ledger,
    pub status: Status,
    pub chain: ProofChain,
    pub store: LocalStore,
    pub fetcher: Fetcher,
    pub pinner: Option<Pinner>,
    pub pool: Pool,
    pub handoff: Handoff,
    pub foresight: Foresight,
    /// The first pause after a failure.
    pub retry: Duration,
    pub operator: Option<alloy_primitives::Address>,
    rules: BTreeMap<B256, Rule>,
}

impl Shop {
    pub fn open(
        settings: &Settings,
        ledger: Ledger,
        status: Status,
        chain: ProofChain,
        rules: Vec<Rule>,
        chains: Vec<String>,
    ) -> Result<Self, RunError> {
        let store = LocalStore::open(settings.data.join("content"), CONTENT_BYTES_MAX)?;
        let limits = PinnerLimits { upload: settings.upload, ..PinnerLimits::default() };
        let pinner = settings.pinner.as_deref().map(|url| Pinner::new(url, limits)).transpose()?;
        Ok(Self {
            fetcher: fetcher(settings, &store, pinner.as_ref())?,
            pool: Pool::new(PoolConfig { chains, policy: settings.policy, ..PoolConfig::new(settings.workers) })?
                .executing(settings.evm.executes(Some(settings.data.join("differences")))?),
            handoff: Handoff::default(),
            foresight: Foresight::default(),
            ledger,
            status,
            chain,
            store,
            pinner,
            retry: settings.retry,
            operator: None,
            rules: rules.into_iter().map(|rule| (rule.identity, rule)).collect(),
        })
    }

    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The rule of an item, unless the operator took it out of the configuration.
    pub fn rule(&self, item: &refiner_journal::Item) -> Result<&Rule, StageError> {
        self.rules.get(&item.rule).ok_or_else(|| StageError::NoRule { name: item.rule_name.clone() })
    }
}

/// The local store first: what one rule fetched, the next need not.
fn fetcher(settings: &Settings, store: &LocalStore, pinner: Option<&Pinner>) -> Result<Fetcher, SetupError> {
    let limits = HttpLimits::default();
    let mut sources: Vec<Arc<dyn Source>> = vec![Arc::new(store.clone())];
    sources.extend(pinner.map(|pinner| Arc::new(pinner.clone()) as Arc<dyn Source>));
    let gateways = match &settings.gateways {
        Some(named) => named.iter().map(|base| Gateway::new(base, limits)).collect::<Result<_, _>>()?,
        None => public_gateways(limits)?,
    };
    sources.extend(gateways.into_iter().map(|gateway| Arc::new(gateway) as Arc<dyn Source>));
    let reach = if settings.private_urls { Reach::Anywhere } else { Reach::Public };
    Ok(Fetcher::new(sources, Some(Web::new(limits, reach)?), Pace::default()))
}

/// How often the store is looked at: it grows by some GiB a day at most.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Keeps the local store within its size, until `stop`. Content of unfinished items is recent, and is made again if it is not.
pub async fn prune(shop: Arc<Shop>, total_bytes: u64, stop: CancellationToken) -> Result<(), JournalError> {
    let retention = Retention { total_bytes, ..Retention::default() };
    while !stop.is_cancelled() {
        let store = shop.store.clone();
        let pruned = tokio::task::spawn_blocking(move || store.prune(&retention, SystemTime::now(), |_| false)).await;
        match pruned {
            Ok(Ok(pruned)) if pruned.removed == 0 => {}
            Ok(Ok(pruned)) => {
                tracing::info!(removed = pruned.removed, bytes = pruned.removed_bytes, "Pruned the content store.");
            }
            Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "The content store could not be pruned."),
            Err(error) => tracing::error!(%error, "Pruning the content store panicked."),
        }
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
