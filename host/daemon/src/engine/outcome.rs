//! The outcome of a stage for an item, written down: in the journal, the metrics, the log and the status.

use std::time::Duration;

use refiner_content::KeepError;
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, JournalError, State, Step};
use refiner_status_page::Stage;

use crate::{
    context::PipelineContext,
    engine::{
        clock::{milliseconds, now_ms},
        policy::{Decision, StageError, look_pause_ms, pause_ms},
        stage_runner::StageRunner,
    },
    fetch::sources::unwell_source,
    observe::metrics::Outcome,
};

/// The part's name in the status for a disk without room.
pub const DISK: &str = "disk";

impl StageRunner {
    /// Writes the outcome of the stage down.
    pub(super) fn write_down(
        self,
        context: &PipelineContext,
        item: &Item,
        took: Duration,
        outcome: Result<Step, StageError>,
    ) -> Result<(), JournalError> {
        let worked = |outcome| {
            context.journal.metrics.worked(self.name, outcome, took);
            context.journal.tracer.worked(item, self.name, outcome, took);
        };
        let step = match outcome {
            Ok(step) => step,
            Err(error) => {
                let (outcome, written) = self.write_failure(context, item, &error);
                worked(outcome);
                return written;
            }
        };
        worked(Outcome::Done);
        if let Some(stage) = Stage::ALL.into_iter().find(|stage| stage.as_str() == self.name) {
            context.status.history.completed(stage, took);
        }
        if matches!(step.to(), State::Fetched | State::Produced) {
            context.status.clear_blocked(DISK);
        }
        tracing::info!(item = %item.id, height = item.height, stage = self.name, state = %step.to(),
            elapsed_ms = milliseconds(took), "stage completed");
        let next = self.next.filter(|(to, _)| *to == step.to()).map(|(_, next)| (item.id, next()));
        context.journal.advance_all(&[(item.id, step)].into_iter().chain(next).collect::<Vec<_>>())
    }

    fn write_failure(
        self,
        context: &PipelineContext,
        item: &Item,
        error: &StageError,
    ) -> (Outcome, Result<(), JournalError>) {
        context.sources.note(error);
        let reason = ErrorChain(error).to_string();
        if matches!(error, StageError::Keep(KeepError::DiskFull { .. })) {
            context.status.set_blocked(DISK, reason.clone());
        }
        context.status.now().last_failure = Some(format!("{} of {}: {reason}", self.name, item.height));
        match error.decide(self.state, item.attempts) {
            Decision::Again { alarm } => {
                let retry_in_ms = pause_ms(context.retry, item.attempts);
                let failures = item.attempts + 1;
                if alarm {
                    tracing::error!(item = %item.id, height = item.height, stage = self.name, error = reason, failures, retry_in_ms,
                        "stage keeps failing");
                } else {
                    tracing::warn!(item = %item.id, height = item.height, stage = self.name, error = reason, failures, retry_in_ms,
                        "stage failed, retrying");
                }
                (Outcome::Retried, context.journal.failed(item.id, self.state, &reason, retry_in_ms))
            }
            Decision::Wait { looks } => (Outcome::Waiting, self.wait(context, item, error, reason, looks)),
            Decision::PauseStage => {
                (Outcome::Retried, context.journal.failed(item.id, self.state, &reason, milliseconds(self.recheck)))
            }
            Decision::Quarantine => {
                tracing::error!(item = %item.id, height = item.height, stage = self.name, error = reason, "item quarantined");
                let reason = format!("{}: {reason}", self.name);
                (Outcome::Quarantined, context.journal.advance(item.id, &Step::Quarantined { reason }))
            }
        }
    }

    /// Sets aside what no source has, or gives it up at its limit.
    fn wait(
        self,
        context: &PipelineContext,
        item: &Item,
        error: &StageError,
        reason: String,
        looks: u32,
    ) -> Result<(), JournalError> {
        let (now, since_ms) = context.journal.at_once(|journal| {
            // The item's time may have moved with the clock since it was read.
            let state_ms = journal.item(item.id)?.map_or(item.state_ms, |item| item.state_ms);
            Ok((now_ms(), state_ms))
        })?;
        let waited = Duration::from_millis(now.saturating_sub(since_ms));
        if self.state == State::Waiting && waited >= context.waiting_limit {
            tracing::warn!(item = %item.id, height = item.height, waited_s = waited.as_secs(), error = reason, "specimen given up");
            let limit = context.waiting_limit;
            let reason = format!("no source had it within {limit:?}: {reason}");
            return context.journal.advance(item.id, &Step::Skipped { reason });
        }
        let next_look_ms = look_pause_ms(context.retry, looks);
        if self.state == State::Waiting {
            // Thousands may wait; the status counts them.
            tracing::debug!(item = %item.id, height = item.height, error = reason, next_look_ms, "specimen still waiting");
        } else {
            tracing::warn!(item = %item.id, height = item.height, error = reason, next_look_ms, "specimen waiting for a source");
        }
        let awaits = match error {
            StageError::Fetch(failure) => {
                let mut origins: Vec<_> =
                    failure.attempts.iter().filter_map(unwell_source).map(ToString::to_string).collect();
                origins.sort_unstable();
                origins.dedup();
                (!origins.is_empty()).then(|| origins.join("\n"))
            }
            _ => None,
        };
        context.journal.advance(item.id, &Step::Waiting { reason, awaits, due_ms: now + next_look_ms })
    }
}
