//! `refiner completions` and `refiner man`: what packagers install beside the program.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use clap_complete::Shell;
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};

use crate::{cli::Cli, terminal};

/// A directory in which no page can be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PagesError {
    path: PathBuf,
    source: io::Error,
}

impl Diagnostic for PagesError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "refiner", &mut text);
    terminal::raw_out().bytes(&text)?;
    Ok(ExitCode::Done)
}

/// Writes a page for each command into a directory.
pub fn man(directory: &Path) -> Result<ExitCode, Failure> {
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .map_err(|source| PagesError { path: directory.to_owned(), source })?;
    Ok(ExitCode::Done)
}
