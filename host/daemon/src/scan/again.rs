//! Blocks that are scanned again because a person asks for it.

use std::{ops::RangeInclusive, time::Duration};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_journal::{Announcement, Checkpoint, JournalError, Scanned, Target};
use refiner_proofchain::{ProofChain, ScanConfig, ScanError, Scanner};
use tokio::time::sleep;

use super::record::announcement;
use crate::{
    control::ScannedAgain,
    engine::{backoff::Backoff, clock::now_ms},
};

/// Attempts at one range in a row, each with retries of its own.
const ATTEMPTS: u32 = 4;

/// Blocks to scan again, and what they are scanned for.
pub struct Again<'a> {
    pub chain: &'a ProofChain,
    pub config: &'a ScanConfig,
    pub targets: &'a [Target],
    /// First pause after an error.
    pub retry: Duration,
}

/// Errors of scanning again. What was found before is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum ScanAgainError {
    /// Nothing was scanned yet.
    #[error("the journal has no position, so nothing was scanned that could be scanned again")]
    NoPosition,
    /// Blocks that were not scanned yet.
    #[error("block {last} is after block {}, the last that was scanned", cursor.number)]
    NotScanned { last: u64, cursor: Checkpoint },
    /// No block.
    #[error("no block lies from {first} to {last}")]
    Empty { first: u64, last: u64 },
    /// The chain.
    #[error("blocks from {first} on could not be scanned")]
    Scan { first: u64, source: ScanError },
    /// The chain took blocks back meanwhile.
    #[error("the proof chain was reorganised meanwhile")]
    Reorganised,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Diagnostic for ScanAgainError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoPosition | Self::NotScanned { .. } | Self::Empty { .. } => ExitCode::Usage,
            Self::Scan { .. } | Self::Reorganised => ExitCode::Host,
            Self::Journal(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoPosition | Self::NotScanned { .. } => Some("`refiner run` scans new blocks by itself".into()),
            Self::Empty { .. } => None,
            Self::Reorganised => Some("scan once more; what was found before is in the journal".into()),
            Self::Scan { first, .. } => Some(format!("try another --rpc, with --from {first}").into()),
            Self::Journal(error) => error.hint(),
        }
    }
}

/// The blocks from `first` to `last`, or to the cursor, which must have been scanned.
pub fn blocks(
    first: u64,
    last: Option<u64>,
    cursor: Option<Checkpoint>,
) -> Result<RangeInclusive<u64>, ScanAgainError> {
    let cursor = cursor.ok_or(ScanAgainError::NoPosition)?;
    let last = last.unwrap_or(cursor.number);
    if last > cursor.number {
        return Err(ScanAgainError::NotScanned { last, cursor });
    }
    if first > last {
        return Err(ScanAgainError::Empty { first, last });
    }
    Ok(first..=last)
}

impl Again<'_> {
    /// Scans the blocks; `record` writes what each part of them holds into the journal. Known items stay as they are, so the same
    /// blocks can be scanned any number of times.
    ///
    /// # Errors
    ///
    /// [`ScanAgainError`].
    pub async fn scan(
        &self,
        blocks: RangeInclusive<u64>,
        mut record: impl FnMut(&[Announcement], &[Target], u64) -> Result<Scanned, ScanAgainError>,
    ) -> Result<ScannedAgain, ScanAgainError> {
        let mut scanner = Scanner::new(self.chain.clone(), self.config.clone());
        let (from, to) = (*blocks.start(), *blocks.end());
        let mut outcome = ScannedAgain { from, to, ..ScannedAgain::default() };
        let (mut first, mut backoff) = (from, Backoff::new(self.retry));
        while first <= to {
            let part = match scanner.read_again(first, to).await {
                Ok(part) => part,
                Err(error) if error.is_transient() && backoff.failures() + 1 < ATTEMPTS => {
                    sleep(backoff.failed()).await;
                    continue;
                }
                Err(source) => return Err(ScanAgainError::Scan { first, source }),
            };
            backoff.reset();
            let announcements: Vec<_> = part.announcements.iter().map(announcement).collect();
            let Scanned { new, again, known } = record(&announcements, self.targets, now_ms())?;
            outcome.announcements += announcements.len() as u64;
            outcome.new += new;
            outcome.again += again;
            outcome.known += known;
            tracing::info!(first, last = part.cursor.number, new, again, known, "blocks scanned again");
            first = part.cursor.number + 1;
        }
        Ok(outcome)
    }
}
