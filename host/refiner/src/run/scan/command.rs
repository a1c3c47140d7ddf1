//! `refiner journal scan`: scans blocks again while no daemon holds the journal.

use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::{Binding, Journal};
use refiner_proofchain::{ProofChain, Rpc};
use tokio::runtime::Builder;

use super::{
    again::{Again, ScannedAgain, blocks},
    in_order, remember,
};
use crate::{
    cli,
    run::{RunError, config, rpc_limits, rules},
    terminal,
};

/// Scans again by the settings of `refiner run`.
///
/// # Errors
///
/// Every error of settings, rules, journal and chain.
pub fn command(first: u64, last: Option<u64>, json: bool, run: &cli::Run) -> Result<ExitCode, Failure> {
    // Nothing is signed here, so no key is needed.
    let settings = config::read(run, None)?;
    // First, because it is what another process may hold.
    let mut journal = Journal::open(&settings.data.join("journal.sqlite"))?;
    let blocks = blocks(first, last, journal.cursor()?)?;
    let network = &settings.network;
    journal.bind(&Binding { proof_chain: network.chain_id, announcer: network.specimen_contract, operator: None })?;
    let targets: Vec<_> = rules::load(&settings)?.iter().map(rules::Rule::target).collect();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    let scanned = runtime.block_on(async {
        let rpc = Rpc::through(&settings.egress, settings.rpc.iter().cloned(), rpc_limits(&settings)).map_err(RunError::from)?;
        let chain = ProofChain::connect(rpc, network.clone()).await.map_err(RunError::from)?;
        remember(&chain, &in_order(&journal.checkpoints()?));
        let again = Again { chain: &chain, config: &settings.scan, targets: &targets, retry: settings.retry };
        let record = |announcements: &[_], targets: &[_], now_ms| journal.scanned_again(announcements, targets, now_ms);
        Ok::<_, Failure>(again.scan(blocks, record).await?)
    })?;
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
