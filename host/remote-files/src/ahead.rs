//! Reading ahead: while one file is worked on, those after it are on their way.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::{
    error::ReadFault,
    limits::{AHEAD_BYTES_MAX, AHEAD_FILES_MAX},
};

/// A file on its way.
pub(crate) type Coming = JoinHandle<Result<Bytes, ReadFault>>;

/// Files on their way, by their numbers in a listing.
#[derive(Debug, Default)]
pub(crate) struct ReadAhead(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The furthest number that was asked for lately.
    furthest: Option<usize>,
    coming: BTreeMap<usize, Coming>,
}

impl ReadAhead {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a file, on its way already or sent for now. Where files are asked for one after the other, the next ones are sent for too.
    pub fn take(
        &self,
        number: usize,
        sizes: impl Fn(usize) -> Option<u64>,
        send_for: impl Fn(usize) -> Coming,
    ) -> Coming {
        let mut state = self.lock();
        let taken = state.coming.remove(&number).unwrap_or_else(|| send_for(number));
        let is_near = state.furthest.is_some_and(|furthest| furthest.abs_diff(number) <= AHEAD_FILES_MAX);
        let furthest = state.furthest.filter(|_| is_near).map_or(number, |furthest| furthest.max(number));
        state.furthest = Some(furthest);
        let near = number.saturating_sub(AHEAD_FILES_MAX)..=furthest + AHEAD_FILES_MAX;
        state.coming.retain(|other, coming| {
            let stays = near.contains(other);
            if !stays {
                coming.abort();
            }
            stays
        });
        if is_near {
            let mut room =
                AHEAD_BYTES_MAX.saturating_sub(state.coming.keys().filter_map(|number| sizes(*number)).sum());
            for next in furthest + 1..=furthest + AHEAD_FILES_MAX {
                if state.coming.contains_key(&next) {
                    continue;
                }
                let Some(left) = sizes(next).and_then(|bytes| room.checked_sub(bytes)) else { break };
                room = left;
                state.coming.insert(next, send_for(next));
            }
        }
        taken
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        for coming in self.lock().coming.values() {
            coming.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Takes files in an order; returns how many were sent for after each.
    fn sent(order: &[usize], bytes: u64) -> Vec<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (ahead, count) = (ReadAhead::default(), AtomicUsize::new(0));
        let send_for = |_| {
            count.fetch_add(1, Ordering::Relaxed);
            runtime.spawn(async { Ok(Bytes::new()) })
        };
        let take = |number: &usize| {
            drop(ahead.take(*number, |number| (number < 1_000).then_some(bytes), send_for));
            count.load(Ordering::Relaxed)
        };
        order.iter().map(take).collect()
    }

    #[test]
    fn files_in_their_order_are_sent_for_ahead_and_each_once() {
        assert_eq!(sent(&[0, 1, 2, 3], 1), [1, 18, 19, 20]);
        // Two threads may ask in the other order.
        assert_eq!(sent(&[0, 2, 3, 4, 5], 1), [1, 18, 19, 20, 21]);
        // The last ones have nothing after them.
        assert_eq!(sent(&[998, 999], 1), [1, 2]);
    }

    #[test]
    fn files_far_from_each_other_are_sent_for_alone() {
        assert_eq!(sent(&[0, 100, 300, 200], 1), [1, 2, 3, 4]);
    }

    #[test]
    fn files_on_their_way_are_bounded_by_their_bytes() {
        assert_eq!(sent(&[0, 1], AHEAD_BYTES_MAX / 3), [1, 5]);
        assert_eq!(sent(&[0, 1], AHEAD_BYTES_MAX + 1), [1, 2]);
    }
}
