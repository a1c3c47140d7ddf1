//! Pauses of proving while no proof can succeed: the reason is shown, everything is kept, and it is tried again from time to time.

use refiner_proofchain::{Revert, Signed};
use tokio::time::Instant;

use super::ProofSubmitter;
use crate::{
    engine::clock::{milliseconds, now_ms},
    observe::status::Pause,
};

impl ProofSubmitter {
    /// Stops submitting. What was signed stays, and is settled.
    pub(super) fn pause(&self, reason: String, hint: Option<&str>) {
        self.pause_as(reason, hint, false);
    }

    /// The same where no transaction can be paid for, whatever it does.
    pub(super) fn pause_for_money(&self, reason: String, hint: &str) {
        self.pause_as(reason, Some(hint), true);
    }

    fn pause_as(&self, reason: String, hint: Option<&str>, is_of_money: bool) {
        let recheck_ms = now_ms() + milliseconds(self.terms.policy.recheck);
        let mut now = self.status.now();
        if now.paused.as_ref().is_some_and(|pause| pause.reason == reason && !pause.is_over()) {
            // Logged already.
            return;
        }
        let since_ms = now.paused.as_ref().map_or_else(now_ms, |pause| pause.since_ms);
        tracing::error!(
            reason,
            hint,
            recheck_s = self.terms.policy.recheck.as_secs(),
            "proof submission paused, all work is kept"
        );
        let recheck_at = Instant::now() + self.terms.policy.recheck;
        now.paused =
            Some(Pause { reason, hint: hint.map(str::to_owned), since_ms, recheck_ms, recheck_at, is_of_money });
    }

    pub(super) fn pause_for(&self, revert: &Revert) {
        self.pause(revert.to_string(), revert.hint());
    }

    pub(super) fn pause_for_funds(&self) {
        let reason = format!("{} cannot pay for gas", self.prover.address());
        self.pause_for_money(reason, "send the proof chain's coin to the operator's address");
    }

    pub(super) fn pause_for_fees(&self, signed: &Signed) {
        let reason = format!("transaction {} needs more than the fees allowed", signed.hash);
        self.pause_for_money(reason, "wait, or raise max-fee-gwei and max-tip-gwei");
    }

    pub(super) fn pause_for_price(&self, needed_wei: u128, cap_wei: u128) {
        let reason = format!("gas costs {needed_wei} wei, and no more than {cap_wei} is allowed");
        self.pause_for_money(reason, "wait, or raise max-fee-gwei");
    }

    /// A transaction that is no proof was paid for.
    pub(super) fn resume_after_money(&self) {
        let is_of_money = self.status.now().paused.as_ref().is_some_and(|pause| pause.is_of_money);
        if is_of_money {
            self.resume();
        }
    }

    /// False while nothing can be paid for and the time to look again has not come.
    pub(super) fn may_spend(&self) -> bool {
        self.status.now().paused.as_ref().is_none_or(|pause| !pause.is_of_money || pause.is_over())
    }

    /// Something went through again.
    pub(super) fn resume(&self) {
        if self.status.now().paused.take().is_some() {
            tracing::info!("proof submission resumed");
        }
    }

    /// False while it is paused and the time to look again has not come.
    pub(super) fn may_sign(&self) -> bool {
        self.status.now().paused.as_ref().is_none_or(Pause::is_over)
    }

    /// While it is paused one proof at a time shows whether it can go on.
    pub(super) fn is_paused(&self) -> bool {
        self.status.now().paused.is_some()
    }
}
