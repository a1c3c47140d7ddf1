//! Who gets in: a bounded number of requests, and a bounded number of their bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Limits, refusal::Full};

/// What bytes are counted in: a semaphore counts to 2³², and a budget can be larger than that many bytes.
const UNIT_BYTES: usize = 1 << 10;

/// The bounds, as something to take from.
pub(super) struct AdmissionControl {
    /// One for each block that may be executed at once.
    running: Arc<Semaphore>,
    /// One for each of those and for each that may wait.
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    limits: Limits,
}

/// A request's place in the queue.
pub(super) struct QueueSlot {
    running: Arc<Semaphore>,
    _slot: OwnedSemaphorePermit,
}

/// A request whose turn it is.
pub(super) struct ExecutionPermit {
    _running: OwnedSemaphorePermit,
    _slot: QueueSlot,
}

/// Bytes that a request holds.
#[derive(Default)]
pub(super) struct Reserved {
    units: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl AdmissionControl {
    pub(super) fn new(limits: Limits) -> Self {
        let semaphore = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            running: semaphore(limits.running),
            slots: semaphore(limits.running.saturating_add(limits.waiting)),
            bytes: semaphore(limits.in_flight_bytes / UNIT_BYTES),
            limits,
        }
    }

    /// Whether a request that comes now has no chance, so that its body need not be kept.
    pub(super) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// A place in the queue, if there is one.
    pub(super) fn queue_slot(&self) -> Result<QueueSlot, Full> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Full::Queue)?;
        Ok(QueueSlot { running: Arc::clone(&self.running), _slot: slot })
    }

    /// Makes room for more bytes, if there is any.
    pub(super) fn reserve(&self, reserved: &mut Reserved, more_bytes: usize) -> Result<(), Full> {
        let bytes = reserved.bytes.saturating_add(more_bytes);
        let held = reserved.units.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = u32::try_from(bytes.div_ceil(UNIT_BYTES).saturating_sub(held)).map_err(|_| Full::Bytes)?;
        let units = Arc::clone(&self.bytes).try_acquire_many_owned(needed).map_err(|_| Full::Bytes)?;
        match &mut reserved.units {
            Some(held) => held.merge(units),
            none => *none = Some(units),
        }
        reserved.bytes = bytes;
        Ok(())
    }

    /// Blocks being executed.
    pub(super) fn running(&self) -> usize {
        self.limits.running.saturating_sub(self.running.available_permits())
    }

    /// Requests waiting for their turn.
    pub(super) fn waiting(&self) -> usize {
        let inside = (self.limits.running + self.limits.waiting).saturating_sub(self.slots.available_permits());
        inside.saturating_sub(self.running())
    }

    /// Bytes of bodies and answers.
    pub(super) fn in_flight_bytes(&self) -> usize {
        (self.limits.in_flight_bytes / UNIT_BYTES).saturating_sub(self.bytes.available_permits()) * UNIT_BYTES
    }
}

impl QueueSlot {
    /// Waits for the turn; first come, first served.
    pub(super) async fn permit(self) -> ExecutionPermit {
        match Arc::clone(&self.running).acquire_owned().await {
            Ok(running) => ExecutionPermit { _running: running, _slot: self },
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }
}
