//! `refiner replay`: rules over specimens, offline, on every core.

mod job;
mod parallel;
mod report;

use std::{num::NonZeroUsize, ops::ControlFlow, thread};

use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::ExecutionTerms;

use self::{job::Job, report::Report};
use crate::{
    chains, cli,
    executor::{self, Evm},
    input,
    known_blocks::KnownBlocks,
    output::OutputDirectory,
    rule::Session,
    rules::{self, Allowance, Sources, Terms},
    terminal::PrintError,
};

/// Runs the whole command. A specimen that fails never stops the others.
pub fn run(arguments: &cli::Replay) -> Result<ExitCode, Failure> {
    let inputs = input::expand(&arguments.specimens)?;
    let threads = threads(arguments);
    let settings = arguments.settings.values()?;
    let evm = Evm::of(&settings);
    let differences = arguments.out.as_ref().map(|out| out.join("differences"));
    let policy = executor::policy(&settings);
    let session = |allowance| {
        let session = Session::begin(&arguments.chains, policy, allowance, threads)?;
        Ok(session.executing(evm.executes(differences.clone())?))
    };
    let execution = ExecutionTerms { executed_by: evm.executed_by(), policy };
    let terms = Terms { params: arguments.parameters().collect(), execution, allowance: Allowance::of(&settings) };
    let job = Job {
        rules: rules::load(&arguments.rules, &Sources::of(&settings), &terms, session, arguments.isolate)?,
        executor: evm.executor(chains::executor(&arguments.chains, policy)?, differences.clone())?,
        known: KnownBlocks::of(&inputs, arguments.known.block_hashes.as_deref())?,
        output: arguments.out.as_deref().map(OutputDirectory::create).transpose()?,
        hashes: arguments.style() == cli::Style::Json,
    };
    let mut report = Report::begin(arguments.style(), policy, inputs.len()).map_err(PrintError::from)?;
    let end = parallel::in_order(
        &inputs,
        threads,
        |input| job.replay(input),
        |replayed| match report.record(&replayed) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        },
    )?;
    if let ControlFlow::Break(error) = end {
        return Err(PrintError::from(error).into());
    }
    Ok(report.finish().map_err(PrintError::from)?.exit())
}

fn threads(arguments: &cli::Replay) -> NonZeroUsize {
    let asked = arguments.threads.and_then(|threads| NonZeroUsize::new(threads.into()));
    asked.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}
