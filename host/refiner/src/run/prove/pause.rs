//! When no proof can succeed: stop, say why, keep everything, and look again from time to time.

use refiner_proofchain::Revert;

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
        if now.paused.as_ref().is_some_and(|pause| pause.reason == reason && pause.recheck_ms > now_ms()) {
            // Said already.
            return;
        }
        let since_ms = now.paused.as_ref().map_or_else(now_ms, |pause| pause.since_ms);
        tracing::error!(
            reason,
            hint,
            recheck_s = self.settings.recheck.as_secs(),
            "proof submission paused, all work is kept"
        );
        now.paused = Some(Pause { reason, hint: hint.map(str::to_owned), since_ms, recheck_ms });
    }

    pub(super) fn pause_for(&self, revert: &Revert) {
        self.pause(revert.to_string(), revert.hint());
    }

    /// Something went through again.
    pub(super) fn resume(&self) {
        if self.context.status.now().paused.take().is_some() {
            tracing::info!("proof submission resumed");
        }
    }

    /// False while it is paused and the time to look again has not come.
    pub(super) fn may_sign(&self) -> bool {
        self.context.status.now().paused.as_ref().is_none_or(|pause| pause.recheck_ms <= now_ms())
    }

    /// While it is paused one proof at a time shows whether it can go on.
    pub(super) fn is_paused(&self) -> bool {
        self.context.status.now().paused.is_some()
    }
}
