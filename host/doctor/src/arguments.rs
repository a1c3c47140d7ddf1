//! The command line of `refiner doctor`.

use std::path::PathBuf;

use clap::Args;
use refiner_arguments::Run;
use refiner_diagnostics::ExitCode;

/// `refiner doctor`.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::TABLE)]
pub struct Doctor {
    #[command(flatten)]
    pub(crate) run: Run,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also writes an archive for a bug report (tar): the checks, settings with their origin, counts and failures of the journal,
    /// status and metrics of a running daemon, and facts of kernel and control group; keys, passwords and what follows the host in
    /// an address are left out. Look through it before you publish it.
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    /// A file with the daemon's log, whose last lines go into the archive.
    #[arg(long, value_name = "FILE", requires = "bundle")]
    pub(crate) log_file: Option<PathBuf>,
}
