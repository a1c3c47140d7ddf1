//! The preflight of the daemon: its checks at the start, again until none is an error.

use std::sync::Arc;

use refiner_journal::JournalError;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Settings,
    context::PipelineContext,
    preflight::{self, Check, KnownNonces, State},
    run::MachineChecks,
};

/// The source chain whose sessions are looked at where all are followed.
const MAINNET: u64 = 1;

/// Checks until no check is an error, or `stop`. What is found stands in the status, and each change in the log.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn watch(
    context: Arc<PipelineContext>,
    settings: Arc<Settings>,
    machine: MachineChecks,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    // This machine does not change while the program runs.
    let required = settings.requirement();
    let machine = tokio::select! {
        machine = spawn_blocking(move || machine(required)) => machine.unwrap_or_default(),
        () = stop.cancelled() => return Ok(()),
    };
    let known = KnownNonces { highest: context.journal.with(|journal| journal.highest_nonce())? };
    loop {
        let checks = tokio::select! {
            checks = checks(&context, &settings, known, &machine) => checks,
            () = stop.cancelled() => return Ok(()),
        };
        let before = std::mem::replace(&mut context.status.now().preflight, checks.clone());
        checks.iter().filter(|check| !before.contains(check)).for_each(log);
        if !checks.iter().any(Check::blocks) {
            break ready(&context, &settings, &checks);
        }
        tokio::select! {
            () = tokio::time::sleep(settings.recheck) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
    Ok(())
}

fn ready(context: &PipelineContext, settings: &Settings, checks: &[Check]) {
    context.status.now().ready = true;
    let proof_chain = settings.network.chain_id;
    let warnings = checks.iter().filter(|check| check.state == State::Warning).count();
    match context.operator {
        Some(operator) => tracing::info!(%operator, proof_chain, warnings, "daemon ready"),
        None => tracing::info!(proof_chain, warnings, "daemon ready, results are not proved"),
    }
}

async fn checks(
    context: &PipelineContext,
    settings: &Arc<Settings>,
    known: KnownNonces,
    machine: &[Check],
) -> Vec<Check> {
    let mut checks = machine.to_vec();
    checks.push(preflight::key(&settings.key, context.operator));
    let on_disk = Arc::clone(settings);
    let blocking = spawn_blocking(move || {
        [Some(preflight::disk(&on_disk.data)), preflight::evm_server(&on_disk.evm, on_disk.format)]
    });
    let source_chain = settings.scan.source_chains.first().copied().unwrap_or(MAINNET);
    let (blocking, chain, pinner) = tokio::join!(
        blocking,
        preflight::chain(&context.chain, source_chain, context.operator, settings.low_balance, known),
        preflight::pinner(context.pinner.as_ref()),
    );
    checks.extend(blocking.into_iter().flatten().flatten());
    checks.extend(preflight::nodes(context.chain.rpc(), true));
    let scan = context.status.now().scan.clone();
    checks.push(preflight::scanned_range(scan.range_blocks, scan.range_shortened_by.as_deref()));
    if let Some(foreign) = chain.iter().find(|check| check.name == preflight::NONCES && check.remedy.is_some()) {
        context.status.set_foreign(foreign.detail.clone());
    }
    checks.extend(chain);
    checks.push(pinner);
    checks
}

fn log(Check { name, state, detail, remedy }: &Check) {
    match state {
        State::Ok => tracing::debug!(check = name, detail, "check passed"),
        State::Warning => tracing::warn!(check = name, detail, hint = remedy, "check passed with a warning"),
        State::Error => tracing::error!(check = name, detail, hint = remedy, "check failed, not ready"),
    }
}
