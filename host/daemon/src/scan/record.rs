//! The outcome of a step, in the journal.

use std::sync::atomic::Ordering;

use refiner_journal::{Announcement, Checkpoint, JournalError, State, Target};
use refiner_proofchain::{BlockRef, Checkpoints, ScanStep, Scanned};

use crate::{context::PipelineContext, engine::clock::now_ms};

/// Writes a step down.
pub fn step(
    context: &PipelineContext,
    targets: &[Target],
    checkpoints: &mut Checkpoints,
    step: ScanStep,
) -> Result<(), JournalError> {
    match step {
        ScanStep::UpToDate { head } | ScanStep::Behind { head, .. } => context.status.now().head = Some(head),
        ScanStep::Advanced(scanned) => advanced(context, targets, checkpoints, &scanned)?,
        ScanStep::Reorganised { common_ancestor } => {
            let is_start = checkpoints.blocks().is_empty();
            checkpoints.rewind(common_ancestor);
            if is_start {
                checkpoints.push(common_ancestor);
            }
            let rewound = context.journal.with(|journal| {
                // Under the journal's lock, so that nothing that was read before is written after.
                context.reorganisations.fetch_add(1, Ordering::SeqCst);
                journal.rewind(checkpoint(&common_ancestor), now_ms())
            })?;
            context.status.now().cursor = Some(common_ancestor.number);
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
        }
    }
    Ok(())
}

fn advanced(
    context: &PipelineContext,
    targets: &[Target],
    checkpoints: &mut Checkpoints,
    scanned: &Scanned,
) -> Result<(), JournalError> {
    let cursor = checkpoints.blocks().last().map_or(0, |block| block.number);
    checkpoints.push(scanned.cursor);
    super::remember(&context.chain, checkpoints);
    let announcements = scanned.announcements.iter().map(announcement);
    let (old, new): (Vec<_>, Vec<_>) = announcements.partition(|announcement| announcement.announced_in <= cursor);
    let blocks: Vec<_> = checkpoints.blocks().iter().map(checkpoint).collect();
    let (late, late_items, found) = context.journal.with(|journal| {
        // What was announced before the cursor is known, unless a node left it out.
        let late = journal.unknown(&old)?;
        let late_items = if late.is_empty() { 0 } else { journal.scanned_again(&late, targets, now_ms())?.new };
        Ok((late, late_items, journal.scanned(&new, targets, &blocks, now_ms())?))
    })?;
    if late_items > 0 {
        let blocks: Vec<_> = late.iter().map(|announcement| announcement.announced_in).collect();
        tracing::warn!(?blocks, items = late_items, "announcements found late, a node had left them out");
        context.status.now().scan.late += late.len() as u64;
    }
    let items = found.new + found.again + late_items;
    context.journal.metrics.announced(items);
    if items > 0 {
        let specimens = new.len() + late.len();
        tracing::info!(specimens, items, block = scanned.cursor.number, "specimens announced");
        context.journal.notify(State::Announced);
    }
    let mut now = context.status.now();
    (now.head, now.cursor) = (Some(scanned.head), Some(scanned.cursor.number));
    Ok(())
}

/// The number of reorganisations past the position since the start. Changes only under the journal's lock.
pub fn reorganisations(context: &PipelineContext) -> u64 {
    context.reorganisations.load(Ordering::SeqCst)
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
