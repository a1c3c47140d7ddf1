//! The outcome of an import.

use refiner_journal::EarlierOutcome;
use serde::Serialize;

use crate::records::Left;

/// Version of the report in JSON.
pub const JSON_SCHEMA_VERSION: u32 = 1;

/// The outcome, for people and for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of this form.
    pub schema_version: u32,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Files that were read.
    pub files: u64,
    /// Records in those files.
    pub records: u64,
    /// Specimens in those records.
    pub specimens: Specimens,
    /// What became of those of the chains that are followed.
    pub taken: Taken,
    /// The position of the scan.
    pub position: Position,
    /// What was not taken.
    pub left: Left,
}

/// Specimens in the logs.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Specimens {
    /// With a proof that was sent.
    pub sent: u64,
    /// With a session that was closed.
    pub closed: u64,
    /// Given up by the earlier refiner.
    pub given_up: u64,
    /// Begun and not finished.
    pub open: u64,
    /// Of chains that are not followed.
    pub other_chains: u64,
}

/// Items of the journal.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// To be worked on.
    pub begun: u64,
    /// Ended and skipped.
    pub ended: u64,
    /// Known to the journal already.
    pub known: u64,
}

/// The position of the scan.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The block with which the earlier refiner would go on.
    pub block: Option<u64>,
    /// True where the scan starts there.
    pub is_taken: bool,
}

impl Specimens {
    pub(crate) const fn count_of(&mut self, outcome: Option<EarlierOutcome>) -> &mut u64 {
        match outcome {
            None => &mut self.other_chains,
            Some(EarlierOutcome::Open) => &mut self.open,
            Some(EarlierOutcome::Closed) => &mut self.closed,
            Some(EarlierOutcome::GivenUp) => &mut self.given_up,
            Some(EarlierOutcome::Sent) => &mut self.sent,
        }
    }
}
