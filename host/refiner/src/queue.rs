//! `refiner queue`.

use refiner_diagnostics::{ExitCode, Failure};

use crate::{cli::QueueCommand, terminal};

/// Runs the whole command.
pub fn run(QueueCommand::Status { settings, json }: &QueueCommand) -> Result<ExitCode, Failure> {
    write!(terminal::out(false), "{}", refiner_queue::report(&settings.values()?, *json)?)?;
    Ok(ExitCode::Done)
}
