//! `refiner replay` and `refiner verify`, by their arguments.

use std::num::NonZeroUsize;

use refiner_diagnostics::{ExitCode, Failure};
use refiner_replay::{ChildProgram, Replay, Style, TableChoice, Verification};

use crate::cli;

/// Runs the whole command.
pub fn run(arguments: &cli::Replay) -> Result<ExitCode, Failure> {
    refiner_replay::run(&Replay {
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
            cli::Style::Table => Style::Table,
            cli::Style::Json => Style::Json,
            cli::Style::Summary => Style::Summary,
        },
        settings: arguments.settings.values()?,
    })
}

/// Computes a data set again.
pub fn verify(arguments: &cli::Verify) -> Result<ExitCode, Failure> {
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
