//! Execution by an evm-server, alone or beside the embedded executor.

mod choice;
mod cross_check;

pub use self::{
    choice::{ExecutedBy, ExecutionTerms},
    cross_check::{CrossCheckExecutor, Difference, OnDifference, UnknownPolicy},
};
pub use crate::compat::UnverifiedAnswer;

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

use crate::{
    Executor,
    compat::{self, Frame},
    embedded::EmbeddedExecutor,
    error::{ExecuteError, Unsupported},
    execution::Execution,
    format::ResultFormat,
    unavailable::Unavailable,
};

/// The way to an evm-server: over HTTP, or by way of a process that has the network.
pub trait RemoteServer: Send + Sync {
    /// Has the server process the block of the specimen whose bytes these are.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing came that could be an answer.
    fn process(&self, raw: &Bytes, format: ResultFormat) -> Result<Answer, Unavailable>;
}

/// The results of an executor for a block, each time it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The bytes of a block result, not yet believed.
    Document(Bytes),
    /// Its words for why there is none.
    Refusal(String),
}

/// Executes blocks by asking an evm-server, and believes nothing of the answer that can be checked.
pub struct Remote {
    server: Arc<dyn RemoteServer>,
    /// Knows the chains, and the faults of each era.
    embedded: Arc<EmbeddedExecutor>,
}

impl Remote {
    /// An executor that asks `server`.
    pub const fn new(server: Arc<dyn RemoteServer>, embedded: Arc<EmbeddedExecutor>) -> Self {
        Self { server, embedded }
    }

    /// The frame that an answer must be written around. The inner error is a property of the specimen: the era has no document of it.
    fn frame<'a>(
        &self,
        specimen: &'a Specimen,
        format: ResultFormat,
    ) -> Result<Result<Frame<'a>, ExecuteError>, Unavailable> {
        match format {
            ResultFormat::EvmServer(era) => Ok(self.embedded.checked_frame(specimen, era)),
            ResultFormat::Canonical => Err(Unavailable::Format { format }),
        }
    }

    /// The execution that the answer tells of.
    fn believed(
        &self,
        answer: Answer,
        specimen: &Specimen,
        frame: &Frame<'_>,
    ) -> Result<Result<Execution, ExecuteError>, UnverifiedAnswer> {
        match answer {
            Answer::Document(document) => compat::verify(&document, specimen, frame, &self.embedded).map(Ok),
            Answer::Refusal(message) => Ok(Err(Unsupported::Refused { message }.into())),
        }
    }
}

impl Executor for Remote {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.embedded.checks(specimen)
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        self.embedded.senders(specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        match self.frame(specimen, format)? {
            Ok(frame) => Ok(self.believed(self.server.process(raw, format)?, specimen, &frame)?),
            Err(error) => Ok(Err(error)),
        }
    }

    /// The server has no part in it.
    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        Executor::recorded_receipts(&*self.embedded, specimen)
    }
}
