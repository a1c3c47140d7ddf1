//! The `refiner` program: the composition root. It reads the command line, builds what the command needs, and turns
//! what happened into an exit code.

mod builtin;
mod chains;
mod cli;
mod exit;
mod failure;
mod input;
mod output;
mod replay;
mod rules;
mod specimen;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::Parser as _;
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Cli, Command},
    exit::Exit,
};

/// A block is a few thousand small allocations that die together; the system's allocator takes twice as long for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => failure::report(&error).into(),
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    log_to_stderr(&cli.log)?;
    match &cli.command {
        Command::Replay(arguments) => replay::run(arguments),
        Command::Specimen { command } => specimen::run(command),
    }
}

fn log_to_stderr(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(ansi).init();
    Ok(())
}

/// Whoever read our output has seen enough: `refiner … | head` is not a failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|io| io.kind() == io::ErrorKind::BrokenPipe)
}
