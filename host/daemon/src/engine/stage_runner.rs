//! A stage at work: claims what is due, as much at once as it may, and writes down what became of it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, ItemId, JournalError, State};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    clock::now_ms,
    policy::{Disposition, FailurePolicy, StageError},
    stage::{Stage, Steps},
    unreachable::FailureObserver,
};
use crate::{
    observe::{metrics::Event, status::Status},
    state::journal_handle::JournalHandle,
};

/// Longest sleep of a stage runner when no notification comes: items whose pause is over notify no stage.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The items that a stage runner works on, and their number at once.
#[derive(Clone, Copy, Debug)]
pub struct StageTerms {
    /// The name in logs, metrics and traces.
    pub name: &'static str,
    /// State of the items.
    pub state: State,
    /// The most items at once.
    pub at_once: usize,
    /// When it waits for the next stage runner.
    pub ahead: Option<Backpressure>,
}

/// A stage runner that gets too far ahead makes what is forgotten again before it is used, and is then read and hashed anew.
#[derive(Clone, Copy, Debug)]
pub struct Backpressure {
    /// Where its items wait for the next stage runner,
    pub waiting: State,
    /// at most so many,
    pub most: usize,
    /// and where they are after that.
    pub then: State,
}

/// Takes items through a stage again and again.
#[derive(Clone)]
pub struct StageRunner {
    pub terms: StageTerms,
    pub policy: FailurePolicy,
    pub journal: JournalHandle,
    pub status: Status,
    /// Learns of failures before they are written down.
    pub observer: Arc<dyn FailureObserver>,
}

impl StageRunner {
    /// Works until `stop`, then ends what was begun.
    ///
    /// # Errors
    ///
    /// The journal's: without it nothing can go on.
    pub async fn run<S: Stage>(self, stage: Arc<S>, stop: CancellationToken) -> Result<(), JournalError> {
        let StageTerms { state, ahead, .. } = self.terms;
        let mut moved = self.journal.arrivals(state);
        let mut room = self.journal.arrivals(ahead.map_or(state, |ahead| ahead.then));
        let mut running: JoinSet<(Item, Duration, Result<Steps, StageError>)> = JoinSet::new();
        let mut claimed: HashSet<ItemId> = HashSet::new();
        let mut paused: Option<Instant> = None;
        loop {
            // Read once: were it to change between the conditions below, nothing would be left to wait for.
            let stopping = stop.is_cancelled();
            if stopping && running.is_empty() {
                return Ok(());
            }
            room.mark_unchanged();
            // While it is paused, one item at a time shows whether it can resume.
            let at_once = match paused {
                Some(since) if since.elapsed() < self.policy.recheck => 0,
                Some(_) => 1,
                None => self.terms.at_once,
            };
            let may_claim_now = running.len() < at_once && !stopping;
            let free = if may_claim_now { (at_once - running.len()).min(self.room()?) } else { 0 };
            if free > 0 {
                moved.mark_unchanged();
                let asked = Instant::now();
                let is_claimed = |item| claimed.contains(&item);
                let due = self.journal.at_once(|journal| journal.due_but(state, now_ms(), free, is_claimed))?;
                if !due.is_empty() {
                    self.journal.metrics.happened(Event::JournalFetchItems, asked.elapsed());
                }
                for item in due {
                    claimed.insert(item.id);
                    let work = tokio::spawn(Arc::clone(&stage).work(item.clone()));
                    let begun = Instant::now();
                    running.spawn(async move {
                        let outcome = work.await.unwrap_or(Err(StageError::Panicked));
                        (item, begun.elapsed(), outcome.map(Into::into))
                    });
                }
            }
            let may_claim = running.len() < self.terms.at_once && !stopping;
            tokio::select! {
                Some(ended) = running.join_next() => {
                    // Nothing in the outer task panics.
                    let Ok((item, took, outcome)) = ended else { continue };
                    if matches!(outcome, Err(StageError::Stopping)) {
                        continue;
                    }
                    paused = self.pause(paused, outcome.as_ref().err());
                    self.write_down(&item, took, outcome)?;
                    stage.recorded(&item);
                    claimed.remove(&item.id);
                }
                Ok(()) = moved.changed(), if may_claim => {}
                Ok(()) = room.changed(), if may_claim => {}
                () = sleep(LOOK_AGAIN), if may_claim => {}
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// Number of items that may go on to the next stage runner.
    fn room(&self) -> Result<usize, JournalError> {
        let Some(Backpressure { waiting, most, .. }) = self.terms.ahead else { return Ok(usize::MAX) };
        let waiting = self.journal.at_once(|journal| journal.count_due(waiting, now_ms(), most))?;
        Ok(most - waiting)
    }

    /// When the stage was paused, after this outcome: a failure that every item would meet pauses it, a success resumes it.
    fn pause(&self, paused: Option<Instant>, error: Option<&StageError>) -> Option<Instant> {
        let name = self.terms.name;
        match error {
            Some(error) if error.disposition() == Disposition::PauseStage => {
                let reason = ErrorChain(error).to_string();
                if paused.is_none() {
                    let (hint, recheck_s) = (error.hint(), self.policy.recheck.as_secs());
                    tracing::error!(stage = name, reason, hint, recheck_s, "stage paused, all work is kept");
                }
                match error.hint() {
                    Some(hint) => self.status.set_blocked_with(name, reason, hint),
                    None => self.status.set_blocked(name, reason),
                }
                Some(Instant::now())
            }
            None if paused.is_some() => {
                self.status.clear_blocked(name);
                tracing::info!(stage = name, "stage resumed");
                None
            }
            None | Some(_) => paused,
        }
    }
}
