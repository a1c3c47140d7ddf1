//! The outcome of a step, in the journal.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use refiner_journal::{Announcement, Checkpoint, JournalError, State};
use refiner_proofchain::{BlockRef, Checkpoints, ScanStep, Scanned};
use tokio::time::Instant;

use super::passed;
use crate::{
    engine::clock::now_ms,
    observe::{metrics::Event, status::Status},
    state::{journal_handle::JournalHandle, targets::Targets},
};

/// The number of reorganisations past the position since the start. Clones share it; it changes only under the journal's lock.
#[derive(Clone, Debug, Default)]
pub struct Reorganisations(Arc<AtomicU64>);

impl Reorganisations {
    /// Their number so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Where the outcome of a scan is written down.
pub struct Recorder {
    pub journal: JournalHandle,
    pub status: Status,
    /// The rules that every announced specimen is for.
    pub targets: Arc<Targets>,
    pub reorganisations: Reorganisations,
}

impl Recorder {
    /// The blocks that an earlier run passed, shown in status and metrics.
    pub(super) fn stored(&self) -> Result<Checkpoints, JournalError> {
        let asked = Instant::now();
        let passed = passed(&self.journal)?;
        self.journal.metrics.happened(Event::JournalFetchLast, asked.elapsed());
        self.status.now().cursor = passed.blocks().last().map(|block| block.number);
        Ok(passed)
    }

    /// Writes down a step that was made from `cursor`; its new blocks are among the checkpoints.
    pub(super) fn step(&self, cursor: u64, checkpoints: &mut Checkpoints, step: ScanStep) -> Result<(), JournalError> {
        match step {
            ScanStep::UpToDate { head } | ScanStep::Behind { head, .. } => self.status.now().head = Some(head),
            ScanStep::Advanced(scanned) => self.advanced(cursor, checkpoints, &scanned)?,
            ScanStep::Reorganised { common_ancestor } => self.reorganised(checkpoints, common_ancestor)?,
        }
        Ok(())
    }

    fn reorganised(&self, checkpoints: &mut Checkpoints, common_ancestor: BlockRef) -> Result<(), JournalError> {
        let is_start = checkpoints.blocks().is_empty();
        checkpoints.rewind(common_ancestor);
        if is_start {
            checkpoints.push(common_ancestor);
        }
        let rewound = self.journal.with(|journal| {
            // Under the journal's lock, so that nothing that was read before is written after.
            self.reorganisations.add();
            journal.rewind(checkpoint(&common_ancestor), now_ms())
        })?;
        self.status.now().cursor = Some(common_ancestor.number);
        if is_start {
            tracing::info!(block = common_ancestor.number, "scan starts after this block");
        } else {
            tracing::warn!(
                ancestor = common_ancestor.number,
                withdrawn = rewound.withdrawn,
                kept = rewound.kept,
                "proof chain reorganised past the position"
            );
        }
        Ok(())
    }

    fn advanced(&self, cursor: u64, checkpoints: &Checkpoints, scanned: &Scanned) -> Result<(), JournalError> {
        let targets = self.targets.all();
        let announcements = scanned.announcements.iter().map(announcement);
        let (old, new): (Vec<_>, Vec<_>) = announcements.partition(|announcement| announcement.announced_in <= cursor);
        let blocks: Vec<_> = checkpoints.blocks().iter().map(checkpoint).collect();
        let (late, late_items, found) = self.journal.with(|journal| {
            // What was announced before the cursor is known, unless a node left it out.
            let late = journal.unknown(&old)?;
            let late_items = if late.is_empty() { 0 } else { journal.scanned_again(&late, &targets, now_ms())?.new };
            Ok((late, late_items, journal.scanned(&new, &targets, &blocks, now_ms())?))
        })?;
        if late_items > 0 {
            let blocks: Vec<_> = late.iter().map(|announcement| announcement.announced_in).collect();
            tracing::warn!(?blocks, items = late_items, "announcements found late, a node had left them out");
            self.status.now().scan.late += late.len() as u64;
        }
        let items = found.new + found.again + late_items;
        self.journal.metrics.announced(items);
        if items > 0 {
            let specimens = new.len() + late.len();
            tracing::info!(specimens, items, block = scanned.cursor.number, "specimens announced");
            self.journal.notify(State::Announced);
        }
        let mut now = self.status.now();
        (now.head, now.cursor) = (Some(scanned.head), Some(scanned.cursor.number));
        Ok(())
    }
}

/// An announcement as the journal knows it.
pub fn announcement(announcement: &refiner_proofchain::Announcement) -> Announcement {
    Announcement {
        chain: announcement.chain_id,
        height: announcement.height,
        block_hash: announcement.block_hash,
        specimen_hash: announcement.specimen_hash,
        announced_in: announcement.seen_in.number,
    }
}

const fn checkpoint(block: &BlockRef) -> Checkpoint {
    Checkpoint { number: block.number, hash: block.hash }
}
