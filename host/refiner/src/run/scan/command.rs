//! `refiner journal scan`: scans blocks again, through the daemon that holds the journal or directly while none does.

use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::{Binding, Journal, JournalError};
use refiner_proofchain::{ProofChain, Rpc};
use tokio::runtime::Builder;

use super::{
    again::{Again, blocks},
    in_order, remember,
};
use crate::{
    cli,
    control::{self, Blocks, ScannedAgain},
    run::{RunError, config, rpc_limits, rules},
    terminal,
};

/// Scans again by the settings of the daemon that runs, or by those of `refiner run`.
///
/// # Errors
///
/// Every error of settings, rules, journal and chain.
pub fn command(blocks: Blocks, json: bool, run: &cli::Run) -> Result<ExitCode, Failure> {
    let data = config::data(run)?;
    let path = data.join("journal.sqlite");
    // First, because it is what a daemon may hold, which has settings of its own. Opening would begin one.
    let opened = if path.exists() { Some(Journal::open(&path)) } else { None };
    let scanned = match opened {
        Some(Err(JournalError::Locked { .. })) => control::scan(&data, blocks)?,
        opened => directly(opened.transpose()?, blocks, run)?,
    };
    let out = &mut terminal::buffered_out(json);
    if json {
        out.json_line(&scanned)?;
    } else {
        let ScannedAgain { from, to, announcements, new, again, known } = scanned;
        writeln!(
            out,
            "blocks {from} to {to}: {announcements} announcements, {new} new items, {again} announced again, {known} known"
        )?;
    }
    out.finish()?;
    Ok(ExitCode::Done)
}

fn directly(opened: Option<Journal>, asked: Blocks, run: &cli::Run) -> Result<ScannedAgain, Failure> {
    // Nothing is signed here, so no key is needed.
    let settings = config::read(run, None)?;
    let mut journal = match opened {
        Some(journal) => journal,
        None => Journal::open(&settings.data.join("journal.sqlite"))?,
    };
    let blocks = blocks(asked.from, asked.to, journal.cursor()?)?;
    let network = &settings.network;
    journal.bind(&Binding { proof_chain: network.chain_id, announcer: network.specimen_contract, operator: None })?;
    let targets: Vec<_> = rules::load(&settings)?.iter().map(rules::Rule::target).collect();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    runtime.block_on(async {
        let rpc = Rpc::through(&settings.egress, settings.rpc.iter().cloned(), rpc_limits(&settings));
        let chain = ProofChain::connect(rpc.map_err(RunError::from)?, network.clone()).await.map_err(RunError::from)?;
        remember(&chain, &in_order(&journal.checkpoints()?));
        let again = Again { chain: &chain, config: &settings.scan, targets: &targets, retry: settings.retry };
        let record =
            |announcements: &[_], targets: &[_], now_ms| Ok(journal.scanned_again(announcements, targets, now_ms)?);
        Ok(again.scan(blocks, record).await?)
    })
}
