//! From a specimen in the local store to artifacts there, by way of a worker.

mod hosts;
mod local;
mod queue;
mod runs;

#[cfg(test)]
mod tests;

pub use self::{
    hosts::ManyHosts,
    local::{LocalPool, RUNS_PER_WORKER_MAX, at_once},
    queue::{WorkQueue, Worked},
    runs::RuleRuns,
};

use std::sync::Arc;

use refiner_journal::{Artifact, Item, Step};

use crate::{
    engine::{
        policy::StageError,
        stage::{Stage, Steps},
    },
    pin::PinnedArtifacts,
    state::targets::Targets,
};

/// The name of the stage in logs, metrics and traces.
pub const REFINE: &str = "refine";

/// Hands specimens to a worker of their rule, here or on another host.
pub struct Execute {
    pub targets: Arc<Targets>,
    pub queue: Arc<dyn WorkQueue>,
    /// Where there is no pinner, artifacts are pinned when they are produced.
    pub pins_at_once: bool,
}

/// The outcome of a rule over a specimen.
#[derive(Debug)]
pub enum Executed {
    /// Artifacts, and the same as pinned where nothing is to be done for that.
    Produced(ProducedArtifacts, Option<PinnedArtifacts>),
    /// The rule came to another verdict.
    Refused {
        /// The verdict and its message.
        reason: String,
        /// Class of the reason, where it has one.
        class: Option<&'static str>,
    },
    /// The store lost the specimen, which is fetched again.
    Lost,
}

/// Artifacts of a rule in the local store; of a rule whose results are proved, one. Made in this file alone.
#[derive(Debug)]
pub struct ProducedArtifacts {
    artifacts: Vec<Artifact>,
    basis: Option<&'static str>,
}

impl ProducedArtifacts {
    fn of(artifacts: Vec<Artifact>, basis: Option<&'static str>, is_proved: bool) -> Result<Self, StageError> {
        if is_proved && artifacts.len() != 1 {
            return Err(StageError::NotOneArtifact { artifacts: artifacts.len() });
        }
        Ok(Self { artifacts, basis })
    }
}

impl Stage for Execute {
    type Outcome = Executed;

    async fn work(self: Arc<Self>, item: Item) -> Result<Executed, StageError> {
        let target = self.targets.of(&item)?;
        match self.queue.run(&item).await? {
            None => Ok(Executed::Lost),
            Some(Worked::Produced { artifacts, basis, basis_reason }) => {
                let produced = ProducedArtifacts::of(artifacts, basis, item.proves)?;
                if let Some(reason) = basis_reason {
                    tracing::info!(item = %item.id, height = item.height, rule = target.name, %reason, "result from recorded receipts");
                }
                let pinned = self.pins_at_once.then(|| PinnedArtifacts::in_local_store(&produced));
                Ok(Executed::Produced(produced, pinned))
            }
            Some(Worked::Refused { reason, class }) => {
                tracing::warn!(item = %item.id, height = item.height, rule = target.name, verdict = reason, class, "specimen refused by the rule");
                Ok(Executed::Refused { reason, class })
            }
        }
    }

    fn recorded(&self, item: &Item) {
        self.queue.settled(item);
    }
}

impl From<ProducedArtifacts> for Step {
    fn from(ProducedArtifacts { artifacts, basis }: ProducedArtifacts) -> Self {
        Self::Produced { artifacts, basis }
    }
}

impl From<Executed> for Steps {
    fn from(executed: Executed) -> Self {
        match executed {
            Executed::Produced(produced, pinned) => Self { step: produced.into(), next: pinned.map(Step::from) },
            Executed::Refused { reason, class } => Step::Refused { reason, class }.into(),
            Executed::Lost => Step::Again.into(),
        }
    }
}
