//! The number of questions that one node gets in one request.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Most questions in one request. Providers take from three to a thousand.
const BATCH_MAX: usize = 32;
/// Requests that are answered before one more question is put into one, after a node was not up to so many.
const RAMP_UP_AFTER: usize = 32;

/// The number of questions that a node gets in one request. It changes no other memory, so nothing is ordered by it.
#[derive(Debug)]
pub(super) struct AdaptiveBatchSize {
    now: AtomicUsize,
    /// The most that it takes, as far as it is known.
    most: AtomicUsize,
    /// Requests answered since the last change.
    calm: AtomicUsize,
}

impl AdaptiveBatchSize {
    /// Starts at `most` or 32, whichever is less.
    pub fn up_to(most: usize) -> Self {
        let most = most.clamp(1, BATCH_MAX);
        Self { now: most.into(), most: most.into(), calm: 0.into() }
    }

    /// The most that it takes, as far as it is known.
    pub fn most(&self) -> usize {
        self.most.load(Relaxed)
    }

    pub fn now(&self) -> usize {
        self.now.load(Relaxed)
    }

    /// The node takes fewer than this. That does not change.
    pub fn refused(&self, questions: usize) {
        self.most.fetch_min((questions / 2).max(1), Relaxed);
        self.now.fetch_min((questions / 2).max(1), Relaxed);
    }

    /// A request came to nothing, perhaps because its questions were too many for a rate limit or for the time there is.
    pub fn gave_up(&self) {
        self.calm.store(0, Relaxed);
        self.now.store((self.now() / 2).max(1), Relaxed);
    }

    pub fn answered(&self) {
        if self.now() < self.most.load(Relaxed) && self.calm.fetch_add(1, Relaxed) >= RAMP_UP_AFTER {
            self.calm.store(0, Relaxed);
            self.now.fetch_add(1, Relaxed);
        }
    }
}
