//! The journal, shared by the stages.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use refiner_diagnostics::Diagnostic as _;
use refiner_journal::{Action, Applied, ItemId, Journal, JournalError, Selection, State, Step};
use refiner_status_page::Stage;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::watch,
    task::block_in_place,
};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::clock::now_ms,
    observe::{metrics::Metrics, status::Status, trace::Tracer},
};

/// The part's name in the status for a disk without room.
pub const DISK: &str = "disk";

/// Pause between two tries to write to a disk without room.
pub const ROOM_AGAIN: Duration = Duration::from_millis(250);

/// The journal, and a notification for each state, sent when items reach it.
#[derive(Clone)]
pub struct JournalHandle {
    /// A lock because SQLite has one writer; it is held for one transaction, never across an await.
    journal: Arc<Mutex<Journal>>,
    /// In the order of [`State::ALL`]. One for all would have every stage look for work at every step of every item.
    notifiers: Arc<[watch::Sender<()>]>,
    /// Every step and every failure passes here, so it is counted here.
    pub metrics: Metrics,
    /// The same steps, as parts of their specimens' traces.
    pub tracer: Tracer,
    status: Status,
    stop: CancellationToken,
    /// The disk had no room at the last write.
    is_full: Arc<AtomicBool>,
}

impl JournalHandle {
    /// A journal whose writes wait for room on the disk until `stop`, and name that in the status.
    pub fn new(journal: Journal, metrics: Metrics, tracer: Tracer, status: Status, stop: CancellationToken) -> Self {
        let notifiers = State::ALL.map(|_| watch::Sender::new(()));
        let (journal, is_full) = (Arc::new(Mutex::new(journal)), Arc::default());
        Self { journal, notifiers: notifiers.into(), metrics, tracer, status, stop, is_full }
    }

    /// A subscription that fires whenever items have come to `state`.
    pub fn arrivals(&self, state: State) -> watch::Receiver<()> {
        self.notifier(state).subscribe()
    }

    /// Runs a read or write of the journal that may take a disk's time or a look through all of it; the runtime moves its other tasks elsewhere.
    /// It is run again when the disk had no room.
    pub fn with<T>(&self, ask: impl FnMut(&mut Journal) -> Result<T, JournalError>) -> Result<T, JournalError> {
        beside(|| self.at_once(ask))
    }

    /// Asks or tells the journal what takes some dozens of microseconds, in which the runtime could not even go on elsewhere. It is
    /// asked again when the disk had no room.
    pub fn at_once<T>(&self, mut ask: impl FnMut(&mut Journal) -> Result<T, JournalError>) -> Result<T, JournalError> {
        let mut waited = false;
        loop {
            // A panic in another thread left the transaction undone, not the journal broken.
            let answer = ask(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner));
            match answer {
                Err(error @ JournalError::DiskFull { .. }) if !self.stop.is_cancelled() => {
                    self.wait_for_room(&error);
                    waited = true;
                }
                answer => {
                    if waited {
                        self.has_room();
                    }
                    return answer;
                }
            }
        }
    }

    /// The lock is free meanwhile: what only reads is answered.
    fn wait_for_room(&self, error: &JournalError) {
        let hint = error.hint().unwrap_or_default();
        if !self.is_full.swap(true, Ordering::SeqCst) {
            tracing::error!(%error, %hint, "journal cannot be written, waiting for room");
        }
        self.status.set_blocked(DISK, format!("{error}; {hint}"));
        beside(|| thread::sleep(ROOM_AGAIN));
    }

    fn has_room(&self) {
        if self.is_full.swap(false, Ordering::SeqCst) {
            tracing::info!("journal written again");
        }
        self.status.clear_blocked(DISK);
    }

    /// Writes a step down. An item that a reorganisation or a person moved in the meantime stays where it was put.
    pub fn advance(&self, item: ItemId, step: &Step) -> Result<(), JournalError> {
        self.advance_all(&[(item, step.clone())])
    }

    /// Writes several steps down, all or none.
    pub fn advance_all(&self, steps: &[(ItemId, Step)]) -> Result<(), JournalError> {
        if steps.is_empty() {
            return Ok(());
        }
        let write = |journal: &mut Journal| {
            let before = |(item, step): &(ItemId, Step)| {
                let is_needed = self.tracer.is_on() || Metrics::needs_item(step.to());
                is_needed.then(|| journal.item(*item).ok().flatten()).flatten()
            };
            let before: Vec<_> = steps.iter().map(before).collect();
            journal.advance_all(steps, now_ms()).map(|()| before)
        };
        let waits_for_the_disk = steps.iter().any(|(_, step)| step.is_durable());
        let written = if waits_for_the_disk { self.with(write) } else { self.at_once(write) };
        let states: BTreeSet<_> = steps.iter().map(|(_, step)| step.to()).collect();
        states.into_iter().for_each(|state| self.notify(state));
        if let Ok(before) = &written {
            for ((item, step), before) in steps.iter().zip(before) {
                self.metrics.moved(*item, step.to(), before.as_ref());
                self.metrics.judged(step);
                if let Some(before) = before {
                    if step.to() == State::Final {
                        let age = now_ms().saturating_sub(before.announced_ms);
                        self.status.history.completed(Stage::Prove, Duration::from_millis(age));
                    }
                    self.tracer.moved(before, step.to());
                }
            }
        }
        match written {
            Err(error) if error.is_stale() => {
                tracing::info!(%error, "item moved meanwhile, outcome dropped");
                Ok(())
            }
            written => written.map(drop),
        }
    }

    /// Writes a failure down, and the pause before the next try.
    pub fn failed(&self, item: ItemId, state: State, error: &str, pause_ms: u64) -> Result<(), JournalError> {
        // The time is read under the lock, under which the clock is set.
        match self.at_once(|journal| journal.failed(item, state, error, now_ms().saturating_add(pause_ms))) {
            Err(error) if error.is_stale() => Ok(()),
            written => {
                self.metrics.failed(item, state);
                written.map(drop)
            }
        }
    }

    /// Does what an operator asks, and lets every stage look at what changed.
    pub fn apply(&self, selection: &Selection, action: Action) -> Result<Applied, JournalError> {
        let applied = self.with(|journal| journal.apply(selection, action, now_ms()));
        State::ALL.into_iter().for_each(|state| self.notify(state));
        applied
    }

    /// Announces to the stages that items have come to `state`.
    pub fn notify(&self, state: State) {
        self.notifier(state).send_replace(());
    }

    fn notifier(&self, state: State) -> &watch::Sender<()> {
        &self.notifiers[state as usize]
    }
}

/// Runs what takes a disk's time; the runtime moves its other tasks elsewhere, where it has other threads.
fn beside<T>(run: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(run),
        Ok(_) | Err(_) => run(),
    }
}
