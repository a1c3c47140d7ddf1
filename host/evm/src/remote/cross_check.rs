//! Two executors, and what becomes of a difference between them.

use std::{fmt, str::FromStr, sync::Arc};

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

use super::{Answer, Remote};
use crate::{Executor, error::ExecuteError, execution::Execution, format::ResultFormat, unavailable::Unavailable};

/// Executes each block here and by an evm-server, and compares the bytes.
pub struct CrossCheckExecutor {
    remote: Remote,
    on_difference: OnDifference,
    keep: Arc<dyn Fn(&Difference) + Send + Sync>,
}

/// Whose result is taken when the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDifference {
    /// The embedded executor's result.
    PreferEmbedded,
    /// The evm-server's, if it is believed.
    PreferRemote,
    /// No result, until a person has looked.
    Hold,
}

/// The two answers about one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Id of the chain.
    pub chain_id: u64,
    /// Height of the block.
    pub height: u64,
    /// The format asked for.
    pub format: ResultFormat,
    /// The embedded executor's bytes.
    pub embedded: Answer,
    /// The evm-server's bytes.
    pub remote: Answer,
}

impl CrossCheckExecutor {
    /// Both executors; `keep` gets each difference before anything else happens.
    pub fn new(remote: Remote, on_difference: OnDifference, keep: Arc<dyn Fn(&Difference) + Send + Sync>) -> Self {
        Self { remote, on_difference, keep }
    }
}

impl Executor for CrossCheckExecutor {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.remote.checks(specimen)
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        self.remote.senders(specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        let frame = match self.remote.frame(specimen, format)? {
            Ok(frame) => frame,
            Err(error) => return Ok(Err(error)),
        };
        let remote = self.remote.server.process(raw, format)?;
        let execution = self.remote.embedded.execute(specimen, format);
        let embedded = answer(&execution, specimen);
        if agree(&embedded, &remote) {
            return Ok(execution);
        }
        let (chain_id, height) = (specimen.block.network_id, specimen.block.header.number);
        (self.keep)(&Difference { chain_id, height, format, embedded, remote: remote.clone() });
        match self.on_difference {
            OnDifference::PreferEmbedded => Ok(execution),
            OnDifference::PreferRemote => Ok(self.remote.believed(remote, specimen, &frame)?),
            OnDifference::Hold => Err(Unavailable::Held { format }),
        }
    }

    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        self.remote.recorded_receipts(specimen)
    }
}

/// Two refusals agree: each has its own words for one reason.
fn agree(embedded: &Answer, remote: &Answer) -> bool {
    match (embedded, remote) {
        (Answer::Document(ours), Answer::Document(theirs)) => ours == theirs,
        (Answer::Refusal(_), Answer::Refusal(_)) => true,
        _ => false,
    }
}

fn answer(execution: &Result<Execution, ExecuteError>, specimen: &Specimen) -> Answer {
    match execution.as_ref().map(|execution| execution.block_result(specimen)) {
        Ok(Ok(document)) => Answer::Document(document),
        Ok(Err(error)) => Answer::Refusal(error.to_string()),
        Err(error) => Answer::Refusal(error.to_string()),
    }
}

impl OnDifference {
    /// Every policy, in order.
    pub const ALL: [Self; 3] = [Self::PreferEmbedded, Self::PreferRemote, Self::Hold];

    /// The name a user types, `"prefer-embedded"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreferEmbedded => "prefer-embedded",
            Self::PreferRemote => "prefer-remote",
            Self::Hold => "hold",
        }
    }
}

impl fmt::Display for OnDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("known are prefer-embedded, prefer-remote and hold")]
pub struct UnknownPolicy;

impl FromStr for OnDifference {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(UnknownPolicy)
    }
}
