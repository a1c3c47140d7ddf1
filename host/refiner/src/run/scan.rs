//! From the proof chain to announced items: confirmed blocks only, none twice, none left out.

use std::{sync::Arc, time::Instant};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Announcement, Checkpoint, JournalError, State, Target};
use refiner_proofchain::{BlockRef, Checkpoints, ProofChain, ScanStep, Scanned, Scanner};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    clock::now_ms, config::Settings, context::PipelineContext, journal_handle::JournalHandle, metrics::Event,
    policy::pause_ms,
};

/// The part's name in the status.
const PART: &str = "scan";

/// Scans until `stop`. Waits while more is unfinished than the backlog allows.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn scan(
    context: Arc<PipelineContext>,
    settings: Arc<Settings>,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let targets: Vec<Target> = context.rules().map(super::rules::Rule::target).collect();
    let mut scanner = Scanner::new(context.chain.clone(), settings.scan.clone());
    let mut checkpoints: Checkpoints = stored(&context)?.into_iter().collect();
    let mut failures = 0;
    while !stop.is_cancelled() {
        let unfinished = context.journal.with(|journal| journal.unfinished())?;
        if unfinished >= settings.backlog {
            context.status.set_blocked(PART, format!("the backlog: {unfinished} items are unfinished"));
            wait(&stop, settings.poll).await;
            continue;
        }
        let step = tokio::select! {
            step = step(&mut scanner, &settings, &checkpoints) => step,
            () = stop.cancelled() => return Ok(()),
        };
        let pause = match step {
            Ok(step) => {
                failures = 0;
                tell_of_head(&context, &settings, &checkpoints, &step);
                let idle = matches!(step, ScanStep::UpToDate { .. });
                write_down(&context, &targets, &mut checkpoints, step)?;
                if idle { settings.poll } else { continue }
            }
            Err(error) => {
                let pause = std::time::Duration::from_millis(pause_ms(settings.retry, failures));
                failures += 1;
                let told = ErrorChain(&error).to_string();
                if error.is_transient() {
                    tracing::warn!(error = told, ?pause, "The proof chain could not be scanned; the position is kept.");
                } else {
                    tracing::error!(
                        error = told,
                        ?pause,
                        "The node is not of the chain that was scanned; the position is kept."
                    );
                }
                context.status.set_blocked(PART, told);
                pause
            }
        };
        wait(&stop, pause).await;
    }
    Ok(())
}

/// A node that has not the blocks it speaks of is no error: behind a balancer that happens for a moment. One that lies stays so.
fn tell_of_head(context: &PipelineContext, settings: &Settings, checkpoints: &Checkpoints, step: &ScanStep) {
    let cursor = checkpoints.blocks().last().map_or(0, |block| block.number);
    let what = match step {
        ScanStep::UpToDate { head } if head.saturating_sub(settings.scan.depth) > cursor => {
            format!(
                "a node that has the blocks after {cursor}: it says that its newest block is {head}, and does not give them"
            )
        }
        ScanStep::UpToDate { head } if *head < cursor => {
            format!("a node that has block {cursor}, which was scanned: it says that its newest block is {head}")
        }
        _ => return context.status.clear_blocked(PART),
    };
    if !context.status.now().waits_for.contains_key(PART) {
        tracing::warn!(cursor, what, "The node lags behind, or lies about its head; compare it with another.");
    }
    context.status.set_blocked(PART, what);
}

/// One step; the very first finds out where to start.
async fn step(
    scanner: &mut Scanner,
    settings: &Settings,
    checkpoints: &Checkpoints,
) -> Result<ScanStep, refiner_proofchain::ScanError> {
    match checkpoints.blocks().last() {
        Some(cursor) => scanner.next(*cursor, checkpoints).await,
        // As a reorganisation to where the scan starts: nothing is above it.
        None => Ok(ScanStep::Reorganised { common_ancestor: scanner.start(settings.start).await? }),
    }
}

fn write_down(
    context: &PipelineContext,
    targets: &[Target],
    checkpoints: &mut Checkpoints,
    step: ScanStep,
) -> Result<(), JournalError> {
    match step {
        ScanStep::UpToDate { head } => context.status.now().head = Some(head),
        ScanStep::Advanced(scanned) => {
            checkpoints.push(scanned.cursor);
            remember(&context.chain, checkpoints);
            let announcements: Vec<_> = scanned.announcements.iter().map(announcement).collect();
            let blocks: Vec<_> = checkpoints.blocks().iter().map(checkpoint).collect();
            let found = context.journal.with(|journal| journal.scanned(&announcements, targets, &blocks, now_ms()))?;
            tell(&scanned);
            context.journal.metrics.announced(found.new + found.again);
            if found.new + found.again > 0 {
                tracing::info!(
                    specimens = announcements.len(),
                    items = found.new + found.again,
                    block = scanned.cursor.number,
                    "Specimens were announced."
                );
                context.journal.notify(State::Announced);
            }
            let mut now = context.status.now();
            (now.head, now.cursor) = (Some(scanned.head), Some(scanned.cursor.number));
        }
        ScanStep::Reorganised { common_ancestor } => {
            let is_start = checkpoints.blocks().is_empty();
            checkpoints.rewind(common_ancestor);
            if is_start {
                checkpoints.push(common_ancestor);
            }
            let rewound = context.journal.with(|journal| journal.rewind(checkpoint(&common_ancestor), now_ms()))?;
            context.status.now().cursor = Some(common_ancestor.number);
            if is_start {
                tracing::info!(block = common_ancestor.number, "Scanning starts after this block.");
            } else {
                tracing::warn!(
                    ancestor = common_ancestor.number,
                    withdrawn = rewound.withdrawn,
                    kept = rewound.kept,
                    "The proof chain was reorganised past the position."
                );
            }
        }
    }
    Ok(())
}

fn tell(scanned: &Scanned) {
    let skipped = &scanned.skipped;
    if let Some(first) = &skipped.first_malformed {
        tracing::warn!(first_block = scanned.first, malformed = skipped.malformed, %first, "Logs are not what they claim to be.");
    }
    if skipped.other_chain + skipped.legacy + skipped.removed > 0 {
        let refiner_proofchain::Skipped { other_chain, legacy, removed, .. } = *skipped;
        tracing::debug!(other_chain, legacy, removed, "Logs were passed over.");
    }
}

fn announcement(announcement: &refiner_proofchain::Announcement) -> Announcement {
    Announcement {
        chain: announcement.chain_id,
        height: announcement.height,
        block_hash: announcement.block_hash,
        specimen_hash: announcement.specimen_hash,
        announced_in: announcement.seen_in.number,
    }
}

fn checkpoint(block: &BlockRef) -> Checkpoint {
    Checkpoint { number: block.number, hash: block.hash }
}

/// Shows the nodes a block that was scanned and is too deep to be reorganised: who has another one is of another chain.
pub fn remember(chain: &ProofChain, checkpoints: &Checkpoints) {
    if let Some(block) = checkpoints.deep() {
        chain.remember(block);
    }
}

/// The blocks that an earlier run passed.
pub fn passed(journal: &JournalHandle) -> Result<Checkpoints, JournalError> {
    let newest_first = journal.with(|journal| journal.checkpoints())?;
    Ok(newest_first.iter().rev().map(|Checkpoint { number, hash }| BlockRef { number: *number, hash: *hash }).collect())
}

/// What an earlier run passed, in ascending order.
fn stored(context: &PipelineContext) -> Result<Vec<BlockRef>, JournalError> {
    let asked = Instant::now();
    let newest_first = context.journal.with(|journal| journal.checkpoints())?;
    context.journal.metrics.happened(Event::JournalFetchLast, asked.elapsed());
    context.status.now().cursor = newest_first.first().map(|checkpoint| checkpoint.number);
    Ok(newest_first
        .iter()
        .rev()
        .map(|checkpoint| BlockRef { number: checkpoint.number, hash: checkpoint.hash })
        .collect())
}

async fn wait(stop: &CancellationToken, pause: std::time::Duration) {
    tokio::select! {
        () = sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
