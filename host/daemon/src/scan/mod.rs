//! From the proof chain to announced items: confirmed blocks only, none twice, none left out.

pub mod again;
mod command;
mod rebuild;
pub mod record;
mod report;

pub use self::{
    command::command,
    rebuild::{Rebuilt, rebuild},
};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Checkpoint, JournalError, Target};
use refiner_proofchain::{BlockRef, Checkpoints, ProofChain, ScanError, ScanStep, Scanner, StartBlock};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::report::Reporter;
use crate::{
    config::Settings,
    context::PipelineContext,
    engine::{outage::Outage, policy::pause_ms},
    observe::metrics::Event,
    state::journal_handle::JournalHandle,
};

/// The part's name in the status.
const PART: &str = "scan";
/// The remedy for a backlog that is full.
const BACKLOG: &str = "it shrinks as items are proved: look at what they wait for, or raise --backlog";

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
    let mut checkpoints = stored(&context)?;
    // Where an import set one, it is where the earlier refiner stopped.
    let start = context.journal.with(|journal| journal.start())?.map_or(settings.start, StartBlock::Number);
    let mut reporter = Reporter::new(context.status.clone(), settings.scan.depth);
    let (mut failures, mut outage) = (0, Outage::default());
    while !stop.is_cancelled() {
        let unfinished = context.journal.with(|journal| journal.unfinished())?;
        if unfinished >= settings.backlog {
            let what = format!("the backlog: {unfinished} items are unfinished");
            context.status.set_blocked_with(PART, what, BACKLOG);
            wait(&stop, settings.poll).await;
            continue;
        }
        let step = tokio::select! {
            step = step(&mut scanner, start, &checkpoints) => step,
            () = stop.cancelled() => return Ok(()),
        };
        reporter.progress(scanner.progress());
        let pause = match step {
            Ok(step) => {
                failures = 0;
                if let Some(failures) = outage.over() {
                    tracing::info!(failures, "scanning again");
                }
                let cursor = checkpoints.blocks().last().map_or(0, |block| block.number);
                reporter.step(cursor, &step);
                let is_idle = matches!(step, ScanStep::UpToDate { .. } | ScanStep::Behind { .. });
                record::step(&context, &targets, &mut checkpoints, step)?;
                if is_idle { settings.poll } else { continue }
            }
            Err(error) => {
                let pause = Duration::from_millis(pause_ms(settings.retry, failures));
                failures += 1;
                if outage.failed() {
                    report(&error, pause);
                }
                context.status.set_blocked(PART, ErrorChain(&error).to_string());
                pause
            }
        };
        wait(&stop, pause).await;
    }
    Ok(())
}

fn report(error: &ScanError, pause: Duration) {
    let is_foreign = matches!(error, ScanError::AnotherChain { .. });
    let error = ErrorChain(error).to_string();
    if is_foreign {
        tracing::error!(error, ?pause, "node is of another chain than was scanned");
    } else {
        tracing::warn!(error, ?pause, "scan failed, retrying");
    }
}

/// One step; the very first finds out where to start.
async fn step(scanner: &mut Scanner, start: StartBlock, checkpoints: &Checkpoints) -> Result<ScanStep, ScanError> {
    match checkpoints.blocks().last() {
        Some(cursor) => scanner.next(*cursor, checkpoints).await,
        // As a reorganisation to where the scan starts: nothing is above it.
        None => Ok(ScanStep::Reorganised { common_ancestor: scanner.start(start).await? }),
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

/// The same, shown in status and metrics.
fn stored(context: &PipelineContext) -> Result<Checkpoints, JournalError> {
    let asked = Instant::now();
    let passed = passed(&context.journal)?;
    context.journal.metrics.happened(Event::JournalFetchLast, asked.elapsed());
    context.status.now().cursor = passed.blocks().last().map(|block| block.number);
    Ok(passed)
}

async fn wait(stop: &CancellationToken, pause: Duration) {
    tokio::select! {
        () = sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
