//! State of the daemon, for people and their tools.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256, U256};
use refiner_queue::Snapshot;
use refiner_status_page::{History, Setting};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    engine::clock::now_ms,
    observe::{gas, remedy},
    preflight::{ANOTHER_DAEMON, Check},
};

/// The activity of the daemon. Clones share it.
#[derive(Clone, Default)]
pub struct Status {
    /// A lock because every stage writes into it; held for an assignment.
    now: Arc<Mutex<Now>>,
    /// The recent past, for the status page.
    pub history: History,
    /// The settings in force, as a person may see them.
    pub settings: Arc<[Setting]>,
}

/// The parts that are not in the journal.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Now {
    /// Set when the chain was reached, every stage runs, and no check of the preflight is an error.
    pub ready: bool,
    /// The checks before work begins, as of their last round.
    pub preflight: Vec<Check>,
    /// When that round was made, milliseconds since 1970. None follows once no check is an error.
    pub preflight_ms: Option<u64>,
    /// Another user of the operator's key, if there is a sign of one.
    pub foreign: Option<Foreign>,
    pub stopping: bool,
    /// The proof chain's newest block, as last heard.
    pub head: Option<u64>,
    /// The last block whose announcements are known.
    pub cursor: Option<u64>,
    pub scan: Scan,
    pub operator: Option<Address>,
    /// Wei of the proof chain's coin, as last asked.
    pub balance_wei: Option<U256>,
    /// Wei for one gas, as last asked.
    pub gas_price_wei: Option<U256>,
    /// The last failure of a stage or a part, in words.
    pub last_failure: Option<String>,
    /// Its time: it stays here when all is well again.
    pub last_failure_ms: Option<u64>,
    /// The reason for which no proof is submitted, if none is.
    pub paused: Option<Pause>,
    /// Our results beside those that other operators proved, since the start.
    pub compared: Compared,
    /// The queue over which worker hosts share the work, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Snapshot>,
    /// The wait of each part that does not do what it should, in words.
    pub waits_for: BTreeMap<&'static str, Waiting>,
}

/// A sign of another user of the operator's key.
#[derive(Clone, Debug, Serialize)]
pub struct Foreign {
    pub what: String,
    pub hint: &'static str,
}

/// The state of the scan.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
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

/// Reasons for which no proof is submitted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub reason: String,
    pub hint: Option<String>,
    pub since_ms: u64,
    /// When it is looked again whether proving can go on.
    pub recheck_ms: u64,
    /// The same by a monotonic clock.
    #[serde(skip)]
    pub recheck_at: Instant,
    /// Prices, bounds of spending, or the balance: whatever costs gas waits.
    #[serde(skip)]
    pub is_of_money: bool,
}

impl Pause {
    /// Whether the time to look again has come.
    pub fn is_over(&self) -> bool {
        self.recheck_at <= Instant::now()
    }
}

/// Our results beside those that other operators proved.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// No other operator had proved a result of the specimen yet.
    pub alone: u64,
    pub agreed: u64,
    pub differed: u64,
    /// Differences in a row, those before the start included.
    pub in_a_row: u64,
    pub last_difference: Option<Difference>,
}

/// A specimen of which others proved another result.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub height: u64,
    pub specimen_hash: B256,
    /// sha256 of our result.
    pub ours: B256,
    pub theirs: Vec<PeerResult>,
}

/// A result that others proved.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerResult {
    pub result_hash: B256,
    /// By how many operators.
    pub proofs: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "height {}: ours {}, proved by others", self.height, self.ours)?;
        for PeerResult { result_hash, proofs } in &self.theirs {
            write!(f, " {result_hash} ({proofs})")?;
        }
        Ok(())
    }
}

/// The wait of one part.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub what: String,
    /// The remedy of a person where the wait does not end by itself.
    pub hint: &'static str,
    pub since_ms: u64,
}

impl Status {
    /// The status of a daemon with these settings.
    pub fn of(settings: Arc<[Setting]>) -> Self {
        Self { settings, ..Self::default() }
    }

    pub fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part waits; `what` may change while it does.
    pub fn set_blocked(&self, part: &'static str, what: String) {
        self.set_blocked_with(part, what, remedy::of(part));
    }

    /// The same, where another remedy helps than is usual for the part.
    pub fn set_blocked_with(&self, part: &'static str, what: String, hint: &'static str) {
        self.set_failure(format!("{part}: {what}"));
        let mut now = self.now();
        let since_ms = now.waits_for.get(part).map_or_else(now_ms, |waiting| waiting.since_ms);
        now.waits_for.insert(part, Waiting { what, hint, since_ms });
    }

    /// A stage or a part failed.
    pub fn set_failure(&self, what: String) {
        let mut now = self.now();
        now.last_failure = Some(what);
        now.last_failure_ms = Some(now_ms());
    }

    /// A transaction of the operator is not this daemon's: one line in the log for each new finding.
    pub fn set_foreign(&self, what: String) {
        let mut now = self.now();
        if now.foreign.as_ref().is_none_or(|foreign| foreign.what != what) {
            tracing::warn!(what, hint = ANOTHER_DAEMON, "operator's key is used elsewhere");
        }
        now.foreign = Some(Foreign { what, hint: ANOTHER_DAEMON });
    }

    /// The waits of the daemon, one line each, and the checks for which it is not ready.
    pub fn reasons(&self) -> Vec<String> {
        let now = self.now();
        let waits = now.waits_for.iter().map(|(part, waiting)| format!("{part}: {}", waiting.what));
        waits.chain(now.preflight.iter().filter(|check| check.blocks()).map(ToString::to_string)).collect()
    }

    /// A part goes on.
    pub fn clear_blocked(&self, part: &'static str) {
        self.now().waits_for.remove(part);
    }
}

impl Now {
    /// Proofs that the balance pays for at the present price of gas.
    pub fn proofs_left(&self) -> Option<u64> {
        gas::proofs_of(self.balance_wei?, self.gas_price_wei?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_failure_has_the_time_at_which_it_was_so_for_the_last_time() {
        let status = Status::default();
        status.set_blocked("queue", "NATS does not answer".to_owned());
        status.clear_blocked("queue");
        let before = now_ms();
        let first = status.now().last_failure_ms.unwrap();
        assert!(first <= before);
        while now_ms() == before {}
        status.set_blocked("queue", "NATS does not answer".to_owned());
        let now = status.now();
        assert_eq!(now.last_failure.as_deref(), Some("queue: NATS does not answer"));
        assert!(now.last_failure_ms.unwrap() > first);
    }

    #[test]
    fn balance_is_counted_in_proofs() {
        let mut now = Now { balance_wei: Some(U256::from(10_000_000_u64)), ..Now::default() };
        assert_eq!(now.proofs_left(), None);
        now.gas_price_wei = Some(U256::from(2));
        assert_eq!(now.proofs_left(), Some(14));
        now.gas_price_wei = Some(U256::ZERO);
        assert_eq!(now.proofs_left(), None);
    }
}
