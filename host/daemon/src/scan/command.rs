//! Scans blocks again, through the daemon that holds the journal or directly while none does.

use std::path::Path;

use refiner_config::ConfigError;
use refiner_diagnostics::Failure;
use refiner_journal::{Binding, Journal, JournalError};
use refiner_proofchain::{ProofChain, Rpc};
use tokio::runtime::Builder;

use super::{
    again::{Again, blocks},
    in_order, remember,
};
use crate::{
    config::Settings,
    control::{self, Blocks, ScannedAgain},
    error::RunError,
    rules,
    run::rpc_limits,
};

/// Scans again by the settings of the daemon that runs, or else by these, which need no key: nothing is signed.
///
/// # Errors
///
/// Every error of settings, rules, journal and chain.
pub fn command(
    data: &Path,
    blocks: Blocks,
    settings: impl FnOnce() -> Result<Settings, ConfigError>,
) -> Result<ScannedAgain, Failure> {
    let path = data.join("journal.sqlite");
    // First, because it is what a daemon may hold, which has settings of its own. Opening would begin one.
    let opened = if path.exists() { Some(Journal::open(&path)) } else { None };
    match opened {
        Some(Err(JournalError::Locked { .. })) => Ok(control::scan(data, blocks)?),
        opened => directly(opened.transpose()?, blocks, &settings()?),
    }
}

fn directly(opened: Option<Journal>, asked: Blocks, settings: &Settings) -> Result<ScannedAgain, Failure> {
    let mut journal = match opened {
        Some(journal) => journal,
        None => Journal::open(&settings.data.join("journal.sqlite"))?,
    };
    let blocks = blocks(asked.from, asked.to, journal.cursor()?)?;
    let network = &settings.network;
    journal.bind(&Binding { proof_chain: network.chain_id, announcer: network.specimen_contract, operator: None })?;
    let targets: Vec<_> = rules::load(settings)?.iter().map(rules::Rule::target).collect();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    runtime.block_on(async {
        let rpc = Rpc::through(&settings.egress, settings.rpc.iter().cloned(), rpc_limits(settings));
        let chain = ProofChain::connect(rpc.map_err(RunError::from)?, network.clone()).await.map_err(RunError::from)?;
        remember(&chain, &in_order(&journal.checkpoints()?));
        let again = Again { chain: &chain, config: &settings.scan, targets: &targets, retry: settings.retry };
        let record =
            |announcements: &[_], targets: &[_], now_ms| Ok(journal.scanned_again(announcements, targets, now_ms)?);
        Ok(again.scan(blocks, record).await?)
    })
}
