//! The bytes that requests hold: a bound that no body waits for in vain.
//!
//! Bodies take room piece by piece, so that a client which announces much and sends little holds little. Were that all, bodies
//! that are half in could fill the room together and each wait for the others. So the last part of the room, which is enough for
//! one whole body, is for one body at a time: that one comes in whatever the others do, is executed, and leaves its room.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// The unit in which bytes are counted: a semaphore counts to 2³², and a budget can be larger than that many bytes.
const UNIT_BYTES: usize = 1 << 10;

/// Room for the bytes of bodies and of answers.
pub(super) struct InFlight {
    /// All the room.
    all: Arc<Semaphore>,
    /// As much of it as bodies that are half in may fill together.
    shared: Arc<Semaphore>,
    /// The right of one body that is half in to fill the rest.
    rest: Arc<Semaphore>,
    units: usize,
}

/// The room that one request takes, until it is dropped.
#[derive(Default)]
pub(super) struct Reserved {
    all: Option<OwnedSemaphorePermit>,
    shared: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl InFlight {
    pub(super) fn new(limits: &Limits) -> Self {
        let units = limits.in_flight_bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        let body_units = limits.largest_body_bytes().div_ceil(UNIT_BYTES);
        Self {
            all: Arc::new(Semaphore::new(units)),
            shared: Arc::new(Semaphore::new(units.saturating_sub(body_units))),
            rest: Arc::new(Semaphore::new(1)),
            units,
        }
    }

    /// Takes room for more bytes of a body, if there is any to be had without a wait.
    pub(super) fn try_take(&self, reserved: &mut Reserved, more_bytes: usize) -> bool {
        let Some(units) = reserved.missing_units(more_bytes) else { return false };
        let shared = match &reserved.rest {
            Some(_) => None,
            None => match Arc::clone(&self.shared).try_acquire_many_owned(units) {
                Ok(shared) => Some(shared),
                Err(_) => match Arc::clone(&self.rest).try_acquire_owned() {
                    Ok(rest) => {
                        reserved.take_rest(rest);
                        None
                    }
                    Err(_) => return false,
                },
            },
        };
        let Ok(all) = Arc::clone(&self.all).try_acquire_many_owned(units) else { return false };
        merge(&mut reserved.shared, shared);
        merge(&mut reserved.all, Some(all));
        reserved.bytes += more_bytes;
        true
    }

    /// Waits for room for more bytes of a body, behind those that wait already.
    ///
    /// Room that was taken stays with the request when it gives up.
    pub(super) async fn take(&self, reserved: &mut Reserved, more_bytes: usize) {
        let Some(units) = reserved.missing_units(more_bytes) else { return std::future::pending().await };
        if reserved.rest.is_none() {
            tokio::select! {
                biased;
                shared = Arc::clone(&self.shared).acquire_many_owned(units) => merge(&mut reserved.shared, Some(open(shared))),
                rest = Arc::clone(&self.rest).acquire_owned() => reserved.take_rest(open(rest)),
            }
        }
        let all = open(Arc::clone(&self.all).acquire_many_owned(units).await);
        merge(&mut reserved.all, Some(all));
        reserved.bytes += more_bytes;
    }

    /// Takes room for an answer that is larger than its request's body, if there is any.
    ///
    /// It does not wait: bodies that are whole wait for executions, and so that these end none of them may wait for bodies.
    pub(super) fn try_enlarge(&self, reserved: &mut Reserved, more_bytes: usize) -> bool {
        let Some(units) = reserved.missing_units(more_bytes) else { return false };
        let Ok(all) = Arc::clone(&self.all).try_acquire_many_owned(units) else { return false };
        merge(&mut reserved.all, Some(all));
        reserved.bytes += more_bytes;
        true
    }

    /// The bytes that are taken.
    pub(super) fn bytes(&self) -> usize {
        self.units.saturating_sub(self.all.available_permits()) * UNIT_BYTES
    }
}

impl Reserved {
    /// Its part of the shared room becomes part of the room of one body.
    fn take_rest(&mut self, rest: OwnedSemaphorePermit) {
        (self.rest, self.shared) = (Some(rest), None);
    }

    /// Notes that the body is whole: nothing waits for it any more.
    pub(super) fn complete(&mut self) {
        (self.shared, self.rest) = (None, None);
    }

    /// The units that so many more bytes need, if they can be counted.
    fn missing_units(&self, more_bytes: usize) -> Option<u32> {
        let held = self.all.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = self.bytes.checked_add(more_bytes)?.div_ceil(UNIT_BYTES);
        u32::try_from(needed.saturating_sub(held)).ok()
    }
}

fn merge(held: &mut Option<OwnedSemaphorePermit>, more: Option<OwnedSemaphorePermit>) {
    match (held, more) {
        (Some(held), Some(more)) => held.merge(more),
        (held @ None, more) => *held = more,
        (Some(_), None) => {}
    }
}

fn open(permit: Result<OwnedSemaphorePermit, AcquireError>) -> OwnedSemaphorePermit {
    match permit {
        Ok(permit) => permit,
        Err(_) => unreachable!("the semaphore is never closed"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Room for four bodies of 64 units.
    fn four_bodies() -> InFlight {
        let body_bytes = 64 * UNIT_BYTES;
        InFlight::new(&Limits { body_bytes, in_flight_bytes: 4 * body_bytes, ..Limits::default() })
    }

    #[tokio::test]
    async fn bodies_that_are_half_in_leave_room_for_one_whole_body() {
        let room = four_bodies();
        let mut halves: Vec<_> = (0..6).map(|_| Reserved::default()).collect();
        assert!(halves.iter_mut().all(|half| room.try_take(half, 32 * UNIT_BYTES)));
        let mut late = Reserved::default();
        for _ in 0..64 {
            assert!(room.try_take(&mut late, UNIT_BYTES), "the rest is its own");
        }
        assert!(!room.try_take(&mut halves[0], UNIT_BYTES), "three bodies' room is all that they may have together");
        assert_eq!(room.bytes(), 4 * 64 * UNIT_BYTES);
        late.complete();
        drop(late);
        assert_eq!(room.bytes(), 3 * 64 * UNIT_BYTES);
    }

    #[tokio::test]
    async fn bodies_that_all_wait_come_in_one_after_the_other() {
        const BODIES: usize = 40;
        let room = Arc::new(four_bodies());
        let bodies: Vec<_> = (0..BODIES)
            .map(|_| {
                let room = Arc::clone(&room);
                tokio::spawn(async move {
                    let mut reserved = Reserved::default();
                    for _ in 0..64 {
                        if !room.try_take(&mut reserved, UNIT_BYTES) {
                            room.take(&mut reserved, UNIT_BYTES).await;
                        }
                        tokio::task::yield_now().await;
                    }
                    reserved.complete();
                    assert!(room.bytes() <= 4 * 64 * UNIT_BYTES);
                })
            })
            .collect();
        let all = async {
            for body in bodies {
                body.await.expect("no body fails");
            }
        };
        tokio::time::timeout(Duration::from_secs(20), all).await.expect("every body comes in");
        assert_eq!(room.bytes(), 0);
    }

    #[tokio::test]
    async fn whole_bodies_fill_all_the_room_and_an_answer_takes_none_that_is_not_there() {
        let room = four_bodies();
        let mut whole = Vec::new();
        for _ in 0..4 {
            let mut reserved = Reserved::default();
            assert!(room.try_take(&mut reserved, 64 * UNIT_BYTES));
            reserved.complete();
            whole.push(reserved);
        }
        assert!(!room.try_enlarge(&mut whole[0], 1));
        whole.pop();
        assert!(room.try_enlarge(&mut whole[0], 1));
        let mut late = Reserved::default();
        let waits = room.take(&mut late, 64 * UNIT_BYTES);
        assert!(tokio::time::timeout(Duration::from_millis(20), waits).await.is_err(), "one unit too few");
        drop(whole);
        room.take(&mut late, 64 * UNIT_BYTES).await;
    }
}
