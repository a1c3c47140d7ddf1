//! The form of a stage: its needs are its fields, and its outcome is a type that it alone makes.

use std::sync::Arc;

use refiner_journal::{Item, Step};

use super::policy::StageError;

/// A stage of an item's life, run by a [`StageRunner`](super::stage_runner::StageRunner).
pub trait Stage: Send + Sync + 'static {
    /// Outcome of the work, which the journal takes as steps.
    type Outcome: Into<Steps> + Send + 'static;

    /// Works on one item.
    fn work(self: Arc<Self>, item: Item) -> impl Future<Output = Result<Self::Outcome, StageError>> + Send + 'static;

    /// The outcome of an item is in the journal.
    fn recorded(&self, _item: &Item) {}
}

/// A step, and one that follows it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The step of the stage.
    pub step: Step,
    /// The step of a stage that has nothing to do.
    pub next: Option<Step>,
}

impl From<Step> for Steps {
    fn from(step: Step) -> Self {
        Self { step, next: None }
    }
}
