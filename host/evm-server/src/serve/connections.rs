//! The open connections, of which the one that has been idle longest makes room for the next.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// How long after the first look for an idle connection the next one follows.
const AGAIN: Duration = Duration::from_millis(100);

/// Places for connections.
pub(super) struct Connections {
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Idle>>,
}

/// Idle connections in the order in which they became idle, each with what closes it.
#[derive(Default)]
struct Idle {
    next: u64,
    tokens: BTreeMap<u64, CancellationToken>,
}

/// A connection's place, until it is dropped.
pub(super) struct Place {
    idle: Arc<Mutex<Idle>>,
    close: CancellationToken,
    /// Its key among the idle ones, while it is one.
    key: Mutex<Option<u64>>,
    _place: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))), idle: Arc::default() }
    }

    /// A place for a connection that has no request yet. Where there is none, the oldest idle connection is closed.
    pub(super) async fn place(&self) -> Arc<Place> {
        let free = Arc::clone(&self.places).acquire_owned();
        let mut free = std::pin::pin!(free);
        let mut wait = Duration::ZERO;
        let permit = loop {
            tokio::select! {
                biased;
                permit = free.as_mut() => break permit,
                // Those that have a request now may be idle the next time.
                () = sleep(wait) => self.close_oldest(),
            }
            wait = AGAIN;
        };
        let Ok(permit) = permit else { unreachable!("the semaphore is never closed") };
        let place = Place {
            idle: Arc::clone(&self.idle),
            close: CancellationToken::new(),
            key: Mutex::default(),
            _place: permit,
        };
        place.rest();
        Arc::new(place)
    }

    /// Closes the connection that is idle longest, if any is idle.
    pub(super) fn close_oldest(&self) {
        let oldest = locked(&self.idle).tokens.pop_first();
        if let Some((_, token)) = oldest {
            token.cancel();
        }
    }
}

impl Place {
    /// Ends when the connection must make room for another.
    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// The connection has a request, until the guard is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Busy {
        self.wake();
        Busy(Arc::clone(self))
    }

    fn rest(&self) {
        let mut idle = locked(&self.idle);
        let key = idle.next;
        idle.next += 1;
        idle.tokens.insert(key, self.close.clone());
        *locked(&self.key) = Some(key);
    }

    fn wake(&self) {
        let mut idle = locked(&self.idle);
        if let Some(key) = locked(&self.key).take() {
            idle.tokens.remove(&key);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.wake();
    }
}

/// A request of a connection.
pub(super) struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rest();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer's body, which keeps its connection busy until all of it is taken.
pub(super) struct BusyBody {
    body: Body,
    _busy: Busy,
}

impl BusyBody {
    pub(super) const fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl hyper::body::Body for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_connection_that_is_idle_longest_makes_room_and_one_with_a_request_does_not() {
        let connections = Connections::new(3);
        let (busy, older, newer) = (connections.place().await, connections.place().await, connections.place().await);
        let request = busy.request();
        let closing = Arc::clone(&older);
        let ends = tokio::spawn(async move {
            older.closed().await;
            drop(older);
        });
        drop(closing);
        let fourth = connections.place().await;
        ends.await.unwrap_or_default();
        assert!(!busy.close.is_cancelled() && !newer.close.is_cancelled());
        let requests = [newer.request(), fourth.request()];
        let waits = tokio::time::timeout(Duration::from_millis(50), connections.place()).await;
        assert!(waits.is_err());
        drop((request, requests));
        assert_eq!(locked(&connections.idle).tokens.len(), 3);
    }
}
