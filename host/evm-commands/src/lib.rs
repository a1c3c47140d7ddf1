//! `refiner evm`: the executor on its own.
//!
//! * **Inputs**: the arguments of a command; block replicas over HTTP.
//! * **Outputs**: block results; the address on standard output; the exit code.
//! * **Invariants**: listens where the settings name, and warns of an address that other machines reach.
//!
//! ```
//! use clap::Parser;
//! use refiner_evm_commands::Evm;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: Evm,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "serve"])?;
//! assert!(matches!(program.command, Evm::Serve(_)));
//! # Ok::<_, clap::Error>(())
//! ```

mod serve;

pub use self::serve::Serve;

use clap::Subcommand;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_executor::chains;
use refiner_signals as signals;

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
