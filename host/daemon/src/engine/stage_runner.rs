//! A stage at work: claims what is due, as much at once as it may, and writes down what became of it.

use std::{
    collections::HashSet,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, ItemId, JournalError, State, Step};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    context::PipelineContext,
    engine::{
        clock::now_ms,
        policy::{Disposition, StageError},
    },
    execute::REFINE,
    observe::metrics::Event,
};

/// How long a stage runner sleeps at most when no notification comes: items whose pause is over notify no stage.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Which items a stage runner works on, and how many at once.
#[derive(Clone, Copy, Debug)]
pub struct StageRunner {
    pub name: &'static str,
    pub state: State,
    pub at_once: usize,
    /// Time between two tries while it is paused.
    pub recheck: Duration,
    /// When it waits for the next stage runner.
    pub ahead: Option<Backpressure>,
    /// The step that follows at once where an item came to this state.
    pub next: Option<(State, fn() -> Step)>,
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

impl StageRunner {
    /// Works until `stop`, then ends what was begun.
    ///
    /// # Errors
    ///
    /// The journal's: without it nothing can go on.
    pub async fn work<F, W>(
        self,
        context: Arc<PipelineContext>,
        stop: CancellationToken,
        act: F,
    ) -> Result<(), JournalError>
    where
        F: Fn(Arc<PipelineContext>, Item) -> W,
        W: Future<Output = Result<Step, StageError>> + Send + 'static,
    {
        let mut moved = context.journal.arrivals(self.state);
        let mut room = context.journal.arrivals(self.ahead.map_or(self.state, |ahead| ahead.then));
        let mut running: JoinSet<(Item, Duration, Result<Step, StageError>)> = JoinSet::new();
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
                Some(since) if since.elapsed() < self.recheck => 0,
                Some(_) => 1,
                None => self.at_once,
            };
            let may_claim_now = running.len() < at_once && !stopping;
            let free = if may_claim_now { (at_once - running.len()).min(self.room(&context)?) } else { 0 };
            if free > 0 {
                moved.mark_unchanged();
                let asked = Instant::now();
                let is_claimed = |item| claimed.contains(&item);
                let due = context.journal.at_once(|journal| journal.due_but(self.state, now_ms(), free, is_claimed))?;
                if !due.is_empty() {
                    context.journal.metrics.happened(Event::JournalFetchItems, asked.elapsed());
                }
                for item in due {
                    claimed.insert(item.id);
                    let work = tokio::spawn(act(Arc::clone(&context), item.clone()));
                    let begun = Instant::now();
                    running.spawn(async move {
                        let outcome = work.await.unwrap_or(Err(StageError::Panicked));
                        (item, begun.elapsed(), outcome)
                    });
                }
            }
            let may_claim = running.len() < self.at_once && !stopping;
            tokio::select! {
                Some(ended) = running.join_next() => {
                    // Nothing in the outer task panics.
                    let Ok((item, took, outcome)) = ended else { continue };
                    if matches!(outcome, Err(StageError::Stopping)) {
                        continue;
                    }
                    paused = self.pause(&context, paused, &outcome);
                    self.write_down(&context, &item, took, outcome)?;
                    if self.name == REFINE {
                        context.work.settled(&item);
                    }
                    claimed.remove(&item.id);
                }
                Ok(()) = moved.changed(), if may_claim => {}
                Ok(()) = room.changed(), if may_claim => {}
                () = sleep(LOOK_AGAIN), if may_claim => {}
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// How many items may go on to the next stage runner.
    fn room(self, context: &PipelineContext) -> Result<usize, JournalError> {
        let Some(Backpressure { waiting, most, .. }) = self.ahead else { return Ok(usize::MAX) };
        let waiting = context.journal.at_once(|journal| journal.count_due(waiting, now_ms(), most))?;
        Ok(most - waiting)
    }

    /// When the stage was paused, after this outcome: a failure that every item would meet pauses it, a success resumes it.
    fn pause(
        self,
        context: &PipelineContext,
        paused: Option<Instant>,
        outcome: &Result<Step, StageError>,
    ) -> Option<Instant> {
        match outcome {
            Err(error) if error.disposition() == Disposition::PauseStage => {
                let reason = ErrorChain(error).to_string();
                if paused.is_none() {
                    let (hint, recheck_s) = (error.hint(), self.recheck.as_secs());
                    tracing::error!(stage = self.name, reason, hint, recheck_s, "stage paused, all work is kept");
                }
                match error.hint() {
                    Some(hint) => context.status.set_blocked_with(self.name, reason, hint),
                    None => context.status.set_blocked(self.name, reason),
                }
                Some(Instant::now())
            }
            Ok(_) if paused.is_some() => {
                context.status.clear_blocked(self.name);
                tracing::info!(stage = self.name, "stage resumed");
                None
            }
            Ok(_) | Err(_) => paused,
        }
    }
}
