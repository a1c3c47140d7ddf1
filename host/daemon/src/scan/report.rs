//! The state of the scan, in the status and the log.

use std::time::Duration;

use refiner_proofchain::{Lack, ScanProgress, ScanStep, Scanned, Skipped};
use tokio::time::Instant;

use super::PART;
use crate::observe::status::Status;

/// Pause between two log lines about nodes that lag: behind a balancer every other answer may be such a node's.
const QUIET: Duration = Duration::from_secs(60);

/// Writes the state of the scan into the status, and what a person has to know into the log.
pub struct Reporter {
    status: Status,
    depth: u64,
    /// When nodes that lag were last in the log.
    logged: Option<Instant>,
}

impl Reporter {
    pub const fn new(status: Status, depth: u64) -> Self {
        Self { status, depth, logged: None }
    }

    pub fn progress(&self, progress: ScanProgress) {
        let ScanProgress { range_blocks, settled, shortened_by } = progress;
        let scan = &mut self.status.now().scan;
        scan.range_blocks = range_blocks;
        scan.settled = settled;
        if shortened_by.is_some() && scan.range_shortened_by != shortened_by {
            tracing::info!(range_blocks, reason = shortened_by, "provider limits the block range");
            scan.range_shortened_by = shortened_by;
        }
    }

    /// A node that has not the blocks it speaks of is no error: behind a balancer that happens for a moment. One that lies stays so.
    pub fn step(&mut self, cursor: u64, step: &ScanStep) {
        let what = match step {
            ScanStep::Behind { head, node, number, lack } => {
                let lacks = match lack {
                    Lack::Block => "does not have block",
                    Lack::Logs => "does not give the logs of block",
                };
                let what = format!("{node} {lacks} {number}; the newest block is {head}");
                let scan = &mut self.status.now().scan;
                scan.behind += 1;
                scan.last_behind = Some(what.clone());
                what
            }
            ScanStep::UpToDate { head } if *head < cursor => {
                format!("a node that has block {cursor}, which was scanned: the newest block is {head}")
            }
            ScanStep::UpToDate { head } if head.saturating_sub(self.depth) > cursor => {
                format!("a node that has the blocks after {cursor}: the newest block is {head}")
            }
            ScanStep::Advanced(scanned) => {
                self.scanned(scanned);
                return self.status.clear_blocked(PART);
            }
            ScanStep::Reorganised { .. } | ScanStep::UpToDate { .. } => return self.status.clear_blocked(PART),
        };
        if self.logged.is_none_or(|logged| logged.elapsed() >= QUIET) {
            self.logged = Some(Instant::now());
            tracing::warn!(cursor, what, "node head went backwards");
        }
        self.status.set_blocked(PART, what);
    }

    fn scanned(&self, scanned: &Scanned) {
        let Skipped { other_chain, legacy, removed, malformed, first_malformed } = &scanned.skipped;
        if let Some(first) = first_malformed {
            tracing::warn!(first_block = scanned.first, malformed, %first, "malformed logs skipped");
        }
        if other_chain + legacy + removed > 0 {
            tracing::debug!(other_chain, legacy, removed, "logs skipped");
        }
        if scanned.recovered > 0 {
            let Scanned { node, recovered, cursor, .. } = scanned;
            tracing::warn!(node, logs = recovered, block = cursor.number, "node left logs out");
            self.status.now().scan.recovered += recovered;
        }
    }
}
