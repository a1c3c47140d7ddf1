//! Where rules run over specimens: in this machine's workers, or on many hosts.

use futures_util::future::BoxFuture;
use refiner_journal::{Artifact, Item};
use refiner_rule_model::UntrustedText;
use refiner_worker::WorkerStatus;

use crate::engine::policy::StageError;

/// The end of a rule over a specimen, in a worker somewhere. Artifacts are in the local store.
pub enum Worked {
    /// It produced artifacts.
    Produced {
        /// In the rule's order.
        artifacts: Vec<Artifact>,
        /// Their basis, for a rule that asks for an execution.
        basis: Option<&'static str>,
        /// The reason that receipts stood in for an execution.
        basis_reason: Option<UntrustedText>,
    },
    /// It came to another verdict.
    Refused {
        /// The verdict and its message.
        reason: String,
        /// Class of the reason, where it has one.
        class: Option<&'static str>,
    },
}

/// A place where rules run.
pub trait WorkQueue: Send + Sync {
    /// Has the item's rule run over its specimen. `None` where the store lost the specimen, which is then fetched again.
    fn run<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Option<Worked>, StageError>>;

    /// The outcome of the item is in the journal.
    fn settled(&self, item: &Item);

    /// The workers of this machine.
    fn workers(&self) -> Vec<WorkerStatus>;
}
