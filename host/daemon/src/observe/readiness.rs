//! The preflight of the daemon: its checks at the start, again until none is an error.

use std::sync::Arc;

use alloy_primitives::Address;
use refiner_content::Pinner;
use refiner_journal::{JournalError, KnownNonces};
use refiner_proofchain::ProofChain;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::status::Status;
use crate::{
    config::Settings,
    engine::{clock::now_ms, poller::pause},
    preflight::{self, Check, MachineChecks, State},
    state::journal_handle::JournalHandle,
};

/// The source chain whose sessions are looked at where all are followed.
const MAINNET: u64 = 1;

/// The preflight of a daemon that reached its chain.
pub struct Readiness {
    pub journal: JournalHandle,
    pub status: Status,
    pub chain: ProofChain,
    pub pinner: Option<Pinner>,
    pub operator: Option<Address>,
    pub machine: MachineChecks,
    pub settings: Arc<Settings>,
}

impl Readiness {
    /// Checks until no check is an error, or `stop`. What is found stands in the status, and each change in the log.
    ///
    /// # Errors
    ///
    /// The journal's: without it nothing can go on.
    pub async fn watch(self, stop: CancellationToken) -> Result<(), JournalError> {
        // This machine does not change while the program runs.
        let (required, machine) = (self.settings.requirement(), self.machine);
        let machine = tokio::select! {
            machine = spawn_blocking(move || machine(required)) => machine.unwrap_or_default(),
            () = stop.cancelled() => return Ok(()),
        };
        let known = self.journal.with(|journal| journal.known_nonces())?;
        loop {
            let checks = tokio::select! {
                checks = self.checks(known, &machine) => checks,
                () = stop.cancelled() => return Ok(()),
            };
            let before = {
                let mut now = self.status.now();
                now.preflight_ms = Some(now_ms());
                std::mem::replace(&mut now.preflight, checks.clone())
            };
            checks.iter().filter(|check| !before.contains(check)).for_each(log);
            if !checks.iter().any(Check::blocks) {
                self.ready(&checks);
                return Ok(());
            }
            if !pause(&stop, self.settings.recheck).await {
                return Ok(());
            }
        }
    }

    fn ready(&self, checks: &[Check]) {
        self.status.now().ready = true;
        let proof_chain = self.settings.network.chain_id;
        let warnings = checks.iter().filter(|check| check.state == State::Warning).count();
        match self.operator {
            Some(operator) => tracing::info!(%operator, proof_chain, warnings, "daemon ready"),
            None => tracing::info!(proof_chain, warnings, "daemon ready, results are not proved"),
        }
    }

    async fn checks(&self, known: Option<KnownNonces>, machine: &[Check]) -> Vec<Check> {
        let Self { status, chain, pinner, operator, settings, .. } = self;
        let mut checks = machine.to_vec();
        checks.push(preflight::key(&settings.key, *operator));
        let on_disk = Arc::clone(settings);
        let blocking = spawn_blocking(move || {
            [Some(preflight::disk(&on_disk.data)), preflight::evm_server(&on_disk.evm, on_disk.format)]
        });
        let source_chain = settings.scan.source_chains.first().copied().unwrap_or(MAINNET);
        let (blocking, on_chain, pinner) = tokio::join!(
            blocking,
            preflight::chain(chain, source_chain, *operator, settings.low_balance, known),
            preflight::pinner(pinner.as_ref()),
        );
        checks.extend(blocking.into_iter().flatten().flatten());
        checks.extend(preflight::nodes(chain.rpc(), true));
        let scan = status.now().scan.clone();
        checks.push(preflight::scanned_range(scan.range_blocks, scan.range_shortened_by.as_deref()));
        let is_nonces = |check: &&Check| check.name == preflight::NONCES && check.remedy.is_some();
        if let Some(foreign) = on_chain.iter().find(is_nonces) {
            status.set_foreign(foreign.detail.clone());
        }
        checks.extend(on_chain);
        checks.push(pinner);
        checks
    }
}

fn log(Check { name, state, detail, remedy }: &Check) {
    match state {
        State::Ok => tracing::debug!(check = name, detail, "check passed"),
        State::Warning => tracing::warn!(check = name, detail, hint = remedy, "check passed with a warning"),
        State::Error => tracing::error!(check = name, detail, hint = remedy, "check failed, not ready"),
    }
}
