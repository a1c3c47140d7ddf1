//! `refiner queue`.

use refiner_diagnostics::{ExitCode, Failure};

use crate::terminal;

/// Runs the whole command.
pub fn run(command: &refiner_queue::Command) -> Result<ExitCode, Failure> {
    write!(terminal::out(false), "{}", refiner_queue::command(command)?)?;
    Ok(ExitCode::Done)
}
