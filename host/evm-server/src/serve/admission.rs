//! Admission control: a bounded number of requests, of executions, and of their bytes.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Limits, error::Full, in_flight::InFlight};

/// The bounds, as something to take from.
pub(super) struct AdmissionControl {
    /// One for each execution that may use a processor at once.
    running: Arc<Semaphore>,
    /// Executions without a processor that ask for one.
    contending: AtomicUsize,
    /// One for each execution that may be under way, running or paused.
    executions: Arc<Semaphore>,
    /// One for each of those and for each that may wait.
    slots: Arc<Semaphore>,
    pub(super) in_flight: InFlight,
    /// The last moment at which there was room for an execution.
    room_seen: Arc<Mutex<Instant>>,
    limits: Limits,
}

/// A request's place in the queue.
pub(super) struct QueueSlot {
    executions: Arc<Semaphore>,
    room_seen: Arc<Mutex<Instant>>,
    _slot: OwnedSemaphorePermit,
}

/// Room for one execution, from its begin to its end.
pub(super) struct ExecutionRoom {
    room_seen: Arc<Mutex<Instant>>,
    _execution: OwnedSemaphorePermit,
    _slot: QueueSlot,
}

/// A processor for one execution, until it is dropped.
pub(super) struct ExecutionPermit {
    _running: OwnedSemaphorePermit,
}

impl AdmissionControl {
    pub(super) fn new(limits: Limits) -> Self {
        let semaphore = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            running: semaphore(limits.running),
            contending: AtomicUsize::new(0),
            executions: semaphore(limits.executions),
            slots: semaphore(limits.executions.saturating_add(limits.waiting)),
            in_flight: InFlight::new(&limits),
            room_seen: Arc::new(Mutex::new(Instant::now())),
            limits,
        }
    }

    /// True when a request that comes now has no chance, so that its body need not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// A place in the queue, if there is one.
    pub(super) fn queue_slot(&self) -> Result<QueueSlot, Full> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Full::Queue)?;
        let (executions, room_seen) = (Arc::clone(&self.executions), Arc::clone(&self.room_seen));
        Ok(QueueSlot { executions, room_seen, _slot: slot })
    }

    /// True when every room for an execution has been taken for longer than executions may last.
    pub(super) fn is_stuck(&self) -> bool {
        self.executions.available_permits() == 0
            && self.room_seen.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > self.limits.longest_execution()
    }

    /// Waits for a processor; first come, first served.
    pub(super) async fn permit(&self) -> ExecutionPermit {
        let _contending = Contending::begin(&self.contending);
        match Arc::clone(&self.running).acquire_owned().await {
            Ok(running) => ExecutionPermit { _running: running },
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }

    /// True when an execution waits for a processor.
    pub(super) fn is_contended(&self) -> bool {
        self.contending.load(Ordering::Relaxed) > 0
    }

    /// Executions under way, running or paused.
    pub(super) fn executions(&self) -> usize {
        self.limits.executions.saturating_sub(self.executions.available_permits())
    }

    /// Executions that use a processor.
    pub(super) fn running(&self) -> usize {
        self.limits.running.saturating_sub(self.running.available_permits())
    }

    /// Requests waiting for room for their bodies, or for their execution to begin.
    pub(super) fn waiting(&self) -> usize {
        let inside = (self.limits.executions + self.limits.waiting).saturating_sub(self.slots.available_permits());
        inside.saturating_sub(self.executions())
    }
}

impl QueueSlot {
    /// Waits for room to execute in; first come, first served.
    pub(super) async fn room(self) -> ExecutionRoom {
        match Arc::clone(&self.executions).acquire_owned().await {
            Ok(execution) => {
                see_room(&self.room_seen);
                ExecutionRoom { room_seen: Arc::clone(&self.room_seen), _execution: execution, _slot: self }
            }
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }
}

impl Drop for ExecutionRoom {
    fn drop(&mut self) {
        see_room(&self.room_seen);
    }
}

fn see_room(room_seen: &Mutex<Instant>) {
    *room_seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
}

/// Counts one that contends, also when it is given up.
struct Contending<'a>(&'a AtomicUsize);

impl<'a> Contending<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Contending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_server_whose_rooms_are_taken_for_longer_than_executions_last_is_stuck() {
        let processor_time = Duration::from_millis(50);
        let limits = Limits { running: 1, executions: 2, processor_time, ..Limits::default() };
        assert_eq!(limits.longest_execution(), 2 * processor_time);
        let admission = AdmissionControl::new(limits);
        let first = admission.queue_slot().unwrap().room().await;
        tokio::time::sleep(3 * processor_time).await;
        assert!(!admission.is_stuck(), "there is room for another");
        let second = admission.queue_slot().unwrap().room().await;
        assert!(!admission.is_stuck(), "it has just begun");
        tokio::time::sleep(3 * processor_time).await;
        assert!(admission.is_stuck());
        drop(first);
        assert!(!admission.is_stuck());
        drop(second);
    }
}
