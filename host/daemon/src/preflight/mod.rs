//! The checks before work begins, the same at the start of `run` and in `refiner doctor`.
//!
//! A check is of one thing, has one line, and a remedy where it is not ok. The machine is checked in a process of its own, which never
//! holds a key: the self-test of the limits runs guests.

mod chain;
mod disk;
mod evm_server;
mod key;
mod nodes;
mod pinner;

pub use self::{
    chain::{ANOTHER_DAEMON, NONCES, checks as chain},
    disk::check as disk,
    evm_server::check as evm_server,
    key::{check as key, failed as key_failed},
    nodes::{checks as nodes, log_ranges, scanned_range, unusable as no_node},
    pinner::check as pinner,
};

use std::fmt;

use refiner_worker::Requirement;
use serde::{Deserialize, Serialize};

/// Names of the checks, but for those of which there is one a node (`node URL`, `log range of URL`) or one a measure (`worker MEASURE`).
pub const NAMES: [&str; 20] = [
    "balance",
    "built-in rules",
    "clock",
    "confinement",
    "contracts",
    "disk",
    "evm-server",
    "key",
    "limits",
    "log range",
    "machine",
    "nonces",
    "operator",
    "pinner",
    "processor",
    "program",
    "proof chain",
    "session",
    "settings",
    "worker",
];

/// The checks of this machine under the required confinement. They run guests, so another process than the daemon's makes them.
pub type MachineChecks = fn(Requirement) -> Vec<Check>;

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The thing that was checked.
    pub name: String,
    pub state: State,
    pub detail: String,
    /// Advice for an operator; none where the check is ok.
    pub remedy: Option<String>,
}

/// The state of what was checked, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    /// Work goes on, with less than there could be.
    Warning,
    /// Nothing is proved, or nothing may run, until it is mended.
    Error,
}

impl Check {
    pub fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, detail: detail.into(), remedy: None }
    }

    pub fn warning(name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    pub fn error(name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Error, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Whether a daemon is not ready before this is mended. One node of several holds nothing up: the check of all of them does.
    pub fn blocks(&self) -> bool {
        self.state == State::Error && !self.name.starts_with(nodes::PREFIX)
    }
}

impl State {
    /// The word in a list for people.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.detail)
    }
}
