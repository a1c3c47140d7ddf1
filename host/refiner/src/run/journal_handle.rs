//! The journal, shared by the stages.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use refiner_journal::{Action, Applied, ItemId, Journal, JournalError, Selection, State, Step};
use tokio::sync::watch;

use super::{clock::now_ms, metrics::Metrics};

/// The journal, and a notification for each state, sent when items reach it.
#[derive(Clone)]
pub struct JournalHandle {
    /// A lock because SQLite has one writer; it is held for one transaction, never across an await.
    journal: Arc<Mutex<Journal>>,
    /// In the order of [`State::ALL`]. One for all would have every stage look for work at every step of every item.
    notifiers: Arc<[watch::Sender<()>]>,
    /// Every step and every failure passes here, so it is counted here.
    pub metrics: Metrics,
}

impl JournalHandle {
    pub fn new(journal: Journal, metrics: Metrics) -> Self {
        let notifiers = State::ALL.map(|_| watch::Sender::new(()));
        Self { journal: Arc::new(Mutex::new(journal)), notifiers: notifiers.into(), metrics }
    }

    /// A subscription that fires whenever items have come to `state`.
    pub fn arrivals(&self, state: State) -> watch::Receiver<()> {
        self.notifier(state).subscribe()
    }

    /// Runs a read or write of the journal that may take a disk's time or a look through all of it; the runtime moves its other tasks elsewhere.
    pub fn with<T>(&self, ask: impl FnOnce(&mut Journal) -> T) -> T {
        tokio::task::block_in_place(|| self.at_once(ask))
    }

    /// Asks or tells the journal what takes some dozens of microseconds, in which the runtime could not even go on elsewhere.
    pub fn at_once<T>(&self, ask: impl FnOnce(&mut Journal) -> T) -> T {
        // A panic in another thread left the transaction undone, not the journal broken.
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut journal)
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
                Metrics::needs_item(step.to()).then(|| journal.item(*item).ok().flatten()).flatten()
            };
            let before: Vec<_> = steps.iter().map(before).collect();
            (journal.advance_all(steps, now_ms()), before)
        };
        let waits_for_the_disk = steps.iter().any(|(_, step)| step.is_durable());
        let (written, before) = if waits_for_the_disk { self.with(write) } else { self.at_once(write) };
        let states: BTreeSet<_> = steps.iter().map(|(_, step)| step.to()).collect();
        states.into_iter().for_each(|state| self.notify(state));
        if written.is_ok() {
            for ((item, step), before) in steps.iter().zip(&before) {
                self.metrics.moved(*item, step.to(), before.as_ref());
                self.metrics.judged(step);
            }
        }
        match written {
            Err(error) if error.is_stale() => {
                tracing::info!(%error, "item moved meanwhile, outcome dropped");
                Ok(())
            }
            written => written,
        }
    }

    /// Writes a failure down and when to try again.
    pub fn failed(&self, item: ItemId, state: State, error: &str, due_ms: u64) -> Result<(), JournalError> {
        match self.at_once(|journal| journal.failed(item, state, error, due_ms)) {
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
