//! The open connections: how many there are, what each is doing, and which one makes room for the next.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep_until, timeout_at},
};

use crate::Limits;

/// The stage of a connection's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No byte of a request has come since this moment.
    Idle { since: Instant },
    /// A head is on its way.
    Head { since: Instant },
    /// A request is being answered.
    Busy { since: Instant },
    /// The answer to a request is complete, and not yet with the system.
    Answered { since: Instant },
    /// The connection makes room for another one.
    Evicted,
}

/// A connection that came or was answered less long ago makes room for no other: its next head may be on its way.
const GRACE: Duration = Duration::from_millis(50);

/// The reason for which a connection is closed from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Evicted,
    HeadTimeout,
    RequestTimeout,
}

/// All open connections of a listener.
pub(crate) struct Connections {
    slots: Arc<Semaphore>,
    /// By the order in which they came.
    open: Mutex<BTreeMap<u64, Arc<Connection>>>,
}

/// One connection.
pub(crate) struct Connection {
    phase: watch::Sender<Phase>,
    limits: Limits,
}

/// A connection's place, which is free again when it is dropped.
pub(crate) struct ConnectionSlot {
    pub(crate) connection: Arc<Connection>,
    connections: Arc<Connections>,
    number: u64,
    _slot: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { slots, open: Mutex::default() })
    }

    /// A place for connection `number`. When there is none, the connection that has been without a request for longest is closed.
    pub(crate) async fn place(self: &Arc<Self>, number: u64, limits: Limits) -> ConnectionSlot {
        let slot = loop {
            let slot = Arc::clone(&self.slots).acquire_owned();
            let evictable = self.evict();
            match timeout_at(evictable.unwrap_or_else(|| Instant::now() + limits.idle), slot).await {
                Ok(Ok(slot)) => break slot,
                Ok(Err(_)) => unreachable!("the semaphore is never closed"),
                Err(_) => {}
            }
        };
        let connection =
            Arc::new(Connection { phase: watch::Sender::new(Phase::Idle { since: Instant::now() }), limits });
        self.open().insert(number, Arc::clone(&connection));
        ConnectionSlot { connection, connections: Arc::clone(self), number, _slot: slot }
    }

    /// Closes the oldest connection without a request when there is no place, or returns the time at which that may be done.
    fn evict(&self) -> Option<Instant> {
        if self.slots.available_permits() > 0 {
            return None;
        }
        let open = self.open();
        let oldest = open.values().filter_map(|connection| Some((connection.without_request_since()?, connection)));
        let (since, connection) = oldest.min_by_key(|(since, _)| *since)?;
        if since.elapsed() < GRACE {
            return Some(since + GRACE);
        }
        connection.phase.send_replace(Phase::Evicted);
        None
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

impl Connection {
    /// Notes that bytes came.
    pub(crate) fn on_bytes(&self) {
        self.change(|phase| match phase {
            Phase::Idle { .. } => Some(Phase::Head { since: Instant::now() }),
            Phase::Head { .. } | Phase::Busy { .. } | Phase::Answered { .. } | Phase::Evicted => None,
        });
    }

    /// Notes that a request's head is complete.
    pub(crate) fn on_request(&self) {
        self.change(|phase| match phase {
            Phase::Evicted => None,
            Phase::Idle { .. } | Phase::Head { .. } | Phase::Busy { .. } | Phase::Answered { .. } => {
                Some(Phase::Busy { since: Instant::now() })
            }
        });
    }

    /// Notes that an answer is complete, and perhaps not yet written.
    pub(crate) fn on_answered(&self) {
        self.change(|phase| match phase {
            Phase::Busy { since } => Some(Phase::Answered { since }),
            Phase::Idle { .. } | Phase::Head { .. } | Phase::Answered { .. } | Phase::Evicted => None,
        });
    }

    /// Notes that everything written is with the system.
    pub(crate) fn on_flushed(&self) {
        self.change(|phase| match phase {
            Phase::Answered { .. } => Some(Phase::Idle { since: Instant::now() }),
            Phase::Idle { .. } | Phase::Head { .. } | Phase::Busy { .. } | Phase::Evicted => None,
        });
    }

    /// Waits until the connection is to be closed.
    pub(crate) async fn ended(&self) -> Ended {
        let mut phase = self.phase.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            let (until, ended) = match now {
                Phase::Evicted => return Ended::Evicted,
                Phase::Idle { .. } => {
                    // The sender lives as long as this connection.
                    let _ = phase.changed().await;
                    continue;
                }
                Phase::Head { since } => (since + self.limits.head, Ended::HeadTimeout),
                Phase::Busy { since } | Phase::Answered { since } => {
                    (since + self.limits.request, Ended::RequestTimeout)
                }
            };
            tokio::select! {
                () = sleep_until(until) => return ended,
                _ = phase.changed() => {}
            }
        }
    }

    fn without_request_since(&self) -> Option<Instant> {
        match *self.phase.borrow() {
            Phase::Idle { since } | Phase::Head { since } => Some(since),
            Phase::Busy { .. } | Phase::Answered { .. } | Phase::Evicted => None,
        }
    }

    fn change(&self, next: impl FnOnce(Phase) -> Option<Phase>) {
        self.phase.send_if_modified(|phase| match next(*phase) {
            Some(next) => {
                *phase = next;
                true
            }
            None => false,
        });
    }
}
