//! A whole replay: inputs, rules, threads, report.

use std::{num::NonZeroUsize, ops::ControlFlow, path::PathBuf, thread};

use refiner_config::Values;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::{ExecutionTerms, RecordingTerms};
use refiner_executor::{self as executor, Evm, chains};
use refiner_output::OutputDirectory;
use refiner_rule_package::{Allowance, Sources};
use refiner_rule_session::{self as rules, Session, Terms};
use refiner_specimen_files::{input, known_blocks::KnownBlocks};
use refiner_terminal::PrintError;

use crate::{job::Job, parallel, report::Report};

/// A replay that is asked for.
pub struct Replay {
    /// Files, directories, patterns, or `-` for standard input.
    pub specimens: Vec<String>,
    /// Rules as an argument names them.
    pub rules: Vec<String>,
    /// The directory for what they produce; without it results are hashed and dropped.
    pub out: Option<PathBuf>,
    /// Parameters for the rules, part of their identity.
    pub params: Vec<(String, String)>,
    /// Files with chains beyond the built-in ones.
    pub chain_configs: Vec<PathBuf>,
    /// A list of block hashes that are known.
    pub block_hashes: Option<PathBuf>,
    /// Runs rules that are not built in in workers.
    pub isolate: bool,
    /// Specimens worked on at once; as many as there are cores without it.
    pub threads: Option<NonZeroUsize>,
    /// The form in which runs are printed.
    pub style: Style,
    /// The settings of the command.
    pub settings: Values,
}

/// The form in which runs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A line for each artifact, for people.
    Table,
    /// A JSON object for each run, one a line.
    Json,
    /// Only the closing line.
    Summary,
}

/// Runs the whole replay. A specimen that fails never stops the others.
///
/// # Errors
///
/// Those of inputs, rules and settings, before the first run; and of standard output.
pub fn run(replay: &Replay) -> Result<ExitCode, Failure> {
    let inputs = input::expand(&replay.specimens)?;
    let available = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = replay.threads.unwrap_or_else(available);
    let settings = &replay.settings;
    let evm = Evm::of(settings);
    let differences = replay.out.as_ref().map(|out| out.join("differences"));
    let policy = executor::policy(settings);
    let session = |allowance| {
        let session = Session::begin(&replay.chain_configs, policy, allowance, threads)?;
        Ok(session.executing(evm.executes(differences.clone())?))
    };
    let execution = ExecutionTerms { executed_by: evm.executed_by(), policy };
    let terms =
        Terms { params: replay.params.iter().cloned().collect(), execution, allowance: Allowance::of(settings) };
    let rules = rules::load(&replay.rules, &Sources::of(settings), &terms, session, replay.isolate)?;
    let recordings = rules.iter().filter_map(|rule| rule.place.recording());
    let job = Job {
        recording: recordings.reduce(RecordingTerms::joined),
        rules,
        executor: evm.executor(chains::executor(&replay.chain_configs, policy)?, differences.clone())?,
        known: KnownBlocks::of(&inputs, replay.block_hashes.as_deref())?,
        output: replay.out.as_deref().map(OutputDirectory::create).transpose()?,
        hashes: replay.style == Style::Json,
    };
    let mut report = Report::begin(replay.style, policy, inputs.len()).map_err(PrintError::from)?;
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
