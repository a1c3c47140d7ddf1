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

use super::{
    clock::now_ms,
    metrics::{Event, Outcome},
    policy::{Decision, StageError, pause_ms},
    shop::Shop,
};

/// How long a station sleeps at most when nobody rings: items whose pause is over ring no bell.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Which items a station works on, and how many at once.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    pub name: &'static str,
    pub state: State,
    pub at_once: usize,
    /// When it waits for the next station.
    pub ahead: Option<Ahead>,
    /// The step that follows at once where an item came to this state.
    pub next: Option<(State, fn() -> Step)>,
}

/// A station that gets too far ahead makes what is forgotten again before it is used, and is then read and hashed anew.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// Where its items wait for the next station,
    pub waiting: State,
    /// at most so many,
    pub most: usize,
    /// and where they are after that.
    pub then: State,
}

impl Station {
    /// Works until `stop`, then ends what was begun.
    ///
    /// # Errors
    ///
    /// The journal's: without it nothing can go on.
    pub async fn work<F, W>(self, shop: Arc<Shop>, stop: CancellationToken, act: F) -> Result<(), JournalError>
    where
        F: Fn(Arc<Shop>, Item) -> W,
        W: Future<Output = Result<Step, StageError>> + Send + 'static,
    {
        let mut moved = shop.ledger.arrivals(self.state);
        let mut room = shop.ledger.arrivals(self.ahead.map_or(self.state, |ahead| ahead.then));
        let mut running: JoinSet<(Item, Duration, Result<Step, StageError>)> = JoinSet::new();
        let mut claimed: HashSet<ItemId> = HashSet::new();
        loop {
            // Read once: were it to change between the conditions below, nothing would be left to wait for.
            let stopping = stop.is_cancelled();
            if stopping && running.is_empty() {
                return Ok(());
            }
            room.mark_unchanged();
            let free = if stopping { 0 } else { (self.at_once - running.len()).min(self.room(&shop)?) };
            if free > 0 {
                moved.mark_unchanged();
                let asked = Instant::now();
                let is_claimed = |item| claimed.contains(&item);
                let due = shop.ledger.at_once(|journal| journal.due_but(self.state, now_ms(), free, is_claimed))?;
                if !due.is_empty() {
                    shop.ledger.metrics.happened(Event::JournalFetchItems, asked.elapsed());
                }
                for item in due {
                    claimed.insert(item.id);
                    let work = tokio::spawn(act(Arc::clone(&shop), item.clone()));
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
                    self.write_down(&shop, &item, took, outcome)?;
                    claimed.remove(&item.id);
                }
                Ok(()) = moved.changed(), if may_claim => {}
                Ok(()) = room.changed(), if may_claim => {}
                () = sleep(LOOK_AGAIN), if may_claim => {}
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// How many items may go on to the next station.
    fn room(self, shop: &Shop) -> Result<usize, JournalError> {
        let Some(Ahead { waiting, most, .. }) = self.ahead else { return Ok(usize::MAX) };
        let waiting = shop.ledger.at_once(|journal| journal.count_due(waiting, now_ms(), most))?;
        Ok(most - waiting)
    }

    fn write_down(
        self,
        shop: &Shop,
        item: &Item,
        took: Duration,
        outcome: Result<Step, StageError>,
    ) -> Result<(), JournalError> {
        let worked = |outcome| shop.ledger.metrics.worked(self.name, outcome, took);
        let error = match outcome {
            Ok(step) => {
                worked(Outcome::Done);
                tracing::info!(item = %item.id, height = item.height, stage = self.name, state = %step.to(), "An item went on.");
                let next = self.next.filter(|(to, _)| *to == step.to()).map(|(_, next)| (item.id, next()));
                return shop.ledger.advance_all(&[(item.id, step)].into_iter().chain(next).collect::<Vec<_>>());
            }
            Err(error) => error,
        };
        let told = ErrorChain(&error).to_string();
        match error.decide(item.attempts) {
            Decision::Again { alarm } => {
                worked(Outcome::Retried);
                let pause_ms = pause_ms(shop.retry, item.attempts);
                if alarm {
                    tracing::error!(item = %item.id, height = item.height, stage = self.name, error = told, failures = item.attempts + 1, pause_ms,
                        "A stage keeps failing for an item; somebody should look.");
                } else {
                    tracing::warn!(item = %item.id, height = item.height, stage = self.name, error = told, pause_ms,
                        "A stage failed for an item and will try again.");
                }
                shop.ledger.failed(item.id, self.state, &told, now_ms() + pause_ms)
            }
            Decision::Quarantine => {
                worked(Outcome::Quarantined);
                tracing::error!(item = %item.id, height = item.height, stage = self.name, error = told,
                    "An item was set aside; see `refiner journal show`.");
                let reason = format!("{}: {told}", self.name);
                shop.ledger.advance(item.id, &Step::Quarantined { reason })
            }
        }
    }
}
