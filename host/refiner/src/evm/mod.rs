//! `refiner evm`: the executor on its own.

mod serve;

pub use self::serve::{Serve, ServeError};

use clap::Subcommand;

use crate::exit::{self, Exit};

/// `refiner evm`.
#[derive(Debug, Subcommand)]
pub enum Evm {
    /// Stands in for the network's evm-server: block replicas in, block results out, over HTTP.
    #[command(after_help = exit::TABLE)]
    Serve(Serve),
}

/// Runs the whole command.
pub fn run(command: &Evm) -> anyhow::Result<Exit> {
    match command {
        Evm::Serve(arguments) => serve::run(arguments),
    }
}
