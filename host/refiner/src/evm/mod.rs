//! `refiner evm`: the executor on its own.

mod serve;

pub use self::serve::Serve;

use clap::Subcommand;
use refiner_diagnostics::{ExitCode, Failure};

/// `refiner evm`.
#[derive(Debug, Subcommand)]
pub enum Evm {
    /// Stands in for the network's evm-server: block replicas in, block results out, over HTTP.
    #[command(after_help = ExitCode::TABLE)]
    Serve(Serve),
}

/// Runs the whole command.
pub fn run(command: &Evm) -> Result<ExitCode, Failure> {
    match command {
        Evm::Serve(arguments) => serve::run(arguments),
    }
}
