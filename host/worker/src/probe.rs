//! Rights that a worker takes from itself on this machine, asked of one that gets no rule.

use std::{io, time::Duration};

use refiner_evm::ExecutionTerms;
use refiner_rule_model::Limits;

use crate::{
    ChildCommand, Confinement, ProtocolError,
    pool::ceilings,
    process::Process,
    protocol::{Hello, Settings, send},
};

/// From start to greeting. Confining takes milliseconds, the engine some more.
const PROBE_WALL: Duration = Duration::from_secs(10);

/// Reasons for which there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The process could not be started.
    #[error("a worker could not be started")]
    Spawn(#[source] io::Error),
    /// It ended, hung or answered something else.
    #[error("a worker was started and did not greet")]
    Greeting(#[source] ProtocolError),
}

/// Starts a worker, hears what it took from itself, and ends it.
pub fn probe(command: &ChildCommand) -> Result<Confinement, ProbeError> {
    let mut process = Process::spawn(command).map_err(ProbeError::Spawn)?;
    process.allow(PROBE_WALL);
    greet(&mut process).map_err(ProbeError::Greeting)
}

fn greet(process: &mut Process) -> Result<Confinement, ProtocolError> {
    let ceilings = ceilings(&Limits::default(), 0);
    let settings =
        Settings { supervisor: std::process::id(), ceilings, chains: Vec::new(), terms: ExecutionTerms::default() };
    send(process, |out| settings.send(out))?;
    Ok(Hello::receive(process)?.confinement)
}
