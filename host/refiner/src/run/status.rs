//! What the daemon is doing, for people and their tools.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, U256};
use serde::Serialize;

use super::clock::now_ms;

/// What the daemon is doing. Clones share it.
#[derive(Clone, Default)]
pub struct Status {
    /// A lock because every stage writes into it; held for an assignment.
    now: Arc<Mutex<Now>>,
}

/// The parts that are not in the journal.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Now {
    /// Set when the chain was reached and every stage runs.
    pub ready: bool,
    pub stopping: bool,
    /// The proof chain's newest block, as last heard.
    pub head: Option<u64>,
    /// The last block whose announcements are known.
    pub cursor: Option<u64>,
    pub scan: Scan,
    pub operator: Option<Address>,
    /// Wei of the proof chain's coin, as last asked.
    pub balance_wei: Option<U256>,
    /// Why no proof is submitted, if none is.
    pub paused: Option<Pause>,
    /// What each part waits for that does not do what it should, in words.
    pub waits_for: BTreeMap<&'static str, Waiting>,
}

/// The state of the scan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scan {
    /// Blocks that are asked for at once, as many as the provider answers.
    pub range_blocks: u64,
    /// The provider's reason for the last shorter range.
    pub range_shortened_by: Option<String>,
    /// Blocks up to this one are not scanned again.
    pub settled: Option<u64>,
    /// Answers of nodes that lacked blocks or logs.
    pub behind: u64,
    /// The last of those nodes.
    pub last_behind: Option<String>,
    /// Announcements that a node left out, found by a question for their block.
    pub recovered: u64,
    /// Announcements that were found only when their block was scanned again.
    pub late: u64,
}

/// Why no proof is submitted.
#[derive(Clone, Debug, Serialize)]
pub struct Pause {
    pub reason: String,
    pub hint: Option<String>,
    pub since_ms: u64,
    /// When it is looked again whether proving can go on.
    pub recheck_ms: u64,
}

/// What a part waits for.
#[derive(Clone, Debug, Serialize)]
pub struct Waiting {
    pub what: String,
    pub since_ms: u64,
}

impl Status {
    pub fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part waits; `what` may change while it does.
    pub fn set_blocked(&self, part: &'static str, what: String) {
        let mut now = self.now();
        let since_ms = now.waits_for.get(part).map_or_else(now_ms, |waiting| waiting.since_ms);
        now.waits_for.insert(part, Waiting { what, since_ms });
    }

    /// A part goes on.
    pub fn clear_blocked(&self, part: &'static str) {
        self.now().waits_for.remove(part);
    }
}
