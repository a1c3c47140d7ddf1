//! The outcome of a stage for an item, written down: in the journal, the metrics, the log and the status.

use std::{iter, time::Duration};

use refiner_content::KeepError;
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, JournalError, State, Step};
use refiner_status_page::Stage as MeasuredStage;

use super::{
    clock::{milliseconds, now_ms},
    policy::{Decision, StageError},
    stage::Steps,
    stage_runner::StageRunner,
    unreachable::unreachable_sources,
};
use crate::{observe::metrics::Outcome, state::journal_handle::DISK};

impl StageRunner {
    /// Writes the outcome of the stage down.
    pub(super) fn write_down(
        &self,
        item: &Item,
        took: Duration,
        outcome: Result<Steps, StageError>,
    ) -> Result<(), JournalError> {
        let name = self.terms.name;
        let worked = |outcome| {
            self.journal.metrics.worked(name, outcome, took);
            self.journal.tracer.worked(item, name, outcome, took);
        };
        let Steps { step, next } = match outcome {
            Ok(steps) => steps,
            Err(error) => {
                let (outcome, written) = self.write_failure(item, &error);
                worked(outcome);
                return written;
            }
        };
        worked(Outcome::Done);
        if let Some(stage) = MeasuredStage::ALL.into_iter().find(|stage| stage.as_str() == name) {
            self.status.history.completed(stage, took);
        }
        if matches!(step.to(), State::Fetched | State::Produced) {
            self.status.clear_blocked(DISK);
        }
        tracing::info!(item = %item.id, height = item.height, stage = name, state = %step.to(),
            elapsed_ms = milliseconds(took), "stage completed");
        let steps = iter::once(step).chain(next).map(|step| (item.id, step));
        self.journal.advance_all(&steps.collect::<Vec<_>>())
    }

    fn write_failure(&self, item: &Item, error: &StageError) -> (Outcome, Result<(), JournalError>) {
        self.observer.failed(error);
        let (name, state) = (self.terms.name, self.terms.state);
        let reason = ErrorChain(error).to_string();
        if matches!(error, StageError::Keep(KeepError::DiskFull { .. })) {
            self.status.set_blocked(DISK, reason.clone());
        }
        self.status.set_failure(format!("{name} of {}: {reason}", item.height));
        match error.decide(state, item.attempts) {
            Decision::Again { alarm } => {
                let retry_in_ms = self.policy.pause_ms(item.attempts);
                let failures = item.attempts + 1;
                if alarm {
                    tracing::error!(item = %item.id, height = item.height, stage = name, error = reason, failures, retry_in_ms,
                        "stage keeps failing");
                } else {
                    tracing::warn!(item = %item.id, height = item.height, stage = name, error = reason, failures, retry_in_ms,
                        "stage failed, retrying");
                }
                (Outcome::Retried, self.journal.failed(item.id, state, &reason, retry_in_ms))
            }
            Decision::Wait { looks } => (Outcome::Waiting, self.wait(item, error, reason, looks)),
            Decision::PauseStage => {
                (Outcome::Retried, self.journal.failed(item.id, state, &reason, milliseconds(self.policy.recheck)))
            }
            Decision::Quarantine => {
                tracing::error!(item = %item.id, height = item.height, stage = name, error = reason, "item quarantined");
                let reason = format!("{name}: {reason}");
                (Outcome::Quarantined, self.journal.advance(item.id, &Step::Quarantined { reason }))
            }
        }
    }

    /// Sets aside what no source has, or gives it up at its limit.
    fn wait(&self, item: &Item, error: &StageError, reason: String, looks: u32) -> Result<(), JournalError> {
        let (now, since_ms) = self.journal.at_once(|journal| {
            // The item's time may have moved with the clock since it was read.
            let state_ms = journal.item(item.id)?.map_or(item.state_ms, |item| item.state_ms);
            Ok((now_ms(), state_ms))
        })?;
        let waited = Duration::from_millis(now.saturating_sub(since_ms));
        let was_waiting = self.terms.state == State::Waiting;
        if was_waiting && waited >= self.policy.waiting_limit {
            tracing::warn!(item = %item.id, height = item.height, waited_s = waited.as_secs(), error = reason, "specimen given up");
            let limit = self.policy.waiting_limit;
            let reason = format!("no source had it within {limit:?}: {reason}");
            return self.journal.advance(item.id, &Step::Skipped { reason });
        }
        let next_look_ms = self.policy.look_pause_ms(looks);
        if was_waiting {
            // Thousands may wait; the status counts them.
            tracing::debug!(item = %item.id, height = item.height, error = reason, next_look_ms, "specimen still waiting");
        } else {
            tracing::warn!(item = %item.id, height = item.height, error = reason, next_look_ms, "specimen waiting for a source");
        }
        let mut origins: Vec<_> =
            unreachable_sources(error).into_iter().map(|(origin, _)| origin.to_string()).collect();
        origins.sort_unstable();
        origins.dedup();
        let awaits = (!origins.is_empty()).then(|| origins.join("\n"));
        self.journal.advance(item.id, &Step::Waiting { reason, awaits, due_ms: now + next_look_ms })
    }
}
