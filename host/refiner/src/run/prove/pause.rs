//! When no proof can succeed: stop, say why, keep everything, and look again from time to time.

use refiner_proofchain::{Revert, Signed};
use tokio::time::Instant;

use super::ProofSubmitter;
use crate::run::{
    clock::{milliseconds, now_ms},
    status::Pause,
};

impl ProofSubmitter {
    /// Stops submitting. What was signed stays, and is settled.
    pub(super) fn pause(&self, reason: String, hint: Option<&str>) {
        let recheck_ms = now_ms() + milliseconds(self.settings.recheck);
        let mut now = self.context.status.now();
        if now.paused.as_ref().is_some_and(|pause| pause.reason == reason && !pause.is_over()) {
            // Said already.
            return;
        }
        let since_ms = now.paused.as_ref().map_or_else(now_ms, |pause| pause.since_ms);
        tracing::error!(
            reason,
            hint,
            recheck_s = self.settings.recheck.as_secs(),
            "No proofs are submitted; all work is kept."
        );
        let recheck_at = Instant::now() + self.settings.recheck;
        now.paused = Some(Pause { reason, hint: hint.map(str::to_owned), since_ms, recheck_ms, recheck_at });
    }

    pub(super) fn pause_for(&self, revert: &Revert) {
        self.pause(revert.to_string(), revert.hint());
    }

    pub(super) fn pause_for_funds(&self) {
        let reason = format!("{} cannot pay for gas", self.prover.address());
        self.pause(reason, Some("send the proof chain's coin to the operator's address"));
    }

    pub(super) fn pause_for_fees(&self, signed: &Signed) {
        let reason = format!("transaction {} needs more than the fees allowed", signed.hash);
        self.pause(reason, Some("wait, or raise max-fee-gwei and max-tip-gwei"));
    }

    pub(super) fn pause_for_price(&self, needed_wei: u128, cap_wei: u128) {
        let reason = format!("gas costs {needed_wei} wei, and no more than {cap_wei} is allowed");
        self.pause(reason, Some("wait, or raise max-fee-gwei"));
    }

    /// Something went through again.
    pub(super) fn resume(&self) {
        if self.context.status.now().paused.take().is_some() {
            tracing::info!("Proofs are submitted again.");
        }
    }

    /// False while it is paused and the time to look again has not come.
    pub(super) fn may_sign(&self) -> bool {
        self.context.status.now().paused.as_ref().is_none_or(Pause::is_over)
    }

    /// While it is paused one proof at a time shows whether it can go on.
    pub(super) fn is_paused(&self) -> bool {
        self.context.status.now().paused.is_some()
    }
}
