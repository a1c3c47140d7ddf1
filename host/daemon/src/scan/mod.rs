//! From the proof chain to announced items: confirmed blocks only, none twice, none left out.

pub mod again;
mod command;
mod rebuild;
mod record;
mod report;
mod source;

#[cfg(test)]
mod tests;

pub use self::{
    command::command,
    rebuild::{Rebuilt, rebuild},
    record::{Recorder, Reorganisations},
    source::{AnnouncementSource, ChainAnnouncements},
};

use std::time::Duration;

use refiner_journal::{Checkpoint, JournalError};
use refiner_proofchain::{BlockRef, Checkpoints, ProofChain, ScanError, ScanStep, StartBlock};
use tokio_util::sync::CancellationToken;

use self::report::Reporter;
use crate::{
    engine::poller::{PollFailure, Poller, pause},
    state::journal_handle::JournalHandle,
};

/// The part's name in the status.
const PART: &str = "scan";
/// The remedy for a backlog that is full.
const BACKLOG: &str = "it shrinks as items are proved: look at what they wait for, or raise --backlog";
/// The remedy where the node does not have the block from which an import has the first scan start.
const IMPORTED: &str = "`refiner journal import` took this position from its logs: if they are of another network, import those of this one, \
     or begin with another --data; else wait until the node has the block";

/// The scan of the proof chain, written down as it goes.
pub struct Scan {
    pub recorder: Recorder,
    pub source: Box<dyn AnnouncementSource>,
    pub terms: ScanTerms,
}

/// The terms of a scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanTerms {
    /// Where the very first scan starts.
    pub start: StartBlock,
    /// Blocks on top of one that is scanned.
    pub depth: u64,
    /// The most unfinished items.
    pub backlog: u64,
    /// Pause between two looks for new blocks.
    pub poll: Duration,
    /// The first pause after a failure.
    pub retry: Duration,
}

impl Scan {
    /// Scans until `stop`. Waits while more is unfinished than the backlog allows.
    ///
    /// # Errors
    ///
    /// The journal's: without it nothing can go on.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), JournalError> {
        let (journal, status) = (self.recorder.journal.clone(), self.recorder.status.clone());
        let mut checkpoints = self.recorder.stored()?;
        // Where an import set one, it is where the earlier refiner stopped.
        let imported = journal.with(|journal| journal.start())?;
        let start = imported.map_or(self.terms.start, StartBlock::Number);
        let mut reporter = Reporter::new(status.clone(), self.terms.depth);
        let mut poller = Poller::new(PART, status.clone(), self.terms.retry);
        while !stop.is_cancelled() {
            let unfinished = journal.with(|journal| journal.unfinished())?;
            if unfinished >= self.terms.backlog {
                let what = format!("the backlog: {unfinished} items are unfinished");
                status.set_blocked_with(PART, what, BACKLOG);
                pause(&stop, self.terms.poll).await;
                continue;
            }
            let step = tokio::select! {
                step = step(self.source.as_mut(), start, &checkpoints) => step,
                () = stop.cancelled() => return Ok(()),
            };
            reporter.progress(self.source.progress());
            let next = match step {
                Ok(step) => {
                    if let Some(failures) = poller.answered() {
                        tracing::info!(failures, "scanning again");
                    }
                    let cursor = checkpoints.blocks().last().map_or(0, |block| block.number);
                    reporter.step(cursor, &step);
                    let is_idle = matches!(step, ScanStep::UpToDate { .. } | ScanStep::Behind { .. });
                    if let ScanStep::Advanced(scanned) = &step {
                        checkpoints.push(scanned.cursor);
                        self.source.remember(&checkpoints);
                    }
                    self.recorder.step(cursor, &mut checkpoints, step)?;
                    if is_idle { self.terms.poll } else { continue }
                }
                Err(error) => {
                    let failure = poller.failed(&error);
                    let lacks_start = checkpoints.blocks().is_empty() && matches!(error, ScanError::NoBlock { .. });
                    if let Some(start) = imported.filter(|_| lacks_start) {
                        let what = format!("block {start}, where the imported position is: {error}");
                        status.set_blocked_with(PART, what, IMPORTED);
                        if failure.is_news {
                            tracing::error!(
                                error = failure.error,
                                start,
                                hint = IMPORTED,
                                "imported position is not on the chain"
                            );
                        }
                    } else if failure.is_news {
                        report(&error, &failure);
                    }
                    failure.pause
                }
            };
            pause(&stop, next).await;
        }
        Ok(())
    }
}

fn report(error: &ScanError, PollFailure { error: text, pause, .. }: &PollFailure) {
    if matches!(error, ScanError::AnotherChain { .. }) {
        tracing::error!(error = text, ?pause, "node is of another chain than was scanned");
    } else {
        tracing::warn!(error = text, ?pause, "scan failed, retrying");
    }
}

/// One step; the very first finds out where to start.
async fn step(
    source: &mut dyn AnnouncementSource,
    start: StartBlock,
    checkpoints: &Checkpoints,
) -> Result<ScanStep, ScanError> {
    match checkpoints.blocks().last() {
        Some(cursor) => source.next(*cursor, checkpoints).await,
        // As a reorganisation to where the scan starts: nothing is above it.
        None => Ok(ScanStep::Reorganised { common_ancestor: source.start(start).await? }),
    }
}

/// Shows the nodes a block that was scanned and is too deep to be reorganised: one with another block is of another chain.
pub fn remember(chain: &ProofChain, checkpoints: &Checkpoints) {
    if let Some(block) = checkpoints.deep() {
        chain.remember(block);
    }
}

/// The blocks that an earlier run passed.
pub fn passed(journal: &JournalHandle) -> Result<Checkpoints, JournalError> {
    Ok(in_order(&journal.with(|journal| journal.checkpoints())?))
}

/// Checkpoints as the journal gives them, the newest first.
fn in_order(newest_first: &[Checkpoint]) -> Checkpoints {
    newest_first.iter().rev().map(|Checkpoint { number, hash }| BlockRef { number: *number, hash: *hash }).collect()
}
