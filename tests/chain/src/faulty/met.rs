//! A count of the answers that a fault gave.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The number of questions that met a fault. Counts on after the fault is taken away, as long as requests are under way.
#[derive(Clone, Debug, Default)]
pub struct Met(Arc<AtomicU64>);

impl Met {
    /// Questions so far.
    pub fn times(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
