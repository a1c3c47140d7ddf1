//! `refiner replay` and `refiner verify`: rules over specimens, offline.
//!
//! * **Inputs**: the arguments of a command.
//! * **Outputs**: what `refiner-replay` prints and writes, on this machine or with worker hosts; the exit code.
//! * **Invariants**: decides nothing that a caller of `refiner-replay`, such as the Python package, would have to decide again.
//!
//! ```
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! enum Program {
//!     Replay(refiner_replay_commands::Replay),
//! }
//!
//! let arguments = ["refiner", "replay", "--format", "canonical", "block.specimen"];
//! let Program::Replay(replay) = Program::try_parse_from(arguments)?;
//! assert_eq!(replay.parameters().collect::<Vec<_>>(), [("format".to_owned(), "canonical".to_owned())]);
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;

pub use self::arguments::{Replay, Verify};

use std::num::NonZeroUsize;

use refiner_diagnostics::{ExitCode, Failure};
use refiner_replay::{ChildProgram, Style, TableChoice, Verification};
use refiner_replay_hosts::ReplayHosts;

/// Runs rules over specimens.
///
/// # Errors
///
/// Those of settings and inputs, and of outputs that cannot be written.
pub fn replay(arguments: &Replay) -> Result<ExitCode, Failure> {
    let replay = refiner_replay::Replay {
        specimens: arguments.specimens.clone(),
        files_from: arguments.files_from.clone(),
        blocks: arguments.blocks.clone(),
        rules: arguments.rules.clone(),
        out: arguments.out.clone(),
        table: arguments.table.map(|format| TableChoice {
            format,
            wide: arguments.wide_numbers,
            blocks_per_file: arguments.blocks_per_file,
        }),
        report_page: arguments.report_page.clone(),
        dry_run: arguments.dry_run,
        params: arguments.parameters().collect(),
        chain_configs: arguments.chains.chain_configs.clone(),
        block_hashes: arguments.known.block_hashes.clone(),
        isolate: arguments.isolate,
        children: ChildProgram::this_program(),
        threads: arguments.threads.and_then(|threads| NonZeroUsize::new(threads.into())),
        style: match arguments.style() {
            arguments::Style::Table => Style::Table,
            arguments::Style::Json => Style::Json,
            arguments::Style::Summary => Style::Summary,
        },
        settings: arguments.settings.values()?,
    };
    let hosts = ReplayHosts::of(&arguments.hosts.values()?, &replay.settings, replay.out.as_deref())?;
    match hosts {
        Some(hosts) => refiner_replay::run_on(&replay, &hosts),
        None => refiner_replay::run(&replay),
    }
}

/// Computes a data set again.
///
/// # Errors
///
/// Those of settings, the manifest and the inputs.
pub fn verify(arguments: &Verify) -> Result<ExitCode, Failure> {
    refiner_replay::verify(Verification {
        manifest: arguments.manifest.clone(),
        specimens: arguments.specimens.clone(),
        files_from: arguments.files_from.clone(),
        rules: arguments.rules.clone(),
        chain_configs: arguments.chains.chain_configs.clone(),
        block_hashes: arguments.known.block_hashes.clone(),
        threads: arguments.threads.and_then(|threads| NonZeroUsize::new(threads.into())),
        settings: arguments.settings.values()?,
    })
}
