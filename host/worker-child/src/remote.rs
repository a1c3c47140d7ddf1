//! The worker's way to an evm-server: it asks its supervisor, in the middle of a run.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_evm::{
    Answer, CrossCheckExecutor, Difference, EmbeddedExecutor, ExecutedBy, Executor, Remote, RemoteServer, ResultFormat,
    Unavailable,
};
use refiner_rule_model::UntrustedText;
use refiner_worker::protocol::{Asked, Executed, ProtocolError, write_difference};

use crate::standard::{Input, Output};

/// The executor of a worker that was given execution terms.
pub(crate) fn executor(executed_by: ExecutedBy, embedded: EmbeddedExecutor) -> Arc<dyn Executor> {
    let embedded = Arc::new(embedded);
    match executed_by {
        ExecutedBy::Embedded => embedded,
        ExecutedBy::Remote => Arc::new(Remote::new(Arc::new(Supervisor), embedded)),
        ExecutedBy::Both(policy) => {
            Arc::new(CrossCheckExecutor::new(Remote::new(Arc::new(Supervisor), embedded), policy, Arc::new(tell)))
        }
    }
}

/// The connection to the evm-server's client. Nothing else is on the pipe while a rule runs.
struct Supervisor;

/// The supervisor's reason for having no answer of the server.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ServiceMessage(UntrustedText);

impl RemoteServer for Supervisor {
    /// The supervisor has the bytes: it sent them.
    fn process(&self, _raw: &Bytes, format: ResultFormat) -> Result<Answer, Unavailable> {
        match ask(format) {
            Ok(Executed::Answer(answer)) => Ok(answer),
            Ok(Executed::Unavailable(reason)) => Err(Unavailable::Server(Box::new(ServiceMessage(reason)))),
            Err(error) => Err(Unavailable::Server(Box::new(error))),
        }
    }
}

fn ask(format: ResultFormat) -> Result<Executed, ProtocolError> {
    Asked { format }.send(&mut Output)?;
    Executed::receive(&mut Input)
}

fn tell(difference: &Difference) {
    // A supervisor that cannot be reached is gone, and this process with it at the next frame.
    let _ = write_difference(&mut Output, &difference.embedded);
}
